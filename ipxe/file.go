package ipxe

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// maxDigest is the largest file, in bytes, whose ETag is computed from its
// content for each request, because it has neither a time nor an ETag.
const maxDigest = 16 << 20

// A File is something to send. It may have more methods: Close, called after
// use; ModTime() time.Time and ETag() string, the latter a strong entity tag
// with its quotes (RFC 9110 §8.8.3). A type that embeds an [*os.File] which
// nobody else uses is sent by the kernel alone (sendfile).
type File interface {
	io.ReaderAt
	Size() int64
}

// osFile is a File on disk. It embeds *os.File, whose SyscallConn lets
// package net send it with sendfile.
type osFile struct {
	*os.File
	info fs.FileInfo
}

// Size implements [File].
func (f *osFile) Size() int64 { return f.info.Size() }

// ModTime returns when the file last changed.
func (f *osFile) ModTime() time.Time { return f.info.ModTime() }

// atFile is a File from any other fs.FS.
type atFile struct {
	io.ReaderAt
	io.Closer
	info fs.FileInfo
}

// Size implements [File].
func (f *atFile) Size() int64 { return f.info.Size() }

// ModTime returns when the file last changed.
func (f *atFile) ModTime() time.Time { return f.info.ModTime() }

// OpenFile opens the regular file called name in fsys. A leading slash of
// name is dropped: names are relative to the root of fsys. An [*os.File], as
// [os.Root.FS] and [os.DirFS] give, is a fresh one and sent with sendfile; any
// other file must be an [io.ReaderAt]. The caller closes the File, which is an
// [io.Closer].
func OpenFile(fsys fs.FS, name string) (File, error) {
	name = strings.TrimPrefix(name, "/")
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	file, err := newFile(f)
	if err != nil {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return file, nil
}

func newFile(f fs.File) (File, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fs.ErrNotExist
	}
	switch f := f.(type) {
	case *os.File:
		return &osFile{File: f, info: info}, nil
	case io.ReaderAt:
		return &atFile{ReaderAt: f, Closer: f.(io.Closer), info: info}, nil
	default:
		return nil, errors.New("file cannot be read at an offset")
	}
}

// modTime returns when f last changed, or the zero time.
func modTime(f File) time.Time {
	if m, ok := f.(interface{ ModTime() time.Time }); ok {
		return m.ModTime()
	}
	return time.Time{}
}

// etag returns a strong entity tag for f: its own, or one from its size and
// time, or one from its content; two servers with the same files agree. It
// returns "" for a file that has nothing of these and is too large to read.
func etag(f File) (string, error) {
	if e, ok := f.(interface{ ETag() string }); ok {
		return e.ETag(), nil
	}
	if t := modTime(f); !t.IsZero() && t.Unix() != 0 {
		return fmt.Sprintf(`"%x-%x"`, f.Size(), t.UnixNano()), nil
	}
	if f.Size() > maxDigest {
		return "", nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, f.Size())); err != nil {
		return "", err
	}
	return fmt.Sprintf(`"%x"`, h.Sum(nil)), nil
}

// contentType returns the media type of the file called name. UEFI firmware
// chooses by it what to do with a boot program (UEFI 2.10 §24.7.1).
func contentType(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".efi":
		return "application/efi"
	case ".iso":
		return "application/vnd.efi-iso"
	case ".img":
		return "application/vnd.efi-img"
	case ".ipxe", ".txt", ".yaml", ".yml", ".cfg":
		return "text/plain; charset=utf-8"
	default:
		return "application/octet-stream"
	}
}
