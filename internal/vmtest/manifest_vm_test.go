//go:build linux

package vmtest_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// oddTree makes a folder with one of everything.
func oddTree(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "tree")
	require.NoError(t, os.MkdirAll(filepath.Join(root, "sub/deep"), 0o755))
	write := func(name, data string, mode os.FileMode) {
		file := filepath.Join(root, name)
		require.NoError(t, os.WriteFile(file, []byte(data), 0o600))
		require.NoError(t, os.Chmod(file, mode))
	}
	write("empty", "", 0o644)
	write("sub/data", strings.Repeat("0123456789", 12345), 0o640)
	write("setuid", "x", 0o755|os.ModeSetuid)
	write("sub/deep/ümläut-"+strings.Repeat("n", 200), "long", 0o444)
	require.NoError(t, os.Link(filepath.Join(root, "sub/data"), filepath.Join(root, "another")))
	require.NoError(t, os.Symlink(strings.Repeat("../tttttttttttttttt/", 20)+"end", filepath.Join(root, "sub/link")))
	require.NoError(t, unix.Mknod(filepath.Join(root, "device"), unix.S_IFCHR|0o600, int(unix.Mkdev(7, 30))))
	require.NoError(t, unix.Mkfifo(filepath.Join(root, "fifo"), 0o600))
	require.NoError(t, os.Lchown(filepath.Join(root, "empty"), 1000, 2000))
	require.NoError(t, unix.Lsetxattr(filepath.Join(root, "empty"), "trusted.netbootkit", []byte("a\x00b"), 0))
	at := unix.NsecToTimespec(time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC).UnixNano())
	require.NoError(t, filepath.Walk(root, func(file string, _ os.FileInfo, err error) error {
		require.NoError(t, err)
		return unix.UtimesNanoAt(unix.AT_FDCWD, file, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
	}))
	return root
}

// run runs a program in a folder.
func run(t *testing.T, dir, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), oracle.Need(t, name), args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
}

// TestManifests lists images that others made, one of them in another, and one
// that does not begin at the start of its file.
func TestManifests(t *testing.T) {
	t.Parallel()

	oracle.Root(t)
	root := oddTree(t)
	dir := filepath.Dir(root)
	want, err := manifest.Dir(root)
	require.NoError(t, err)

	require.NoError(t, os.Mkdir(filepath.Join(dir, "outer"), 0o755))
	run(t, dir, "mksquashfs", "tree", "outer/inner.squashfs", "-noappend", "-quiet", "-no-progress")
	run(t, dir, "xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", "outer.iso", "outer")
	run(t, dir, "xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", "tree.iso", "tree")
	iso, err := os.ReadFile(filepath.Join(dir, "tree.iso"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "shifted.iso"), append(make([]byte, 65536), iso...), 0o600))

	outer := vmtest.Mount{Image: filepath.Join(dir, "outer.iso"), Type: "iso9660"}
	results := vmtest.ManifestsT(
		t,
		vmtest.Mount{Image: "inner.squashfs", Type: "squashfs", In: &outer},
		vmtest.Mount{Image: filepath.Join(dir, "shifted.iso"), Type: "iso9660", Offset: 65536},
		vmtest.Mount{Image: filepath.Join(dir, "tree.iso"), Type: "iso9660", Options: "norock"},
	)
	assert.Empty(t, manifest.Diff(want, results[0].Manifest))
	rockRidge := func(_ string, e *manifest.Entry) { e.Xattrs, e.Links, e.Same = nil, 0, "" }
	assert.Empty(t, manifest.Diff(want.Edit(rockRidge), results[1].Manifest.Edit(rockRidge)))
	assert.Equal(t, want["sub/data"].Sum, results[2].Manifest["sub/data"].Sum)
	assert.Equal(t, 0o555|fs.ModeDir, results[2].Manifest["sub"].Mode, "only Rock Ridge has modes")
	for _, r := range results {
		assert.Empty(t, r.Log)
	}
}

// TestManifestsWhenNotMounted names the image and has what the kernel says.
func TestManifestsWhenNotMounted(t *testing.T) {
	t.Parallel()

	oracle.Need(t, "qemu-system-x86_64")
	file := filepath.Join(t.TempDir(), "zeros, all of them")
	require.NoError(t, os.WriteFile(file, make([]byte, 1<<20), 0o600))
	_, err := vmtest.Manifests(t.Context(), vmtest.Mount{Image: file, Type: "iso9660"})
	require.ErrorContains(t, err, file+`: mount -t iso9660 -o "": invalid argument`)
}
