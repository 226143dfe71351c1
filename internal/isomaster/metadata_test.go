package isomaster_test

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
)

// TestMetadataBytes pins the format: the same tree has to give the same bytes.
func TestMetadataBytes(t *testing.T) {
	t.Parallel()

	for digest, d := range map[string]*disc{
		"08ce3414d3109c60363d7a47446a78478f731e75f6cb43c86c2caf80bdb21b01": newDisc(t),
		"48d9b8528358569ceed477635cbb3c0ea0c67c9ce116d08aa373f976edc68b23": oddDisc(t, linux),
	} {
		d.file("boot/eltorito.img", strings.Repeat("b", 2048), 0o644)
		d.outside("boot/esp.img", "esp")
		d.boot("boot/eltorito.img", "boot/esp.img")
		h := sha256.New()
		require.NoError(t, d.finish().Copy(t.Context(), h))
		assert.Equal(t, digest, hex.EncodeToString(h.Sum(nil)))
	}
}

// TestMetadataOrder gives the children in another order.
func TestMetadataOrder(t *testing.T) {
	t.Parallel()

	tree := func(names ...string) *isomaster.Node {
		root := &isomaster.Node{}
		for _, name := range names {
			root.Children = append(root.Children, &isomaster.Node{Name: name})
		}
		return root
	}
	v := &isomaster.Volume{ID: "A", Size: 1 << 20}
	one, err := isomaster.Metadata(tree("a", "A", "b", "a_1"), v, 20)
	require.NoError(t, err)
	other, err := isomaster.Metadata(tree("a_1", "b", "a", "A"), v, 20)
	require.NoError(t, err)
	require.Len(t, other, len(one))
	for i, p := range one {
		assert.Equal(t, p.Block, other[i].Block)
		assert.Equal(t, content(t, p), content(t, other[i]))
	}
}

func TestMetadataDefaults(t *testing.T) {
	t.Parallel()

	root := &isomaster.Node{Children: []*isomaster.Node{{Name: "file"}, {Name: "folder", Children: []*isomaster.Node{}}}}
	v := &isomaster.Volume{ID: "A", Size: 1 << 20, NoJoliet: true}
	blocks, err := isomaster.Measure(root, v)
	require.NoError(t, err)
	assert.EqualValues(t, 2+2+1, blocks, "path tables, the root with its continuation, the folder")
	pieces, err := isomaster.Metadata(root, v, 18)
	require.NoError(t, err)
	require.Len(t, pieces, 2)
	assert.EqualValues(t, 2*iso9660.BlockSize, pieces[0].Size(), "no Joliet, no boot record")
	image := make(sliceReader, v.Size)
	for _, p := range pieces {
		copy(image[int64(p.Block)*iso9660.BlockSize:], content(t, p))
	}
	tree, err := iso9660.Open(image, v.Size)
	require.NoError(t, err)
	for name, mode := range map[string]string{".": "drwxr-xr-x", "file": "-rw-r--r--", "folder": "drwxr-xr-x"} {
		info, err := tree.Lstat(name)
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode().String())
		assert.Zero(t, info.ModTime().Unix())
	}
	assert.Equal(t, "1970010100000000\x00", string(image[16*iso9660.BlockSize+813:][:17]))
	catalog, err := tree.Catalog()
	require.NoError(t, err)
	assert.Nil(t, catalog)
}

// sliceReader is an image in memory.
type sliceReader []byte

func (s sliceReader) ReadAt(p []byte, off int64) (int, error) {
	n := copy(p, s[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// TestTimes has those that seven bytes cannot hold.
func TestTimes(t *testing.T) {
	t.Parallel()

	d := newDisc(t)
	east := time.FixedZone("", 3*3600)
	times := map[string]time.Time{
		"1850": time.Date(1850, 1, 1, 0, 0, 0, 0, time.UTC), "1900": time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC),
		"2155": time.Date(2155, 12, 31, 23, 59, 59, 0, time.UTC), "2300": time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC),
		"part": time.Date(2020, 1, 1, 0, 0, 0, 999, time.UTC), "east": time.Date(2020, 1, 1, 2, 0, 0, 0, east),
		"none": {},
	}
	for name, at := range times {
		h := header(tar.TypeReg, 0o644)
		h.ModTime = at
		d.special(name, h)
	}
	times["1850"], times["2300"], times["none"] = times["1900"], times["2155"], pressed
	image := d.finish()
	tree, err := iso9660.Open(image, image.Size())
	require.NoError(t, err)
	for name, at := range times {
		info, err := tree.Lstat(name)
		require.NoError(t, err)
		assert.Equal(t, at.UTC().Truncate(time.Second), info.ModTime().UTC(), name)
	}
}

func TestSectors(t *testing.T) {
	t.Parallel()

	for size, want := range map[int64]uint16{0: 0, 1: 1, 2048: 4, 65535 * 512: 65535, 65535*512 + 1: 0, 1 << 40: 0} {
		assert.Equal(t, want, isomaster.Sectors(size), size)
	}
}

// TestCatalog has more entries than one section.
func TestCatalog(t *testing.T) {
	t.Parallel()

	v := &isomaster.Volume{ID: "A", Size: 1 << 20, CatalogBlock: 30}
	for i := range 32 {
		v.Boot = append(v.Boot, iso9660.BootEntry{
			Platform: byte(i), Bootable: i%2 == 0, Media: byte(i % 5), LoadSegment: uint16(i), Sectors: uint16(i + 5), Block: uint32(40 + i),
		})
	}
	pieces, err := isomaster.Metadata(&isomaster.Node{}, v, 100)
	require.NoError(t, err)
	image := make(sliceReader, v.Size)
	for _, p := range pieces {
		copy(image[int64(p.Block)*iso9660.BlockSize:], content(t, p))
	}
	tree, err := iso9660.Open(image, v.Size)
	require.NoError(t, err)
	catalog, err := tree.Catalog()
	require.NoError(t, err)
	assert.EqualValues(t, 30, catalog.Block)
	for i := range catalog.Entries {
		catalog.Entries[i].Offset = 0
	}
	assert.Equal(t, v.Boot, catalog.Entries)
	block, sum := image[30*iso9660.BlockSize:], uint16(0)
	for i := 0; i < 32; i += 2 {
		sum += binary.LittleEndian.Uint16(block[i:])
	}
	assert.Zero(t, sum)
	assert.Equal(t, "9091", fmt.Sprintf("%x%x", block[30*64], block[31*64]), "the last header but one, and the last")
}
