// Package ext makes an ext2 or ext4 file system of a file tree, as an image
// whose file contents are read from the tree when the image is read.
package ext
