//go:build linux || darwin

package output

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// lock keeps other programs from locking file, until what it returns is closed:
// that may be after file is. Where a file system has no locks, nothing is locked.
func lock(file *os.File) (io.Closer, error) {
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "lock", Path: file.Name(), Err: err}
	}
	held := os.NewFile(uintptr(fd), file.Name())
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		_ = held.Close() // Nothing was written.
		return nil, fmt.Errorf("%s is being written by another program", file.Name())
	}
	return held, nil
}
