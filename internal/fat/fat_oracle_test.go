package fat_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/fat"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// run returns what a program prints, which must be content.
func run(tb testing.TB, program string, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), program, args...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C.UTF-8")
	out, err := cmd.CombinedOutput()
	require.NoError(tb, err, "%s %q: %s", program, args, out)
	return string(out)
}

// save writes image to a file whose holes are holes.
func save(tb testing.TB, image *mosaic.Image) (name string) {
	tb.Helper()
	name = filepath.Join(tb.TempDir(), "fat.img")
	f, err := os.Create(name)
	require.NoError(tb, err)
	defer f.Close()
	require.NoError(tb, image.CopyAt(tb.Context(), f))
	return name
}

// checkClean lets fsck.vfat judge the volume, and mdir list it.
func checkClean(tb testing.TB, name string) {
	tb.Helper()
	fsck := run(tb, oracle.Need(tb, "fsck.vfat"), "-n", "-v", name)
	for _, word := range []string{"ifferen", "rror", "orrect", "Bad", "bad", "uto", "ew label", "rphan", "eclaim", "hared", "onsider"} {
		assert.NotContains(tb, fsck, word)
	}
	run(tb, oracle.Need(tb, "mdir"), "-i", name, "-/", "-a", "::")
}

// checkContents compares what mcopy takes out of the volume with tree.
func checkContents(tb testing.TB, name string, tree fs.FS) {
	tb.Helper()
	dir := tb.TempDir()
	run(tb, oracle.Need(tb, "mcopy"), "-i", name, "-s", "-p", "-m", "-Q", "-n", "::", dir)
	checkSame(tb, tree, os.DirFS(dir))
}

// checkSame compares names, contents and times of files.
func checkSame(tb testing.TB, want, got fs.FS) {
	tb.Helper()
	inWant, inGot := names(tb, want), names(tb, got)
	require.True(tb, slices.Equal(inWant, inGot), "only in one of both: %q", onlyInOne(inWant, inGot))
	err := fs.WalkDir(want, ".", func(path string, _ fs.DirEntry, err error) error {
		require.NoError(tb, err)
		info, err := fs.Stat(want, path)
		require.NoError(tb, err)
		if info.IsDir() {
			return nil
		}
		copied, err := fs.Stat(got, path)
		require.NoError(tb, err)
		assert.Equal(tb, info.ModTime().Unix(), copied.ModTime().Unix(), "time of %s", path)
		content, err := fs.ReadFile(want, path)
		require.NoError(tb, err)
		read, err := fs.ReadFile(got, path)
		require.NoError(tb, err)
		assert.True(tb, bytes.Equal(content, read), "%s differs", path)
		return nil
	})
	require.NoError(tb, err)
}

// onlyInOne returns what is not in both lists.
func onlyInOne(a, b []string) []string {
	a, b = slices.Clone(a), slices.Clone(b)
	both := func(name string) bool { return slices.Contains(b, name) }
	rest := slices.DeleteFunc(slices.Clone(a), both)
	return append(rest, slices.DeleteFunc(b, func(name string) bool { return slices.Contains(a, name) })...)
}

// names returns all paths of tree.
func names(tb testing.TB, tree fs.FS) (paths []string) {
	tb.Helper()
	require.NoError(tb, fs.WalkDir(tree, ".", func(path string, _ fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	}))
	return paths
}

// odd is a tree with everything that FAT can carry and that is easily wrong.
func odd() fstest.MapFS {
	tree := fstest.MapFS{
		"EFI/BOOT/BOOTX64.EFI":            file(pattern(100_000, 1)),
		"EFI/BOOT/grub.cfg":               file([]byte("set prefix\n")),
		"EFI/BOOT/empty":                  file(nil),
		"one cluster":                     file(pattern(2048, 2)),
		"two clusters":                    file(pattern(4096, 3)),
		"one byte more":                   file(pattern(2049, 4)),
		".bashrc":                         file([]byte("dot")),
		".a.b":                            file([]byte("dots")),
		"..data":                          file([]byte("two dots")),
		"ARCHIVE.TAR.GZ":                  file([]byte("dot in the middle")),
		"a+b,c;d=e[f].txt":                file([]byte("signs")),
		"plain name with spaces.text":     file([]byte("spaces")),
		" leading space":                  file([]byte("leading")),
		"Grüße aus Köln.txt":              file([]byte("umlauts")),
		"日本語のファイル名":                       file([]byte("japanese")),
		"ı.txt":                           file([]byte("dotless")),
		"~1":                              file([]byte("tail")),
		"longna~1.txt":                    file([]byte("a name like a made one")),
		"long name one.txt":               file([]byte("1")),
		"long name two.txt":               file([]byte("2")),
		"long name three.txt":             file([]byte("3")),
		strings.Repeat("n", 255):          file([]byte("255 units")),
		strings.Repeat("x", 13):           file([]byte("13 units")),
		strings.Repeat("y", 26):           file([]byte("26 units")),
		"empty directory/sub":             {Mode: fs.ModeDir | 0o755, ModTime: someTime},
		strings.Repeat("deep/", 20) + "f": file([]byte("deep")),
	}
	for i := range 120 { // Twelve names need ~10, and a hundred and twenty ~100.
		tree[fmt.Sprintf("many/alike and long %d.conf", i)] = file([]byte{byte(i)})
	}
	return tree
}

func TestNewOdd(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{0, 12, 16, 32} {
		t.Run(fmt.Sprint(bits), func(t *testing.T) {
			t.Parallel()
			tree := odd()
			name := save(t, newImage(t, tree, fat.Volume{Label: "EFI_LIVE", Serial: 0x1234ABCD, Bits: bits, Time: someTime}))
			checkClean(t, name)
			checkContents(t, name, tree)
		})
	}
}
