//go:build linux

package ext_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/golden"
)

// TestNewIsUsed has the kernel write to file systems until nothing is free, and
// delete again.
func TestNewIsUsed(t *testing.T) {
	t.Parallel()
	for name, v := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v.Size = 100 << 20
			want := odd(t)
			image := save(t, newImage(t, want, v))
			dir, unmount := mount(t, image, v, "rw,user_xattr,acl")
			fill(t, filepath.Join(dir, "full"))
			unmount()
			checkClean(t, image)
			free := regexp.MustCompile(`Free blocks: +(\d+)\n`).FindStringSubmatch(run(t, "dumpe2fs", "-h", image))
			require.NotNil(t, free)
			left, err := strconv.Atoi(free[1])
			require.NoError(t, err)
			assert.LessOrEqual(t, left, 100<<20/4096/50+8, "Linux keeps a fiftieth of ext4 for itself")

			dir, unmount = mount(t, image, v, "rw,user_xattr,acl")
			require.NoError(t, os.Remove(filepath.Join(dir, "full")))
			for i := range 700 { // Leaves of the index are split, and emptied.
				require.NoError(t, os.Mkdir(filepath.Join(dir, "large", fmt.Sprint("new ", i)), 0o700))
			}
			for i := range 700 {
				require.NoError(t, os.Remove(filepath.Join(dir, "large", fmt.Sprint("new ", i))))
			}
			require.NoError(t, os.Chtimes(dir, someTime, someTime))
			require.NoError(t, os.Chtimes(filepath.Join(dir, "large"), time.Unix(0, 0), time.Unix(0, 0)))
			sameFolder(t, want, dir)
			unmount()
			checkClean(t, image)
		})
	}
}

// fill writes a file until there is no space.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	require.NoError(t, err)
	defer f.Close()
	for block := noise(4096, 1); err == nil; {
		_, err = f.Write(block)
	}
	require.True(t, errors.Is(err, syscall.ENOSPC), "%v", err)
}

// TestNewGrows has resize2fs make a file system 64 times as large, without
// moving anything, and smaller again.
func TestNewGrows(t *testing.T) {
	t.Parallel()
	for name, v := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v.Size = 150 << 20
			want := odd(t)
			image := save(t, newImage(t, want, v))
			require.NoError(t, os.Truncate(image, 64*v.Size))
			before := run(t, "debugfs", "-R", "stat /long", image)
			run(t, "resize2fs", image)
			checkClean(t, image)
			assert.Contains(t, run(t, "dumpe2fs", "-h", image), fmt.Sprintf("Block count:              %d\n", 64*v.Size/4096))
			assert.Equal(t, before, run(t, "debugfs", "-R", "stat /long", image))
			run(t, "resize2fs", "-M", image)
			checkClean(t, image)
		})
	}
}

// TestNewForGRUB has GRUB read files, as it does when it boots.
func TestNewForGRUB(t *testing.T) {
	t.Parallel()
	for name, v := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := oddFor(t, v)
			image := save(t, newImage(t, tree, v))
			assert.Contains(t, run(t, "grub-fstest", image, "ls", "/large/"), "a file with a long name, number 2999")
			for name, size := range map[string]int{
				"/direct+1": 12*4096 + 1, "/long": 9<<20 + 77, "/empty": 0, "/abs": 70000, "/z/0": 100,
				"/large/a file with a long name, number 1234": 2, "/names/" + strings.Repeat("n", 255): 1,
			} {
				assert.Len(t, run(t, "grub-fstest", image, "cat", name), size, name)
			}
		})
	}
}

