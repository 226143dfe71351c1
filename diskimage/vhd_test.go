package diskimage_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// tail returns the last 512 bytes of what WriteVHD makes of a disk of so many
// bytes, and how many there are in all.
func tail(tb testing.TB, size int64) (footer []byte, total int64) {
	tb.Helper()
	m := mosaic.New()
	m.SetSize(size)
	f, err := os.Open(diskFormats()[0].file(tb, m))
	require.NoError(tb, err)
	defer f.Close()
	total, err = f.Seek(-512, io.SeekEnd)
	require.NoError(tb, err)
	footer, err = io.ReadAll(f)
	require.NoError(tb, err)
	return footer, total + 512
}

// TestWriteVHDFooter reads footers by the specification.
func TestWriteVHDFooter(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, c := range []struct {
		name                      string
		size, want                int64
		cylinders, heads, sectors int
	}{
		{"one byte", 1, mib, 30, 4, 17},
		{"whole MiB", 3 * mib, 3 * mib, 90, 4, 17},
		{"odd", 3*mib + 1, 4 * mib, 120, 4, 17},
		{"31 sectors", 200 * mib, 200 * mib, 825, 16, 31},
		{"63 sectors", 16000 * mib, 16000 * mib, 32507, 16, 63},
		{"255 sectors", 64 << 30, 64 << 30, 32896, 16, 255},
		{"largest geometry", 2000 << 30, 2000 << 30, 65535, 16, 255},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, total := tail(t, c.size)
			be := binary.BigEndian
			assert.Equal(t, c.want+512, total)
			assert.Equal(t, "conectix", string(b[:8]))
			assert.EqualValues(t, 2, be.Uint32(b[8:]), "features")
			assert.EqualValues(t, 0x10000, be.Uint32(b[12:]), "version")
			assert.Equal(t, uint64(1<<64-1), be.Uint64(b[16:]), "data offset")
			assert.Equal(t, "win ", string(b[28:32]), "creator application")
			assert.Equal(t, "Wi2k", string(b[36:40]), "creator host")
			assert.EqualValues(t, c.want, be.Uint64(b[40:]), "original size")
			assert.EqualValues(t, c.want, be.Uint64(b[48:]), "current size")
			assert.EqualValues(t, c.cylinders, be.Uint16(b[56:]))
			assert.EqualValues(t, c.heads, b[58])
			assert.EqualValues(t, c.sectors, b[59])
			assert.EqualValues(t, 2, be.Uint32(b[60:]), "type")
			assert.Zero(t, b[84], "saved state")
			assert.Equal(t, make([]byte, 427), b[85:])
			sum := be.Uint32(b[64:])
			clear(b[64:68])
			for _, c := range b {
				sum += uint32(c)
			}
			assert.Equal(t, ^uint32(0), sum, "checksum")
			assert.EqualValues(t, 5, b[68+6]>>4, "version of the UUID")
			assert.EqualValues(t, 2, b[68+8]>>6, "variant of the UUID")
		})
	}
}

// TestWriteVHDIdentity holds that the disk and its size make the identifier.
func TestWriteVHDIdentity(t *testing.T) {
	t.Parallel()
	ids := make(map[string]bool)
	vhd := diskFormats()[0]
	for _, disk := range []diskimage.File{
		holey(1, 1<<20, 1, 1<<19), holey(1, 2<<20, 1, 1<<19), gptDisk(t, 3<<20), gptDisk(t, 4<<20),
	} {
		b := vhd.written(t, disk)
		ids[string(b[len(b)-512+68:][:16])] = true
	}
	assert.Len(t, ids, 4)
}

// TestWriteVHDPlaces writes to everything that is an io.Writer: holes may be
// left out only where nothing can be behind.
func TestWriteVHDPlaces(t *testing.T) {
	t.Parallel()
	disk := holey(10, 8<<20, 5, 100<<10)
	var plain bytes.Buffer
	n, err := diskimage.WriteVHD(t.Context(), &plain, disk)
	require.NoError(t, err)
	require.EqualValues(t, plain.Len(), n)
	requireDisk(t, disk, 1<<20, readVHD(t, plain.Bytes()))

	old := noise(11, 20<<20)
	for _, c := range []struct {
		name        string
		flag        int
		at          int64 // where writing begins
		keep        int   // bytes of old in the file
		sparse      bool
		front, back int // bytes of old around what was written
	}{
		{"new file", os.O_WRONLY, 0, 0, true, 0, 0},
		{"end of a file", os.O_WRONLY, 5000, 5000, true, 5000, 0},
		{"file that appends", os.O_WRONLY | os.O_APPEND, 0, 5000, false, 5000, 0},
		{"inside a file", os.O_WRONLY, 5000, 20 << 20, false, 5000, 20<<20 - 5000 - plain.Len()},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := t.TempDir() + "/out"
			require.NoError(t, os.WriteFile(name, old[:c.keep], 0o600))
			f, err := os.OpenFile(name, c.flag, 0)
			require.NoError(t, err)
			defer f.Close()
			_, err = f.Seek(c.at, io.SeekStart)
			require.NoError(t, err)
			w := &counted{File: f}
			_, err = diskimage.WriteVHD(t.Context(), w, disk)
			require.NoError(t, err)
			pos, err := f.Seek(0, io.SeekCurrent)
			require.NoError(t, err)
			assert.EqualValues(t, c.front+plain.Len(), pos, "goes on behind the image")
			if c.sparse {
				assert.Less(t, w.bytes, 4<<20, "holes are written")
			}
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			want := bytes.Join([][]byte{old[:c.front], plain.Bytes(), old[len(old)-c.back:]}, nil)
			assert.True(t, bytes.Equal(want, b))
		})
	}
}

// counted counts what is written to a file.
type counted struct {
	*os.File
	bytes int
}

func (c *counted) Write(p []byte) (int, error) {
	c.bytes += len(p)
	return c.File.Write(p)
}

func (c *counted) WriteAt(p []byte, off int64) (int, error) {
	c.bytes += len(p)
	return c.File.WriteAt(p, off)
}
