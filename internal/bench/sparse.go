//go:build linux

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// A sparseFile is a disk in a file, which knows its holes as the file system
// does (lseek(2), SEEK_DATA and SEEK_HOLE), like the programs it is compared
// with.
type sparseFile struct {
	*os.File
	size int64
}

// Size returns the size in bytes.
func (f *sparseFile) Size() int64 { return f.size }

// NextData implements diskimage.Sparse.
func (f *sparseFile) NextData(off int64) (start, end int64, ok bool) {
	fd := int(f.Fd())
	start, err := unix.Seek(fd, off, unix.SEEK_DATA)
	if err != nil {
		return 0, 0, false
	}
	end, err = unix.Seek(fd, start, unix.SEEK_HOLE)
	if err != nil {
		end = f.size
	}
	return start, end, true
}
