//go:build linux || darwin

package progress

import (
	"os"

	"golang.org/x/sys/unix"
)

// columns returns how many characters a line of a terminal has.
func columns(f *os.File) int {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || size.Col == 0 {
		return usualColumns
	}
	return int(size.Col)
}
