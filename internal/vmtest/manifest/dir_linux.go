package manifest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Dir lists what the kernel shows of a folder, other file systems mounted in it
// excepted.
func Dir(root string) (Manifest, error) {
	return DirFunc(root, func(string, fs.FileInfo) bool { return true })
}

// DirFunc is [Dir], and reads only the regular files for which read is true.
// Others have no Sum.
func DirFunc(root string, read func(path string, info fs.FileInfo) bool) (Manifest, error) {
	info, err := os.Stat(root)
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	d := dir{
		m:      Manifest{},
		device: info.Sys().(*syscall.Stat_t).Dev,
		first:  map[uint64]string{},
		read:   read,
	}
	err = filepath.WalkDir(root, func(file string, _ fs.DirEntry, err error) error {
		path := "."
		if file != root {
			path = strings.TrimPrefix(file, root+"/")
		}
		if err != nil {
			e := d.m[path]
			e.Err = reason(err)
			d.m[path] = e
			return nil
		}
		return d.add(path, file)
	})
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	d.link()
	return d.m, nil
}

// A dir is a folder that is being listed.
type dir struct {
	m      Manifest
	device uint64
	inodes map[string]uint64 // of files with several names, by path
	first  map[uint64]string // the first of their paths
	read   func(path string, info fs.FileInfo) bool
}

// add lists one file.
func (d *dir) add(path, file string) error {
	info, err := os.Lstat(file)
	if err != nil {
		d.m[path] = Entry{Err: reason(err)}
		return nil
	}
	stat := info.Sys().(*syscall.Stat_t)
	if info.IsDir() && stat.Dev != d.device {
		return fs.SkipDir
	}
	e := Entry{
		Mode: info.Mode(), UID: int(stat.Uid), GID: int(stat.Gid),
		ModTime: info.ModTime().UTC(), Links: int(stat.Nlink),
	}
	switch {
	case info.Mode().IsRegular():
		e.Size = info.Size()
		if d.read(path, info) {
			e.Sum, err = sumFile(file)
		}
	case info.Mode()&fs.ModeSymlink != 0:
		e.Target, err = os.Readlink(file)
	case info.Mode()&fs.ModeDevice != 0:
		e.Device = [2]uint32{unix.Major(stat.Rdev), unix.Minor(stat.Rdev)}
	}
	var errXattrs error
	e.Xattrs, errXattrs = xattrs(file)
	if err := errors.Join(err, errXattrs); err != nil {
		e.Err = reason(err)
	}
	d.m[path] = e
	if stat.Nlink > 1 && !info.IsDir() {
		d.note(path, stat.Ino)
	}
	return nil
}

// note remembers one name of a file that has several.
func (d *dir) note(path string, inode uint64) {
	if d.inodes == nil {
		d.inodes = map[string]uint64{}
	}
	d.inodes[path] = inode
	if first, ok := d.first[inode]; !ok || path < first {
		d.first[inode] = path
	}
}

// link fills in Same, once all paths are known.
func (d *dir) link() {
	for path, inode := range d.inodes {
		if first := d.first[inode]; first != path {
			e := d.m[path]
			e.Same = first
			d.m[path] = e
		}
	}
}

func sumFile(file string) (string, error) {
	f, err := os.Open(file) //nolint:gosec // Any file of the folder.
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // It was only read.
	s, _, err := Sum(f)
	return s, err
}

// xattrs returns the extended attributes of a file, not of what it links to.
func xattrs(file string) (map[string]string, error) {
	names, err := xattr(func(b []byte) (int, error) { return unix.Llistxattr(file, b) })
	if errors.Is(err, unix.ENOTSUP) {
		return nil, nil
	}
	if err != nil || len(names) == 0 {
		return nil, err
	}
	attrs := map[string]string{}
	for name := range strings.SplitSeq(strings.TrimSuffix(names, "\x00"), "\x00") {
		value, err := xattr(func(b []byte) (int, error) { return unix.Lgetxattr(file, name, b) })
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		attrs[name] = value
	}
	return attrs, nil
}

// xattr calls get with a buffer of the size that it asks for.
func xattr(get func([]byte) (int, error)) (string, error) {
	n, err := get(nil)
	if err != nil || n == 0 {
		return "", err
	}
	b := make([]byte, n)
	n, err = get(b)
	if err != nil {
		return "", err
	}
	return string(b[:n]), nil
}
