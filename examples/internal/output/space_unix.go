//go:build linux || darwin

package output

import (
	"os"

	"golang.org/x/sys/unix"
)

// freeSpace returns how many bytes a user may still write to a folder.
func freeSpace(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(s.Bavail) * int64(s.Bsize), nil //nolint:unconvert // Their types differ between systems.
}
