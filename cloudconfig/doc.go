// Package cloudconfig loads, renders and checks cloud-config documents.
package cloudconfig
