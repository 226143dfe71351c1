package ext_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// ones is content that is all data.
type ones struct{}

func (ones) ReadAt(p []byte, _ int64) (int, error) {
	for i := range p {
		p[i] = 0x55
	}
	return len(p), nil
}

// freeBytes returns how many bytes the superblock says are free.
func freeBytes(tb testing.TB, image *mosaic.Image) int64 {
	tb.Helper()
	b := make([]byte, 4)
	_, err := image.ReadAt(b, 1024+0xC)
	require.NoError(tb, err)
	return int64(binary.LittleEndian.Uint32(b)) * 4096
}

// TestNewAtSteps takes trees whose least volume is around a size from which on the
// journal is larger: what holds a tree does so in any larger size.
func TestNewAtSteps(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for _, spare := range []int64{0, 300_000} {
		for _, step := range []struct{ at, journal int64 }{{8, 4}, {128, 12}, {1024, 16}} {
			t.Run(fmt.Sprintf("%d MiB, spare %d", step.at, spare), func(t *testing.T) {
				t.Parallel()
				v := volume
				v.Spare = spare
				for need := -step.at*mib/32 - 2*mib; need < 2*mib; need += mib / 8 {
					content := mosaic.New()
					content.Add(0, ones{}, step.at*mib+need)
					tree := imageFS{"data": content}
					least, err := ext.MinSize(t.Context(), tree, v)
					require.NoError(t, err)
					assert.GreaterOrEqual(t, least, content.Size()+spare)
					sized := v
					for _, more := range []int64{0, 4096, 5 * 4096, -least & (mib - 1), mib, 2 * mib, step.journal * mib, (step.journal + 2) * mib} {
						sized.Size = least + more
						image, err := ext.New(t.Context(), tree, sized)
						require.NoError(t, err, "least %d and %d more", least, more)
						require.GreaterOrEqual(t, freeBytes(t, image), spare, "least %d and %d more", least, more)
					}
					sized.Size = least - 4096
					_, err = ext.New(t.Context(), tree, sized)
					require.ErrorContains(t, err, "too small for the tree")
				}
			})
		}
	}
}

// TestNewWhenTablesGrow goes through sizes at which the tables of inodes get
// larger in all groups at once, so that less stays free than before.
func TestNewWhenTablesGrow(t *testing.T) {
	t.Parallel()
	v := volume
	v.Version = 2
	for more := int64(24800); more < 25000; more += 25 {
		content := mosaic.New()
		content.Add(0, ones{}, 32<<30+more*4096)
		tree := imageFS{"data": content}
		v.Size = 0
		least, err := ext.MinSize(t.Context(), tree, v)
		require.NoError(t, err)
		v.Size = least + 100*4096
		_, err = ext.New(t.Context(), tree, v)
		require.NoError(t, err, "least %d", least)
	}
}
