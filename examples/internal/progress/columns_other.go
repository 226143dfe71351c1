//go:build !linux && !darwin

package progress

import "os"

// columns returns how many characters a line of a terminal has at least.
func columns(*os.File) int { return usualColumns }
