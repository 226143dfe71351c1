package diskimage_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// A swapfile has one block of data, on a border of pages, and a size that FAT
// has as well.
const (
	swapSize = int64(3 << 30)
	swapAt   = 1<<30 + 4096
	swapText = "SWAPSPACE2 "
)

func swapBlock() []byte { return bytes.Repeat([]byte(swapText), 4096/len(swapText)+1)[:4096] }

// sparseTar returns the tree of an archive of old GNU format.
func sparseTar(t *testing.T) fs.FS {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "swapfile", Mode: 0o600, Size: 4096, Format: tar.FormatGNU}))
	_, err := w.Write(swapBlock())
	require.NoError(t, err)
	require.NoError(t, w.Close())
	header := buf.Bytes()[:512]
	header[156] = tar.TypeGNUSparse
	copy(header[386:], fmt.Sprintf("%011o\x00%011o\x00", swapAt, 4096))
	copy(header[483:], fmt.Sprintf("%011o\x00", swapSize))
	copy(header[148:], "        ") // The checksum counts itself as spaces.
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00", sum))
	tree, err := artifacts.OpenTar(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	require.NoError(t, err)
	return tree
}

// sparseFolder returns the tree of a folder.
func sparseFolder(t *testing.T) fs.FS {
	t.Helper()
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "swapfile"))
	require.NoError(t, err)
	require.NoError(t, file.Truncate(swapSize))
	_, err = file.WriteAt(swapBlock(), swapAt)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	tree, err := artifacts.OpenDir(t.Context(), root)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, tree.Close()) })
	return tree
}

// A countFS counts what is read of files with holes.
type countFS struct {
	fs.ReadLinkFS

	read atomic.Int64
}

type sparseFile interface {
	fs.File
	io.ReaderAt
	diskimage.Sparse
}

func (c *countFS) Open(name string) (fs.File, error) {
	f, err := c.ReadLinkFS.Open(name)
	if s, ok := f.(sparseFile); ok {
		return &countFile{s, c}, err
	}
	return f, err
}

type countFile struct {
	sparseFile

	count *countFS
}

func (f *countFile) Read(p []byte) (int, error) {
	n, err := f.sparseFile.Read(p)
	f.count.read.Add(int64(n))
	return n, err
}

func (f *countFile) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.sparseFile.ReadAt(p, off)
	f.count.read.Add(int64(n))
	return n, err
}

// TestHolesStayHoles checks that holes of a tree's files are not read, and take
// no place in what is made of it.
func TestHolesStayHoles(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(*testing.T) fs.FS{"tar": sparseTar, "folder": sparseFolder} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := &countFS{ReadLinkFS: open(t).(fs.ReadLinkFS)}
			plain, err := diskimage.Plain(t.Context(), smallRoot(), 0, diskimage.WithLoaders(biosModules(t)), diskimage.WithRootFiles(tree))
			require.NoError(t, err)
			kairos, err := diskimage.EFI(t.Context(), smallRoot(), diskimage.WithRootFiles(tree))
			require.NoError(t, err)
			fat := &diskimage.Layout{Partitions: []diskimage.Partition{{Content: diskimage.FAT("SWAP", tree)}}}
			for what, c := range map[string]struct {
				layout *diskimage.Layout
				mib    int64 // of the disk, at most
			}{"plain": {plain, 1024}, "kairos": {kairos, 1024}, "fat": {fat, 3100}} {
				tree.read.Store(0)
				file := onDisk(t, c.layout)
				assert.Less(t, tree.read.Load(), int64(2<<20), what)
				assert.Positive(t, tree.read.Load(), what)
				info, err := os.Stat(file)
				require.NoError(t, err)
				assert.Less(t, info.Size(), c.mib<<20, what)
				assert.Less(t, info.Sys().(*syscall.Stat_t).Blocks, int64(100<<20/512), what)
			}

			tree.read.Store(0)
			image, err := os.Create(filepath.Join(t.TempDir(), "image"))
			require.NoError(t, err)
			defer image.Close()
			size, err := squashfs.Write(t.Context(), image, tree)
			require.NoError(t, err)
			assert.Less(t, size, int64(1<<20))
			assert.Less(t, tree.read.Load(), int64(4<<20))
			got, err := squashfs.Open(image, size)
			require.NoError(t, err)
			checkSwap(t, got)
		})
	}
}

// checkSwap checks the file of a tree, and that it knows its holes.
func checkSwap(t *testing.T, tree fs.FS) {
	t.Helper()
	f, err := tree.Open("swapfile")
	require.NoError(t, err)
	defer f.Close()
	start, end, ok := f.(sparseFile).NextData(0)
	require.True(t, ok)
	assert.LessOrEqual(t, start, int64(swapAt))
	assert.GreaterOrEqual(t, end, int64(swapAt+4096))
	assert.LessOrEqual(t, end-start, int64(1<<20))
	b := make([]byte, end-start)
	_, err = f.(io.ReaderAt).ReadAt(b, start)
	require.NoError(t, err)
	want := make([]byte, len(b))
	copy(want[swapAt-start:], swapBlock())
	assert.True(t, bytes.Equal(want, b))
	_, _, ok = f.(sparseFile).NextData(end)
	assert.False(t, ok)
}
