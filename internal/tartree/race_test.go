//go:build race

package tartree_test

// race says that the race detector is there, which takes memory for itself.
const race = true
