package artifacts

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// describe puts into h what only this system knows of info, and returns what
// names the file, and whether it has several names.
func describe(h *tar.Header, info fs.FileInfo) (fileID, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fileID{}, false
	}
	h.Uid, h.Gid = int(st.Uid), int(st.Gid)
	if info.Mode()&fs.ModeDevice != 0 {
		h.Devmajor, h.Devminor = int64(unix.Major(uint64(st.Rdev))), int64(unix.Minor(uint64(st.Rdev))) //nolint:unconvert // Not all machines have 64 bits there.
	}
	return fileID{uint64(st.Dev), st.Ino}, st.Nlink > 1 && !info.IsDir() //nolint:unconvert // Likewise.
}

// openNow opens a file for reading, and does not wait for the writer of a
// pipe that took its place.
func openNow(root *os.Root, name string) (*os.File, error) {
	return root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

// NextData returns the first range with data that ends behind off, from off on,
// in bytes; false when only holes follow (lseek(2)). What the file system cannot
// tell is data, and so is what is gone since the file was opened: to read it says
// what is wrong. Like Seek, it is not to be called while Read is.
func (f *dirFile) NextData(off int64) (start, end int64, ok bool) {
	size := f.Size()
	if off >= size {
		return 0, 0, false
	}
	pos, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return off, size, true
	}
	defer func() { _, _ = f.Seek(pos, io.SeekStart) }() // Read goes on where it was.
	if start, err = f.Seek(max(off, 0), unix.SEEK_DATA); err == nil {
		end, err = f.Seek(start, unix.SEEK_HOLE)
	}
	now, failed := f.File.Stat()
	switch {
	case failed != nil || now.Size() != size || err != nil && !errors.Is(err, unix.ENXIO):
		return off, size, true
	case err != nil:
		return 0, 0, false
	}
	return start, end, true
}

// xattrs returns the extended attributes of what is called base in folder, as
// PAX records. It goes through /proc, since the calls that
// start at an open directory are too young (Linux 6.13).
func xattrs(folder *os.File, base string) (map[string]string, error) {
	name := fmt.Sprintf("/proc/self/fd/%d/%s", folder.Fd(), base)
	list, err := growing(func(buf []byte) (int, error) { return unix.Llistxattr(name, buf) })
	if errors.Is(err, unix.ENOTSUP) || len(list) == 0 && err == nil {
		return nil, nil //nolint:nilnil // There are none.
	}
	if err != nil {
		return nil, fmt.Errorf("extended attributes: %w", err)
	}
	records := make(map[string]string)
	for attr := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		value, err := growing(func(buf []byte) (int, error) { return unix.Lgetxattr(name, attr, buf) })
		if errors.Is(err, unix.ENODATA) {
			continue // It was removed meanwhile.
		}
		if err != nil {
			return nil, fmt.Errorf("extended attribute %s: %w", attr, err)
		}
		records["SCHILY.xattr."+attr] = string(value)
	}
	return records, nil
}

// growing calls get with a buffer that is large enough: no list and no value
// has more than 64 KiB (xattr(7)).
func growing(get func(buf []byte) (int, error)) ([]byte, error) {
	for size := 256; ; size *= 16 {
		buf := make([]byte, size)
		n, err := get(buf)
		if errors.Is(err, unix.ERANGE) && size <= 1<<16 {
			continue
		}
		return buf[:max(n, 0)], err
	}
}
