package diskimage_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// TestWriteGCEArchive holds the archive against what Google asks for.
func TestWriteGCEArchive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		size, want int64
	}{
		{"one byte", 1, 1 << 30},
		{"whole GiB", 2 << 30, 2 << 30},
		{"numbers that are not octal", 16<<30 + 1, 17 << 30},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			_, err := diskimage.WriteGCE(t.Context(), &b, holey(1, c.size, 1, 1000))
			require.NoError(t, err)
			z, err := gzip.NewReader(bytes.NewReader(b.Bytes()))
			require.NoError(t, err)
			z.Multistream(false)
			plain, err := io.ReadAll(z)
			require.NoError(t, err)
			assert.EqualValues(t, 'S', plain[156], "sparse, in GNU's old format")
			assert.Equal(t, "ustar  \x00", string(plain[257:265]))
			assert.Zero(t, len(plain)%10240)

			archive := tar.NewReader(bytes.NewReader(plain))
			h, err := archive.Next()
			require.NoError(t, err)
			assert.Equal(t, "disk.raw", h.Name)
			assert.Equal(t, c.want, h.Size)
			assert.EqualValues(t, 0o644, h.Mode)
			assert.Equal(t, 1980, h.ModTime.UTC().Year())
			assert.Equal(t, tar.FormatGNU, h.Format)
		})
	}
}

// TestWriteGCERanges has lists of every length around those that fit into a
// block, with and without a hole at the end.
func TestWriteGCERanges(t *testing.T) {
	t.Parallel()
	for _, count := range []int{3, 4, 5, 24, 25, 26, 46, 47} {
		for _, size := range []int64{1 << 30, 100 << 20} {
			m := mosaic.New()
			m.SetSize(size)
			for i := range int64(count) {
				m.AddBytes(size-1-i*200<<10, []byte{byte(i + 1)})
			}
			var b bytes.Buffer
			_, err := diskimage.WriteGCE(t.Context(), &b, m)
			require.NoError(t, err)
			requireDisk(t, m, 1<<30, readGCE(t, b.Bytes()))
		}
	}
}

// TestWriteGCEAsGoReadsIt reads the disk by archive/tar.
func TestWriteGCEAsGoReadsIt(t *testing.T) {
	t.Parallel()
	disk := holey(2, 30<<20, 60, 50<<10)
	var b bytes.Buffer
	_, err := diskimage.WriteGCE(t.Context(), &b, disk)
	require.NoError(t, err)
	z, err := gzip.NewReader(&b)
	require.NoError(t, err)
	archive := tar.NewReader(z)
	_, err = archive.Next()
	require.NoError(t, err)
	head := make([]byte, 31<<20)
	_, err = io.ReadFull(archive, head)
	require.NoError(t, err)
	requireDisk(t, disk, 1, bytes.NewReader(head[:30<<20]))
	_, err = archive.Next()
	require.ErrorIs(t, err, io.EOF, "one file")
}

// TestWriteGCESize holds that holes cost nothing.
func TestWriteGCESize(t *testing.T) {
	t.Parallel()
	m := mosaic.New()
	m.SetSize(1 << 45)
	m.AddBytes(1<<44, []byte(strings.Repeat("text", 1000)))
	var b bytes.Buffer
	_, err := diskimage.WriteGCE(t.Context(), &b, m)
	require.NoError(t, err)
	assert.Less(t, b.Len(), 1000)
}
