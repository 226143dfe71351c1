package fat_test

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/fat"
)

// TestNewAtSteps takes trees whose least volume is around a size from which on
// another kind is used: what holds a tree does so in any larger size.
func TestNewAtSteps(t *testing.T) {
	t.Parallel()
	const kib, mib = 1 << 10, 1 << 20
	for _, test := range []struct {
		files    int
		from, to int64 // bytes of each
		step     int64
		most     int64 // bytes above the least size
	}{
		{1, 7900 * kib, 8300 * kib, 5 * kib, 3 * mib},
		{2600, 2000, 3500, 99, 3 * mib},
		{1, 500 * mib, 516 * mib, 444 * kib, 10 * mib},
		{1, 524124 * kib, 524124*kib + 1, 1, 10 * mib},
		{150, 4 * mib * 5 / 6, 4 * mib * 11 / 12, 9999, 10 * mib},
	} {
		t.Run(fmt.Sprintf("%d of %d bytes", test.files, test.from), func(t *testing.T) {
			t.Parallel()
			tree := sized{fstest.MapFS{}, 0}
			for i := range test.files {
				tree.MapFS[fmt.Sprintf("dir/%d", i)] = file(nil)
			}
			for tree.size = test.from; tree.size < test.to; tree.size += test.step {
				least := newImage(t, tree, fat.Volume{}).Size()
				for more := int64(0); more < test.most; more += (36*kib + more/7) &^ 511 {
					image := newImage(t, tree, fat.Volume{Size: least + more})
					require.Equal(t, least+more, image.Size(), "files of %d bytes", tree.size)
				}
			}
		})
	}
}
