//go:build race

package resident

// race says whether the race detector is there.
const race = true
