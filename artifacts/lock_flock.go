//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package artifacts

import (
	"errors"
	"os"
	"syscall"
)

// locks says that locks work between processes.
const locks = true

// tryLock locks f for whoever opened it, alone or shared with others, until f
// is closed or its process ends. It returns false if others forbid it.
func tryLock(f *os.File, alone bool) (bool, error) {
	how := syscall.LOCK_SH
	if alone {
		how = syscall.LOCK_EX
	}
	for {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		default:
			return false, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
	}
}
