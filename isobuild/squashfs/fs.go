package squashfs

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/treefs"
)

var (
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
	_ fs.ReadLinkFS = (*FS)(nil)
)

// An FS is the file tree in an image. It keeps to the rules that the package
// comment of netbootkit gives for file trees: [fs.FileInfo.Sys] is a fresh
// [*archive/tar.Header], and further names of a file have the type TypeLink there.
//
// Regular files implement [io.ReaderAt], [io.Seeker] and [io.WriterTo], and
// have methods Size and NextData, which knows blocks of zeros. Devices and pipes open as empty files.
//
// An FS and its files may be used concurrently.
type FS struct {
	files *treefs.FS
}

// Open returns the tree of the image at the start of r, which has size bytes;
// what follows the image is not read. Names and attributes are read at once:
// about 200 bytes of memory for an entry with a short name. Contents are read
// from r when asked for, so r must stay as it is.
func Open(r io.ReaderAt, size int64, opts ...OpenOption) (*FS, error) {
	cfg, err := newOpenConfig(opts)
	if err != nil {
		return nil, err
	}
	f, err := open(r, size, cfg)
	if err != nil {
		return nil, fmt.Errorf("squashfs: %w", err)
	}
	return f, nil
}

func open(r io.ReaderAt, size int64, cfg openConfig) (*FS, error) {
	im, err := readSuperblock(r, size)
	if err != nil {
		return nil, err
	}
	s, err := newStore(im, cfg.cacheSize)
	if err != nil {
		return nil, err
	}
	if err := im.fragments.load(im); err != nil {
		return nil, err
	}
	tree, err := loadTree(s)
	if err != nil {
		return nil, err
	}
	return &FS{treefs.New(tree, s.open)}, nil
}

// Open implements [fs.FS].
func (f *FS) Open(name string) (fs.File, error) { return f.files.Open(name) }

// ReadDir implements [fs.ReadDirFS].
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) { return f.files.ReadDir(name) }

// Stat implements [fs.StatFS].
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.files.Stat(name) }

// Lstat implements [fs.ReadLinkFS].
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.files.Lstat(name) }

// ReadLink implements [fs.ReadLinkFS]. The target is as in the image.
func (f *FS) ReadLink(name string) (string, error) { return f.files.ReadLink(name) }
