// Package oci makes file trees of container images.
package oci
