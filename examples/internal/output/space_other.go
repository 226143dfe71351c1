//go:build !linux && !darwin

package output

import (
	"math"
	"os"
)

// freeSpace returns how many bytes may still be written to a folder: here it
// is found out by writing.
func freeSpace(dir string) (int64, error) {
	_, err := os.Stat(dir)
	return math.MaxInt64, err
}
