package ext_test

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

func TestNewSizes(t *testing.T) {
	t.Parallel()
	for _, version := range []int{2, 4} {
		for _, mib := range []int64{1, 7, 8, 9, 64, 127, 128, 129, 131, 256, 385, 1024, 4096, 16384, 65536} {
			t.Run(fmt.Sprintf("ext%d %d MiB", version, mib), func(t *testing.T) {
				t.Parallel()
				if mib > 16384 {
					oracle.All(t)
				}
				v := volume
				v.Version, v.Size = version, mib<<20
				checkClean(t, save(t, newImage(t, tree(t, file("etc/issue", noise(300000, 1))), v)))
			})
		}
	}
}

// TestNewBorders takes sizes around those where a group begins, and odd numbers
// of bytes.
func TestNewBorders(t *testing.T) {
	t.Parallel()
	step := int64(97)
	if testing.Short() {
		step = 800
	}
	content := tree(t, file("etc/issue", noise(300000, 1)))
	for _, version := range []int{2, 4} {
		for _, groups := range []int64{1, 3, 17} {
			t.Run(fmt.Sprintf("ext%d %d groups", version, groups), func(t *testing.T) {
				t.Parallel()
				if groups > 1 {
					oracle.All(t)
				}
				for blocks := groups*32768 - 60; blocks < groups*32768+1600; blocks += step {
					v := volume
					v.Version, v.Size = version, blocks*4096+blocks%7*512
					image := newImage(t, content, v)
					require.Equal(t, v.Size, image.Size())
					checkClean(t, save(t, image))
				}
			})
		}
	}
}

// TestNewAtStepsIsClean takes what fits in a volume only with the journal, or
// with the blocks, of a smaller one.
func TestNewAtStepsIsClean(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ content, more int64 }{
		{7500 << 10, 4 << 20}, {7 << 20, 1 << 20}, {121 << 20, 7 << 20}, {121 << 20, 10 << 20}, {900 << 20, 60 * 4096},
	} {
		v := volume
		content := mosaic.New()
		content.Add(0, ones{}, test.content)
		tree := imageFS{"data": content}
		least, err := ext.MinSize(t.Context(), tree, v)
		require.NoError(t, err)
		v.Size = least + test.more
		checkClean(t, save(t, newImage(t, tree, v)))
	}
}

// TestNewManyFiles has as many inodes as a group can hold, in several groups,
// and more directories in one than its count of links can say.
func TestNewManyFiles(t *testing.T) {
	t.Parallel()
	oracle.All(t)
	for _, version := range []int{2, 4} {
		v := volume
		v.Version = version
		files := countFS{600000, 100, imageInfo{"", 0, 0o644}}
		checkClean(t, save(t, newImage(t, files, v)))
	}
	folders := countFS{66000, 66000, imageInfo{"", 0, fs.ModeDir | 0o755}}
	checkClean(t, save(t, newImage(t, folders, volume)))
	_, err := ext.New(t.Context(), folders, ext.Volume{Version: 2})
	require.ErrorContains(t, err, "ext: entry 0000000: has more than 64998 directories")
}
