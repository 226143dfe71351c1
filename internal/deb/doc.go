// Package deb reads Debian packages.
package deb
