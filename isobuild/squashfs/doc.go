// Package squashfs writes and reads SquashFS 4.0 images.
package squashfs
