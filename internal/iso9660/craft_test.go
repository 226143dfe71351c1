package iso9660_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// A craft is an image that a test puts together by hand. Directories start at
// block 20.
type craft struct{ bytes []byte }

const rootBlock = 20

// newCraft returns an image of so many blocks with an empty root directory.
func newCraft(blocks int) *craft {
	c := &craft{make([]byte, blocks*iso9660.BlockSize)}
	pvd := c.block(16)
	copy(pvd, "\x01CD001\x01")
	copy(pvd[40:72], "VOLUME                          ")
	binary.LittleEndian.PutUint32(pvd[80:], uint32(blocks))
	binary.LittleEndian.PutUint16(pvd[128:], iso9660.BlockSize)
	copy(pvd[156:], dirRecord("\x00", rootBlock, iso9660.BlockSize, 2))
	copy(c.block(17), "\xffCD001\x01")
	return c
}

func (c *craft) block(n int) []byte { return c.bytes[n*iso9660.BlockSize:][:iso9660.BlockSize] }

// directory writes a directory of one block with records after its own two.
func (c *craft) directory(block int, records ...[]byte) {
	b := c.block(block)
	own := dirRecord("\x00", uint32(block), iso9660.BlockSize, 2, sp())
	up := dirRecord("\x01", uint32(block), iso9660.BlockSize, 2)
	at := copy(b, own)
	at += copy(b[at:], up)
	for _, r := range records {
		at += copy(b[at:], r)
	}
}

// long writes records into blocks that follow each other, and returns the size
// of the directory that they make.
func (c *craft) long(block int, records ...[]byte) uint32 {
	at, start := 0, block*iso9660.BlockSize
	for _, r := range records {
		if at%iso9660.BlockSize+len(r) > iso9660.BlockSize {
			at += iso9660.BlockSize - at%iso9660.BlockSize
		}
		at += copy(c.bytes[start+at:], r)
	}
	return uint32(at)
}

func (c *craft) open(opts ...iso9660.Option) (*iso9660.Image, error) {
	return iso9660.Open(bytes.NewReader(c.bytes), int64(len(c.bytes)), opts...)
}

// dirRecord returns a directory record.
func dirRecord(name string, block, size uint32, flags byte, system ...[]byte) []byte {
	b := make([]byte, 33, 255)
	binary.LittleEndian.PutUint32(b[2:], block)
	binary.LittleEndian.PutUint32(b[10:], size)
	copy(b[18:], []byte{119, 3, 4, 5, 6, 7, 0})
	b[25], b[32] = flags, byte(len(name))
	b = append(b, name...)
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	for _, s := range system {
		b = append(b, s...)
	}
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	b[0] = byte(len(b))
	return b
}

// suspEntry returns a system use entry.
func suspEntry(signature string, data ...byte) []byte {
	return append([]byte{signature[0], signature[1], byte(4 + len(data)), 1}, data...)
}

// sp returns the entry that announces SUSP, and one that Rock Ridge needs.
func sp() []byte {
	return append(suspEntry("SP", 0xbe, 0xef, 0), px(0o40755, 0)...)
}

func nm(name string) []byte { return suspEntry("NM", append([]byte{0}, name...)...) }

func px(mode, serial uint32) []byte {
	b := make([]byte, 40)
	binary.LittleEndian.PutUint32(b, mode)
	binary.LittleEndian.PutUint32(b[32:], serial)
	return suspEntry("PX", b...)
}

func sl(target string) []byte {
	return suspEntry("SL", append([]byte{0, 0, byte(len(target))}, target...)...)
}

// both returns the parts of CE and CL: numbers of which only the first half
// is read.
func both(numbers ...uint32) []byte {
	var b []byte
	for _, n := range numbers {
		b = binary.LittleEndian.AppendUint32(b, n)
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// sample returns an image of testdata.
func sample(tb testing.TB, name string) []byte {
	tb.Helper()
	f, err := os.Open("testdata/" + name + ".iso.gz")
	require.NoError(tb, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(tb, err)
	b, err := io.ReadAll(z)
	require.NoError(tb, err)
	return b
}
