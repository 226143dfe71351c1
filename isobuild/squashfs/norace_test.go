//go:build !race

package squashfs_test

// race says that the race detector is there, which takes memory for itself.
const race = false
