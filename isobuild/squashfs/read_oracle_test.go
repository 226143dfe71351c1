package squashfs_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/treetest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// archive returns a tar of tree.
func archive(tb testing.TB, tree fs.FS) []byte {
	tb.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	require.NoError(tb, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(tb, err)
		info, err := d.Info()
		require.NoError(tb, err)
		h := info.Sys().(*tar.Header)
		require.NoError(tb, w.WriteHeader(h))
		if h.Typeflag != tar.TypeReg {
			return nil
		}
		f, err := tree.Open(name)
		require.NoError(tb, err)
		defer f.Close()
		_, err = io.Copy(w, f)
		return err
	}))
	require.NoError(tb, w.Close())
	return buf.Bytes()
}

// mksquashfs returns the image that mksquashfs makes of tree.
func mksquashfs(tb testing.TB, tree fs.FS, args ...string) string {
	tb.Helper()
	root, err := fs.Lstat(tree, ".")
	require.NoError(tb, err)
	h := root.Sys().(*tar.Header) // It does not take the root from the tar.
	args = append(args, "-root-mode", fmt.Sprintf("%o", h.Mode))
	image := filepath.Join(tb.TempDir(), "image")
	args = append([]string{"-", image, "-tar", "-no-progress", "-quiet", "-processors", "1"}, args...)
	cmd := exec.CommandContext(tb.Context(), oracle.Need(tb, "mksquashfs"), args...)
	cmd.Stdin = bytes.NewReader(archive(tb, tree))
	out, err := cmd.CombinedOutput()
	require.NoError(tb, err, "%q: %s", args, out)
	return image
}

// sameMade compares what an image of mksquashfs has with what it was made of.
// With -tar mksquashfs 4.5.1 ignores the options for owner and time of the root.
func sameMade(tb testing.TB, want, got fs.FS) {
	tb.Helper()
	w, g := list(tb, want), list(tb, got)
	root := w["."]
	root.ModTime, root.UID, root.GID = g["."].ModTime, 0, 0
	w["."] = root
	assert.Empty(tb, manifest.Diff(w, g))
}

// openFile opens the image in a file.
func openFile(tb testing.TB, name string) *squashfs.FS {
	tb.Helper()
	f, err := os.Open(name)
	require.NoError(tb, err)
	tb.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	require.NoError(tb, err)
	tree, err := squashfs.Open(f, info.Size())
	require.NoError(tb, err)
	return tree
}

// small returns a tree with files around the size of a block, and one of
// machine code.
func small(tb testing.TB, block int) fs.FS {
	tb.Helper()
	code, err := os.ReadFile(oracle.Need(tb, "mksquashfs"))
	require.NoError(tb, err)
	list := []entry{
		dir("."), file("code", code), symlink("link", "code"), link("z", "code"), device(tar.TypeBlock, "sda", 8, 0),
		file("holes", slices.Concat(make([]byte, 3*block), text(100, 9), make([]byte, 2*block+5))), file("zeros", make([]byte, 2*block)),
		file("attributes", nil).With(treetest.Xattrs("user.a", strings.Repeat("v", 5000), "security.b", "c")),
		file("others", nil).With(treetest.Xattrs("user.a", strings.Repeat("v", 5000), "trusted.b", "")),
	}
	for i, n := range []int{0, 1, 100, block - 1, block, block + 1, 2 * block, 2*block + 10, 5*block - 1} {
		list = append(list, file(fmt.Sprintf("text/%d", n), text(n, uint64(i))), file(fmt.Sprintf("noise/%d", n), noise(n, uint64(i))))
	}
	for i := range 700 {
		list = append(list, file(fmt.Sprintf("many/%d", i), text(i%50, uint64(i))))
	}
	return tree(tb, list...)
}

// TestOpenForMksquashfs reads images with all options of mksquashfs that
// change the format.
func TestOpenForMksquashfs(t *testing.T) {
	t.Parallel()

	const x86 = "-comp xz -Xbcj x86,arm,armthumb,powerpc,sparc"
	for _, args := range []string{
		"-comp lz4", "-comp zstd -Xcompression-level 22", x86, "-b 4K", "-b 1M", "-b 4K -comp lz4 -Xhc", "-b 1M -comp xz",
		"-Xwindow-size 8 -Xcompression-level 1",
		"-no-fragments", "-always-use-fragments", "-tailends -b 8K", "-no-duplicates", "-no-sparse",
		"-noI", "-noId", "-noD", "-noF", "-noX", "-noI -noId -noD -noF -noX", "-exports", "-no-exports",
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			want := small(t, 16<<10)
			args := append([]string{"-b", "16K"}, strings.Fields(args)...) // The last one counts.
			sameMade(t, want, openFile(t, mksquashfs(t, want, args...)))
		})
	}
}

