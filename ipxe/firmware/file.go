package firmware

import (
	"bytes"
	"io"
	"io/fs"
	"time"
)

// A file is a program in memory, opened. Readers of one program share its
// bytes.
type file struct {
	*bytes.Reader
	info
}

func openFile(name string, data []byte) *file {
	return &file{bytes.NewReader(data), info{name, int64(len(data))}}
}

func (f *file) Size() int64                { return f.size }
func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

// info describes a program, or the root folder when it has no name. Programs
// have no time of change: who caches them should go by their content.
type info struct {
	name string
	size int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return 0o444 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return false }
func (i info) Sys() any           { return nil }

// A folder is the root, opened.
type folder struct {
	entries []fs.DirEntry // not yet read
}

func (d *folder) Stat() (fs.FileInfo, error) { return folderInfo{info{name: "."}}, nil }
func (d *folder) Close() error               { return nil }

func (d *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: ".", Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFile].
func (d *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.entries)
	} else if len(d.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.entries))
	var read []fs.DirEntry
	read, d.entries = d.entries[:n], d.entries[n:]
	return read, nil
}

type folderInfo struct{ info }

func (folderInfo) Mode() fs.FileMode { return fs.ModeDir | 0o555 }
func (folderInfo) IsDir() bool       { return true }
