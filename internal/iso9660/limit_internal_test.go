package iso9660

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestScanLimits reads a tree with what its limits allow, and with one more.
// The scan starts as if it had already met most of that: an image that brings
// all of it would be of gigabytes, or of millions of entries.
func TestScanLimits(t *testing.T) {
	t.Parallel()

	file := plainRecord("F", 9, 1, 0, nil)
	area := make([]byte, 28)
	copy(area, "CE\x1c\x01")
	binary.LittleEndian.PutUint32(area[4:], 2)
	binary.LittleEndian.PutUint32(area[20:], 10)
	for name, tt := range map[string]struct {
		scan    scan   // as it starts, with room for what within is
		records []byte // the root directory's
		more    []byte // goes beyond the limit
		want    string
	}{
		"entries": {
			scan{names: Plain, entries: maxEntries - 1},
			file, file,
			"more than 2097152 entries",
		},
		"names": {
			scan{names: Plain, weight: maxWeight - 1},
			file, file,
			"names and links take more than 268435456 bytes",
		},
		"records of directories": {
			scan{names: Plain, total: maxDirectories - 2*BlockSize},
			plainRecord("D", 1, BlockSize, flagDirectory, nil), plainRecord("E", 2, 1, flagDirectory, nil),
			"all directories have more than 1073741824 bytes of records",
		},
		"extents": {
			scan{names: Plain, extents: maxAllExtents - 1},
			append(plainRecord("F", 4, 1, flagMore, nil), plainRecord("F", 7, 1, 0, nil)...),
			append(plainRecord("G", 4, 1, flagMore, nil), plainRecord("G", 7, 1, 0, nil)...),
			"all files have more than 1048576 extents",
		},
		"continuation areas": {
			scan{names: RockRidge, continued: maxContinued - 10},
			plainRecord("F", 9, 1, 0, area), plainRecord("G", 9, 1, 0, area),
			"continuation at block 2: all continuation areas have more than 268435456 bytes",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			read := func(records ...[]byte) (*node, error) {
				s, image := tt.scan, make([]byte, 3*BlockSize)
				copy(image, bytes.Join(records, nil))
				s.r, s.size = bytes.NewReader(image), int64(len(image))
				return s.tree(record{size: BlockSize, date: make([]byte, 7)})
			}
			root, err := read(tt.records)
			require.NoError(t, err)
			assert.Len(t, root.entries, 1)
			_, err = read(tt.records, tt.more)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// plainRecord returns a directory record (ECMA-119 §9.1) whose name has one
// byte.
func plainRecord(name string, block, size uint32, flags byte, system []byte) []byte {
	b := make([]byte, recordFixed)
	b[0], b[25], b[32] = byte(recordFixed+1+len(system)), flags, 1
	binary.LittleEndian.PutUint32(b[2:], block)
	binary.LittleEndian.PutUint32(b[10:], size)
	return append(append(b, name...), system...)
}