// TestOpenForMksquashfsAll reads a tree with everything odd, packed in all
// ways, with all sizes of blocks.
func TestOpenForMksquashfsAll(t *testing.T) {
	t.Parallel()
	oracle.All(t)

	want := odd(t)
	for _, packing := range []string{"gzip", "lz4", "zstd -Xcompression-level 6", "xz -Xbcj x86"} {
		for size := 4; size <= 1024; size *= 2 {
			t.Run(fmt.Sprint(packing, size), func(t *testing.T) {
				args := append(strings.Fields("-comp "+packing), "-b", fmt.Sprint(size, "K"))
				sameMade(t, want, openFile(t, mksquashfs(t, want, args...)))
			})
		}
	}
}

// TestOpenForUnsquashfs compares with what unsquashfs extracts.
func TestOpenForUnsquashfs(t *testing.T) {
	t.Parallel()
	oracle.Root(t) // Else the owners are lost.

	image := mksquashfs(t, odd(t), "-comp", "lz4")
	out := filepath.Join(t.TempDir(), "out")
	run(t, oracle.Need(t, "unsquashfs"), "-no-progress", "-processors", "1", "-d", out, image)
	sameTree(t, folder(t, out), openFile(t, image))
}

// TestOpenForUnsquashfsListing compares with what unsquashfs lists.
func TestOpenForUnsquashfsListing(t *testing.T) {
	t.Parallel()

	image := mksquashfs(t, small(t, 4<<10), "-b", "4K")
	list := run(t, oracle.Need(t, "unsquashfs"), "-UTC", "-lln", image)
	lines := regexp.MustCompile(`(?m)^(\S+) (\d+/\d+) +(.*) (\S+ \S+) squashfs-root/?(.*)$`).FindAllStringSubmatch(list, -1)
	require.Greater(t, len(lines), 700)
	var i int
	tree := openFile(t, image)
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		want := lines[i]
		i++
		info, err := d.Info()
		require.NoError(t, err)
		h := info.Sys().(*tar.Header)
		if name == "." {
			name = ""
		}
		switch info.Mode().Type() {
		case fs.ModeSymlink:
			name += " -> " + h.Linkname
		case 0:
			assert.Equal(t, want[3], fmt.Sprint(info.Size()), name)
		case fs.ModeDevice:
			assert.Equal(t, want[3], fmt.Sprintf("%d,%3d", h.Devmajor, h.Devminor), name)
		}
		assert.Equal(t, want[5], name)
		assert.Equal(t, want[2], fmt.Sprintf("%d/%d", h.Uid, h.Gid), name)
		assert.Equal(t, want[4], info.ModTime().UTC().Format("2006-01-02 15:04"), name)
		assert.Equal(t, want[1][1:], info.Mode().Perm().String()[1:], name)
		return nil
	}))
	assert.Len(t, lines, i)
}

// TestOpenLarge reads a file of 5 GiB, most of which is a hole, and 100000
// small ones.
func TestOpenLarge(t *testing.T) {
	t.Parallel()
	oracle.All(t)
	program, dir := oracle.Need(t, "mksquashfs"), t.TempDir()

	name := filepath.Join(dir, "sparse")
	f, err := os.Create(name)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(5<<30))
	for at, what := range map[int64]string{0: "start", 4<<30 - 2: "four", 5<<30 - 3: "end"} {
		_, err := f.WriteAt([]byte(what)[:min(len(what), int(5<<30-at))], at)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	require.NoError(t, os.Mkdir(filepath.Join(dir, "many"), 0o755))
	for i := range 100_000 {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "many", fmt.Sprint(i)), []byte(fmt.Sprint(i)), 0o644))
	}
	image := filepath.Join(t.TempDir(), "image")
	run(t, program, dir, image, "-no-progress", "-quiet", "-processors", "1", "-comp", "lz4", "-b", "4K")
	sameTree(t, folder(t, dir), openFile(t, image))
}
