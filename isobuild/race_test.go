//go:build race

package isobuild_test

// race says that the race detector is there, which takes memory for itself.
const race = true
