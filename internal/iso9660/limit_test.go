package iso9660_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// limitBlock is where what TestOpenLimits puts into an image starts.
const limitBlock = 30

// TestOpenLimits opens images that have as much of something as they may, and
// images that have one more. Limits that only a gigantic image would reach are in
// TestScanLimits.
func TestOpenLimits(t *testing.T) {
	t.Parallel()

	ce := func(block, off, size int) []byte {
		return suspEntry("CE", both(uint32(block), uint32(off), uint32(size))...)
	}
	for name, tt := range map[string]struct {
		fill  func(c *craft, n int)
		limit int
		want  string // of the error for one more
	}{
		"descriptors": {func(c *craft, n int) {
			c.directory(99)
			copy(c.block(16)[156:], dirRecord("\x00", 99, iso9660.BlockSize, 2))
			for i := 17; i < 16+n; i++ {
				copy(c.block(i), "\x03CD001\x01")
			}
			c.block(16 + n - 1)[0] = 255
		}, 64, "no end after 64 descriptors"},
		"bytes of a path": {func(c *craft, n int) {
			block, long := rootBlock, strings.Repeat("n", 200)
			for ; n > len(long)+1; n -= len(long) + 1 {
				next := block + 10
				c.directory(block, dirRecord("D", uint32(next), iso9660.BlockSize, 2, nm(long)))
				block = next
			}
			c.directory(block, dirRecord("F", 1, 1, 0, nm(long[:n-1])))
		}, 4096, "path of 4097 bytes is longer than 4096"},
		"bytes of a name": {func(c *craft, n int) {
			copy(c.block(limitBlock), nm(strings.Repeat("n", n-100)))
			part := suspEntry("NM", append([]byte{1}, strings.Repeat("n", 100)...)...)
			c.directory(rootBlock, dirRecord("X", 1, 1, 0, part, ce(limitBlock, 0, 5+n-100)))
		}, 255, "NM: name of more than 255 bytes"},
		"bytes of a name of Joliet": {func(c *craft, n int) {
			copy(c.block(17), "\x02CD001\x01")
			copy(c.block(17)[88:], "%/E")
			copy(c.block(17)[156:], dirRecord("\x00", limitBlock, iso9660.BlockSize, 2))
			copy(c.block(18), "\xffCD001\x01")
			clear(c.block(rootBlock)) // or else there were Rock Ridge
			wide := strings.Repeat("\xff\x01", n/3) + strings.Repeat("\x00n", n%3)
			copy(c.block(limitBlock), dirRecord(wide, 1, 1, 0))
		}, 255, "name of 256 bytes is longer than 255"},
		"bytes of a link's target": {func(c *craft, n int) {
			size := 0
			for ; n > 0; n -= min(n, 200) {
				part := append([]byte{0, 1, byte(min(n, 200))}, strings.Repeat("t", min(n, 200))...)
				size += copy(c.bytes[limitBlock*iso9660.BlockSize+size:], suspEntry("SL", part...))
			}
			c.directory(rootBlock, dirRecord("X", 1, 1, 0, nm("x"), px(0o120777, 0), ce(limitBlock, 0, size)))
		}, 4096, "SL: target of more than 4096 bytes"},
		"bytes of a continuation area": {func(c *craft, n int) {
			c.directory(rootBlock, dirRecord("X", 1, 1, 0, nm("x"), ce(limitBlock, 0, n)))
		}, 32 << 10, "32769 bytes at offset 0, want at most 32768"},
		"offset of a continuation area": {func(c *craft, n int) {
			c.directory(rootBlock, dirRecord("X", 1, 1, 0, nm("x"), ce(limitBlock, n, 32<<10)))
		}, 32 << 10, "32768 bytes at offset 32769, want at most 32768"},
		"continuation areas of a record": {func(c *craft, n int) {
			for i := range n - 1 {
				copy(c.block(limitBlock+i), ce(limitBlock+i+1, 0, 28))
			}
			c.directory(rootBlock, dirRecord("X", 1, 1, 0, nm("x"), ce(limitBlock, 0, 28)))
		}, 100, "more than 100 continuation areas"},
		"extents of a file": {func(c *craft, n int) {
			records := make([][]byte, n)
			for i := range records {
				records[i] = dirRecord("X", uint32(2*i), iso9660.BlockSize, 0x80)
			}
			records[n-1] = dirRecord("X", uint32(2*n), 1, 0)
			c.directory(rootBlock, dirRecord("D", limitBlock, c.long(limitBlock, records...), 2, nm("d")))
		}, 8192, `directory /"d": record at offset 279616: file "X" has more than 8192 extents`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := newCraft(300)
			c.directory(rootBlock)
			tt.fill(c, tt.limit)
			_, err := c.open()
			require.NoError(t, err)
			tt.fill(c, tt.limit+1)
			_, err = c.open()
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// TestFollowedLinks opens a file behind as many links as may be followed, and
// behind one more.
func TestFollowedLinks(t *testing.T) {
	t.Parallel()

	c, records := newCraft(40), [][]byte{dirRecord("F", 1, 0, 0, nm("0"))}
	for i := range 41 {
		records = append(records, dirRecord("L", 1, 0, 0, nm(fmt.Sprint(i+1)), px(0o120777, 0), sl(fmt.Sprint(i))))
	}
	c.directory(rootBlock, dirRecord("D", limitBlock, c.long(limitBlock, records...), 2, nm("d")))
	im, err := c.open()
	require.NoError(t, err)
	b, err := fs.ReadFile(im, "d/40")
	require.NoError(t, err)
	assert.Empty(t, b)
	_, err = im.Open("d/41")
	require.ErrorContains(t, err, "too many symbolic links")
}
