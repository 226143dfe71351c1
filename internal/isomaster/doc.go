// Package isomaster makes the metadata of an ISO 9660 volume.
package isomaster
