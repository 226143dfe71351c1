package fat_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/fat"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestNewLargeVolumes has volumes whose clusters are as large as they get. Their
// images are holes for the most part.
func TestNewLargeVolumes(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"EFI/BOOT/BOOTX64.EFI": file(pattern(100_000, 1))}
	for gib, cluster := range map[int64]int{2: 4, 8: 4, 9: 8, 17: 16, 40: 32, 300: 32} {
		t.Run(fmt.Sprint(gib), func(t *testing.T) {
			t.Parallel()
			if gib > 40 {
				oracle.All(t)
			}
			image := newImage(t, tree, fat.Volume{Size: gib << 30})
			b := make([]byte, 1)
			_, err := image.ReadAt(b, 13)
			require.NoError(t, err)
			assert.Equal(t, cluster, int(b[0])/2, "KiB in a cluster")
			name := save(t, image)
			checkClean(t, name)
			checkContents(t, name, tree)
		})
	}
}

// TestNewLargestFile has a file of 4 GiB less one byte before another. It is not
// for fsck.fat 4.2, which takes 4 GiB of clusters for none.
func TestNewLargestFile(t *testing.T) {
	t.Parallel()
	oracle.All(t)
	dir, out := t.TempDir(), t.TempDir()
	large, err := os.Create(filepath.Join(dir, "large"))
	require.NoError(t, err)
	_, err = large.WriteAt([]byte("end"), 1<<32-1-3)
	require.NoError(t, err)
	require.NoError(t, large.Close())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "next"), []byte("the next file"), 0o644))
	image := save(t, newImage(t, os.DirFS(dir), fat.Volume{}))
	run(t, oracle.Need(t, "mcopy"), "-i", image, "-n", "::large", "::next", out)
	run(t, oracle.Need(t, "cmp"), filepath.Join(dir, "large"), filepath.Join(out, "large"))
	run(t, oracle.Need(t, "cmp"), filepath.Join(dir, "next"), filepath.Join(out, "next"))
}

// TestNewManyFiles has a directory that is as long as a directory may be, and
// directories of many levels.
func TestNewManyFiles(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{}
	for i := range 20000 {
		tree[fmt.Sprintf("many/file number %d", i)] = file([]byte{byte(i)})
	}
	tree[strings.Repeat("d/", 100)+"f"] = file([]byte("deep"))
	name := save(t, newImage(t, tree, fat.Volume{}))
	checkClean(t, name)
	if testing.Short() {
		return
	}
	listing := run(t, oracle.Need(t, "mdir"), "-i", name, "-b", "::/many")
	assert.Equal(t, 20000, strings.Count(listing, "\n"))
}
