package tftpd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"syscall"
)

// FS returns a [Handler] that serves the regular files of fsys. They must
// implement [io.ReaderAt], as those of [os.Root.FS], [os.DirFS], [embed.FS] and
// [testing/fstest.MapFS] do. A directory is answered as a missing file; a
// device, a pipe or a file that may not be read as an access violation.
//
// FS follows symbolic links as far as fsys does. [os.Root.FS] refuses those
// that lead out of the root; [os.DirFS] follows them anywhere, so prefer the
// former for a directory on disk. A link that was refused is an access violation.
func FS(fsys fs.FS) Handler {
	return HandlerFunc(func(_ context.Context, name string, _ netip.AddrPort) (File, error) {
		// Ask before opening: to open a pipe would wait for its writer.
		info, err := fs.Stat(fsys, name)
		if err != nil {
			return nil, classified(err)
		}
		if err := servable(name, info); err != nil {
			return nil, err
		}
		f, err := fsys.Open(name)
		if err != nil {
			return nil, classified(err)
		}
		file, err := newFSFile(name, f)
		if err != nil {
			f.Close()
			return nil, err
		}
		return file, nil
	})
}

// classified makes errors match what the client should be told where the
// system's do not by themselves.
func classified(err error) error {
	var errno syscall.Errno
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrInvalid):
		return err
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENAMETOOLONG):
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	case errors.As(err, &errno):
		return err
	default: // Not from the system: os.Root says that a link leads out of it.
		return fmt.Errorf("%w: %w", fs.ErrPermission, err)
	}
}

func newFSFile(name string, f fs.File) (File, error) {
	info, err := f.Stat() // Again: the name may stand for another file by now.
	if err != nil {
		return nil, err
	}
	if err := servable(name, info); err != nil {
		return nil, err
	}
	ra, ok := f.(io.ReaderAt)
	if !ok {
		return nil, fmt.Errorf("%s: %T has no ReadAt", name, f)
	}
	return fsFile{ra, f, info.Size()}, nil
}

func servable(name string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("%s is a directory: %w", name, fs.ErrNotExist)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: %w", name, fs.ErrPermission)
	default:
		return nil
	}
}

type fsFile struct {
	io.ReaderAt
	io.Closer

	size int64
}

func (f fsFile) Size() int64 { return f.size }
