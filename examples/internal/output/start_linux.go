package output

import (
	"os"

	"golang.org/x/sys/unix"
)

// startWriting has the system begin to write a range of a file, in bytes, to the
// disk. It is no more than a hint: Sync tells what fails.
func startWriting(f *os.File, off, size int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, size, unix.SYNC_FILE_RANGE_WRITE)
}