// TestNewListing pins what debugfs and dumpe2fs show.
func TestNewListing(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{
		".":          {Mode: 0o755 | os.ModeDir, ModTime: someTime},
		"run":        {Mode: 0o755 | os.ModeDir, ModTime: someTime},
		"run/socket": {Mode: os.ModeSocket | 0o600, ModTime: someTime},
		"run/pipe":   {Mode: os.ModeNamedPipe | 0o640, ModTime: someTime},
		"run/issue":  {Data: []byte("hello\n"), Mode: 0o644 | os.ModeSetgid, ModTime: someTime},
		"run/link":   {Data: []byte("issue"), Mode: os.ModeSymlink | 0o777, ModTime: someTime},
	}
	for _, version := range []int{2, 4} {
		v := volume
		v.Version, v.Size = version, 64<<20
		image := save(t, newImage(t, tree, v))
		checkClean(t, image)
		var b strings.Builder
		requests := []string{"ls -p", "ls -p /run", "stat <2>", "stat /run/issue", "stat /run/link", "stat <7>"}
		if version == 4 {
			requests = append(requests, "stat <8>", "logdump -S")
		}
		for _, request := range requests {
			fmt.Fprintf(&b, "# %s\n%s", request, run(t, "debugfs", "-R", request, image))
		}
		b.WriteString("# dumpe2fs\n" + run(t, "dumpe2fs", image))
		golden.Check(t, fmt.Sprintf("ext%d.txt", version), []byte(b.String()))
	}
}

// TestNewHashes has debugfs compute the hashes of names; e2fsck compares them
// with where names are.
func TestNewHashes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		v := volume
		copy(v.HashSeed[:], noise(16, seed))
		image := save(t, newImage(t, odd(t), v))
		checkClean(t, image)
		dump := run(t, "debugfs", "-R", "htree_dump /large", image)
		assert.Contains(t, dump, "Hash Version: 1\n")
		assert.Contains(t, dump, "Indirect levels: 0\n")
	}
}

// TestNewManyNames has directories with an index of two levels.
func TestNewManyNames(t *testing.T) {
	t.Parallel()
	for _, version := range []int{2, 4} {
		v := volume
		v.Version = version
		tree := fstest.MapFS{}
		for i := range 9000 { // Fifteen in a block.
			tree[fmt.Sprintf("many/%0250d", i)] = &fstest.MapFile{Mode: 0o644, ModTime: someTime}
		}
		image := save(t, newImage(t, tree, v))
		checkClean(t, image)
		assert.Contains(t, run(t, "debugfs", "-R", "htree_dump /many", image), "Indirect levels: 1")
		dir, _ := mount(t, image, v, "rw")
		for i := range 9000 {
			_, err := os.Lstat(filepath.Join(dir, fmt.Sprintf("many/%0250d", i)))
			require.NoError(t, err)
		}
	}
}

// TestMinSize checks that the least size is enough, and that less is not.
func TestMinSize(t *testing.T) {
	t.Parallel()
	for name, v := range kinds() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tree := odd(t)
			size, err := ext.MinSize(t.Context(), tree, v)
			require.NoError(t, err)
			v.Size = size
			image := newImage(t, tree, v)
			require.Equal(t, size, image.Size())
			checkClean(t, save(t, image))
			v.Size -= 4096
			_, err = ext.New(t.Context(), tree, v)
			require.ErrorContains(t, err, "too small for the tree: at least ")
		})
	}
}

// TestNewSpare checks that so much is free as was asked for.
func TestNewSpare(t *testing.T) {
	t.Parallel()
	for name, v := range kinds() {
		for _, spare := range []int64{1, 1 << 20, 100 << 20, 120 << 20, 1 << 30} {
			v.Size, v.Spare = 0, spare
			image := save(t, newImage(t, tree(t, file("one", []byte("1"))), v))
			checkClean(t, image)
			dir, unmount := mount(t, image, v, "rw")
			var stat syscall.Statfs_t
			require.NoError(t, syscall.Statfs(dir, &stat))
			unmount()
			assert.GreaterOrEqual(t, int64(stat.Bfree)*4096, spare, "%s %d", name, spare)
			assert.LessOrEqual(t, int64(stat.Bfree)*4096, spare+4096*700, "%s %d", name, spare)
		}
	}
}
