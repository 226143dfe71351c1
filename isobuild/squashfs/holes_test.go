package squashfs_test

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/overlay"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// holey returns a tree of files with holes, some of them with the same size or
// the same bytes, of which some know their holes.
func holey(t *testing.T) fs.FS {
	t.Helper()
	const block = 128 << 10
	b := overlay.New()
	add := func(name string, size int64, at ...int64) {
		m := mosaic.New()
		for _, off := range at {
			m.AddBytes(off, noise(5000, uint64(len(at))))
		}
		m.SetSize(size)
		h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, ModTime: someTime}
		require.NoError(t, b.AddFile(h, m))
		h.Name += " dense"
		require.NoError(t, b.AddFile(h, struct{ io.ReaderAt }{m}))
	}
	add("start", 40*block, 0)
	add("end", 40*block, 40*block-5000)
	add("middle", 40*block, 7*block+100)
	add("other middle", 40*block, 8*block+100)
	add("borders", 40*block+1, 3*block-1, 9*block-5000, 20*block, 40*block-4999)
	add("nothing", 40*block)
	add("less than that", 39*block)
	add("nothing but a little", 39*block+77)
	add("small", block-1)
	return b.Tree()
}

// blind is a tree whose files know no holes.
type blind struct{ fs.ReadLinkFS }

func (b blind) Open(name string) (fs.File, error) {
	f, err := b.ReadLinkFS.Open(name)
	if _, ok := f.(io.ReaderAt); ok {
		return struct{ fs.File }{f}, err
	}
	return f, err
}

func TestWriteWhenFilesHaveHoles(t *testing.T) {
	t.Parallel()
	tree := holey(t)
	var last int64
	progress := squashfs.WithProgress(func(_ string, done, total int64) { last = total - done })
	image := write(t, tree, squashfs.WithBlockSize(128<<10), progress)
	assert.Zero(t, last, "holes are done as well")
	assert.True(t, bytes.Equal(write(t, blind{tree.(fs.ReadLinkFS)}, squashfs.WithBlockSize(128<<10)), image))
	got, err := squashfs.Open(bytes.NewReader(image), int64(len(image)))
	require.NoError(t, err)
	sameTree(t, tree, got)
	again := write(t, got, squashfs.WithBlockSize(128<<10))
	assert.True(t, bytes.Equal(image, again), "an image of the image, which knows its holes")
}

// gone is a file that ended after it was found, and says so of its data.
type gone struct{ fs.File }

func (gone) ReadAt([]byte, int64) (int, error)          { return 0, io.EOF }
func (gone) NextData(int64) (start, end int64, ok bool) { return 0, 0, false }

type goneFS struct{ fs.ReadLinkFS }

func (g goneFS) Open(name string) (fs.File, error) {
	f, err := g.ReadLinkFS.Open(name)
	if _, ok := f.(io.ReaderAt); ok {
		return gone{f}, err
	}
	return f, err
}

func TestWriteWhenFilesEndInAHoleThatIsGone(t *testing.T) {
	t.Parallel()
	_, err := squashfs.Write(t.Context(), failing{1 << 60}, goneFS{holey(t).(fs.ReadLinkFS)}, squashfs.WithBlockSize(128<<10))
	assert.ErrorContains(t, err, "squashfs: borders: ends after 5242880 of 5242881 bytes")
}
