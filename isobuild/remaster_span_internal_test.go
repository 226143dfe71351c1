package isobuild

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestSpansWhenRandom compares ranges of blocks with one mark for each block.
func TestSpansWhenRandom(t *testing.T) {
	t.Parallel()
	const blocks = 60
	random := rand.New(rand.NewPCG(1, 2))
	some := func() (list []span, marks [blocks]bool) {
		for range random.IntN(8) {
			first := random.IntN(blocks)
			end := first + random.IntN(min(10, blocks-first))
			list = append(list, span{int64(first), int64(end)})
			for i := first; i < end; i++ {
				marks[i] = true
			}
		}
		return list, marks
	}
	for range 2000 {
		a, inA := some()
		b, inB := some()
		both, rest := merged(a), without(merged(a), merged(b))
		for i := range blocks {
			require.Equal(t, inA[i], contains(both, int64(i)), "%v: %d", a, i)
			require.Equal(t, inA[i] && !inB[i], contains(rest, int64(i)), "%v without %v: %d", a, b, i)
		}
		for i := 1; i < len(both); i++ {
			require.Less(t, both[i-1].end, both[i].first)
		}
	}
}

func TestGeometry(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		entry string // as in the MBR
		grown string // with twice as many sectors
	}{
		"64 heads, 32 sectors": {
			"\x80\x02\x01\x00\x00\x3f\x20\x13\x40\x00\x00\x00\xc0\x9f\x00\x00",
			"\x80\x02\x01\x00\x00\x3d\x20\x27\x40\x00\x00\x00\x80\x3f\x01\x00",
		},
		"none": {
			"\x00\xfe\xff\xff\xef\xfe\xff\xff\xfc\x00\x00\x00\x00\x20\x00\x00",
			"\x00\xfe\xff\xff\xef\xfe\xff\xff\xfc\x00\x00\x00\x00\x40\x00\x00",
		},
		"beyond the last cylinder": {
			"\x80\x00\x01\x00\x17\x3f\xe0\xff\x00\x00\x00\x00\x00\x00\x20\x00",
			"\x80\x00\x01\x00\x17\x3f\xe0\xff\x00\x00\x00\x00\x00\x00\x40\x00",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := []byte(tt.entry)
			first := int64(e[8]) | int64(e[9])<<8
			count := int64(e[12]) | int64(e[13])<<8 | int64(e[14])<<16
			setSlot(e, first, 2*count)
			assert.Equal(t, []byte(tt.grown), e)
		})
	}
}
