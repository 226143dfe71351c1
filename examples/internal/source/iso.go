package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/netbootkit/netbootkit/isobuild"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// IsISO reports whether name is a file that holds an ISO 9660 image: whose
// seventeenth block is a volume descriptor (ECMA-119 §8.1).
func IsISO(name string) (bool, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) || err == nil && info.IsDir() {
		return false, nil
	}
	f, _, err := OpenFile(name)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // It was only read.
	var id [5]byte
	if _, err := f.ReadAt(id[:], 16*2048+1); err != nil {
		return false, nil // A short file: no image.
	}
	return string(id[:]) == "CD001", nil
}

// OpenFile opens a file, and returns its size in bytes. Devices and pipes are
// refused: they have none, and to open a pipe waits for who writes it. The caller
// closes the file.
func OpenFile(name string) (*os.File, int64, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("%s is not a file: copy what is in it to one", name)
	}
	file, err := os.Open(name) //nolint:gosec // The user names it.
	return file, info.Size(), err
}

// A Live is the root file system of a live system, in its ISO.
type Live struct {
	*squashfs.FS
	iso *os.File
}

// Close closes the ISO.
func (l *Live) Close() error { return l.iso.Close() }

// OpenLive opens the root file system in the ISO called name. The caller closes
// it.
func OpenLive(name string) (_ *Live, err error) {
	iso, size, err := OpenFile(name)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("%s is an ISO image; a root file system is wanted, or the ISO of a live system: %w", name, err), iso.Close())
		}
	}()
	image, err := isobuild.Open(io.NewSectionReader(iso, 0, size))
	if err != nil {
		return nil, err
	}
	boot, err := image.Boot()
	if err != nil {
		return nil, err
	}
	if boot.RootFS == nil {
		return nil, errors.New("it is an installer's")
	}
	root, err := squashfs.Open(boot.RootFS, boot.RootFS.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", boot.RootFS.Name, err)
	}
	return &Live{FS: root, iso: iso}, nil
}

// OpenISO is what the source of a release takes to read its ISO.
func OpenISO(iso io.ReaderAt, size int64) (fs.FS, error) {
	return isobuild.Open(io.NewSectionReader(iso, 0, size))
}
