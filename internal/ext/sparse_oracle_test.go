//go:build linux

package ext_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// pieces returns an image of pieces of data, each of which begins so many bytes
// behind the last one.
func pieces(count int, every, length, size int64) *mosaic.Image {
	m := mosaic.New()
	for i := range count {
		m.AddBytes(int64(i)*every, bytes.Repeat([]byte{byte(i + 1)}, int(length)))
	}
	m.SetSize(size)
	return m
}

// sparse returns files of every way to be sparse.
func sparse() imageFS {
	far := mosaic.New()
	for _, off := range []int64{0, 11 << 12, 12<<12 + 5, 1035<<12 + 4000, 1036 << 12, 1 << 30, 4<<30 + 12345, 4299210751, 5 << 30} {
		far.AddBytes(off, []byte("data"))
	}
	far.SetSize(9 << 30)
	return imageFS{
		"far": far, "nothing": pieces(0, 1, 1, 6<<30), "end": pieces(1, 1, 1, 1<<20+1),
		"three": pieces(3, 1<<20, 4097, 10<<20), "four": pieces(4, 1<<20, 100, 4<<20), "five": pieces(5, 1<<20, 4096, 5<<20),
		"340": pieces(340, 64<<10, 1, 40<<20), "341": pieces(341, 64<<10, 1, 40<<20),
		"1361": pieces(1361, 64<<10, 5000, 100<<20), "close": pieces(3000, 5000, 100, 16<<20), "full": pieces(1, 1, 100000, 100000),
	}
}

// dataBlocks counts the blocks of an image that hold data.
func dataBlocks(m *mosaic.Image) (n int64) {
	last := int64(-1)
	for off := int64(0); ; {
		start, end, ok := m.NextData(off)
		if !ok {
			return n
		}
		first := max(start>>12, last+1)
		last = (end - 1) >> 12
		n += last + 1 - first
		off = end
	}
}

// TestNewSparse checks that holes stay holes, also where a file system would need
// more than it has.
func TestNewSparse(t *testing.T) {
	t.Parallel()
	for name, v := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := sparse()
			v.Size = 64 << 20
			name := save(t, newImage(t, tree, v))
			checkClean(t, name)
			dir, _ := mount(t, name, v, "ro")
			for file, image := range tree {
				compare(t, image, filepath.Join(dir, file))
			}
		})
	}
}

// compare compares the data of an image with a file, and what lies around.
func compare(t *testing.T, want *mosaic.Image, name string) {
	t.Helper()
	got, err := os.Open(name)
	require.NoError(t, err)
	defer got.Close()
	info, err := got.Stat()
	require.NoError(t, err)
	require.Equal(t, want.Size(), info.Size(), name)
	blocks := info.Sys().(*syscall.Stat_t).Blocks / 8
	data := dataBlocks(want)
	assert.GreaterOrEqual(t, blocks, data, name)
	assert.LessOrEqual(t, blocks, data+data/4+10, name)
	for off := int64(0); ; {
		start, end, ok := want.NextData(off)
		if !ok {
			break
		}
		start, off = max(start-8192, 0), end
		length := min(end+8192, want.Size()) - start
		a, b := make([]byte, length), make([]byte, length)
		_, err := want.ReadAt(a, start)
		require.NoError(t, err)
		_, err = got.ReadAt(b, start)
		require.NoError(t, err)
		require.True(t, bytes.Equal(a, b), "%s at %d", name, start)
	}
}

// TestNewLong has a file over 4 GiB, whose extents do not fit into its inode.
func TestNewLong(t *testing.T) {
	t.Parallel()
	oracle.All(t)
	for _, version := range []int{2, 4} {
		m := mosaic.New()
		m.Add(0, ones{}, 4<<30+1<<20)
		tree := imageFS{"long": m, "other": pieces(1, 1, 50000, 50000)}
		v := volume
		v.Version = version
		name := save(t, newImage(t, tree, v))
		checkClean(t, name)
		dir, unmount := mount(t, name, v, "ro")
		run(t, "cmp", "-n", "4296015872", filepath.Join(dir, "long"), write55(t))
		compare(t, tree["other"], filepath.Join(dir, "other"))
		unmount()
		require.NoError(t, os.Remove(name))
	}
}

// write55 returns a file that has the content of ones.
func write55(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ones")
	f, err := os.Create(name)
	require.NoError(t, err)
	defer f.Close()
	_, err = io.Copy(f, io.NewSectionReader(ones{}, 0, 4<<30+1<<20))
	require.NoError(t, err)
	return name
}
