package ext_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// benchTree writes 500 MB in 17000 files, as a root file system has them.
func benchTree(b *testing.B) (dir string) {
	b.Helper()
	dir = b.TempDir()
	for i := range 17000 {
		sub := filepath.Join(dir, fmt.Sprint("usr ", i%40), fmt.Sprint("lib ", i%1000))
		require.NoError(b, os.MkdirAll(sub, 0o755))
		size := 4000 + i%1000*10
		if i%100 == 0 {
			size = 2 << 20
		}
		require.NoError(b, os.WriteFile(filepath.Join(sub, fmt.Sprintf("file number %d.so", i)), noise(size, uint64(i%256)), 0o644))
	}
	return dir
}

// BenchmarkNew writes 500 MB into a file system of 1 GiB, from a directory.
func BenchmarkNew(b *testing.B) {
	dir, out := benchTree(b), filepath.Join(b.TempDir(), "ext.img")
	for _, version := range []int{2, 4} {
		b.Run(fmt.Sprintf("ext%d/ours", version), func(b *testing.B) {
			for b.Loop() {
				root, err := os.OpenRoot(dir)
				require.NoError(b, err)
				tree, err := artifacts.OpenDir(b.Context(), root)
				require.NoError(b, err)
				image, err := ext.New(b.Context(), tree, ext.Volume{Version: version, Size: 1 << 30})
				require.NoError(b, err)
				_ = os.Remove(out)
				f, err := os.Create(out)
				require.NoError(b, err)
				require.NoError(b, image.CopyAt(b.Context(), f))
				require.NoError(b, f.Close())
				require.NoError(b, tree.Close())
			}
		})
		b.Run(fmt.Sprintf("ext%d/mke2fs", version), func(b *testing.B) {
			mke2fs := oracle.Need(b, "mke2fs")
			for b.Loop() {
				_ = os.Remove(out)
				require.NoError(b, exec.CommandContext(b.Context(), mke2fs, "-q", "-t", fmt.Sprint("ext", version), "-d", dir, out, "1g").Run())
			}
		})
	}
}

// A countFS is a tree of so many files, or empty directories, in directories of
// each, of which only names exist, and what all have in common.
type countFS struct {
	count, each int
	info        imageInfo
}

func (t countFS) Open(string) (fs.File, error) { return nil, fs.ErrInvalid }

func (t countFS) Stat(name string) (fs.FileInfo, error) {
	return imageInfo{name, 0, fs.ModeDir | 0o755}, nil
}

func (t countFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if strings.Contains(name, "/") {
		return nil, nil
	}
	info, count := t.info, t.each
	if name == "." {
		info, count = imageInfo{"", 0, fs.ModeDir | 0o755}, t.count/t.each
	}
	entries := make([]fs.DirEntry, count)
	for i := range entries {
		info.name = fmt.Sprintf("entry %07d", i)
		entries[i] = fs.FileInfoToDirEntry(info)
	}
	return entries, nil
}

// TestNewMemory bounds what an entry costs, and a volume.
func TestNewMemory(t *testing.T) {
	const entries = 100000
	use := func(size int64, count int) int64 {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		image := newImage(t, countFS{count, 100, imageInfo{"", 5000, 0o644}}, ext.Volume{Size: size, Time: time.Unix(1, 0)})
		runtime.GC()
		runtime.ReadMemStats(&after)
		_, err := io.ReadFull(io.NewSectionReader(image, 1024, 1024), make([]byte, 1024))
		require.NoError(t, err)
		return int64(after.HeapAlloc) - int64(before.HeapAlloc)
	}
	small := use(2<<30, 100)
	many, large := use(2<<30, entries)-small, use(1<<40, 100)-small
	t.Logf("%d bytes for an entry, %d for a GiB", many/entries, large/1023)
	require.Less(t, many, int64(entries*600))
	require.Less(t, large, int64(16<<20))
}
