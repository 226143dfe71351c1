package squashfs_test

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// kinds are the images that readers must understand.
func kinds() map[string][]squashfs.Option {
	return map[string][]squashfs.Option{
		"default":   nil,
		"gzip 9 4k": {squashfs.WithCompression(squashfs.Gzip), squashfs.WithLevel(9), squashfs.WithBlockSize(4 << 10)},
	}
}

// more are images that do not differ much from kinds.
func more() map[string][]squashfs.Option {
	return map[string][]squashfs.Option{
		"gzip":      {squashfs.WithCompression(squashfs.Gzip)},
		"gzip 1":    {squashfs.WithCompression(squashfs.Gzip), squashfs.WithLevel(1), squashfs.WithBlockSize(128 << 10)},
		"zstd 1 4k": {squashfs.WithLevel(1), squashfs.WithBlockSize(4 << 10)},
		"zstd 3":    {squashfs.WithLevel(3), squashfs.WithBlockSize(128 << 10)},
		"zstd 15":   {squashfs.WithLevel(15)},
	}
}

// slow are images that take long to write.
func slow() map[string][]squashfs.Option {
	return map[string][]squashfs.Option{
		"xz":     {squashfs.WithCompression(squashfs.XZ)},
		"xz 32k": {squashfs.WithCompression(squashfs.XZ), squashfs.WithBlockSize(32 << 10)},
	}
}

// save writes an image to a file.
func save(tb testing.TB, image []byte) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "image")
	require.NoError(tb, os.WriteFile(name, image, 0o600))
	return name
}

// run runs a program, which must say nothing on standard error.
func run(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), name, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(tb, err, "%s %q: %s", name, args, &stderr)
	assert.Empty(tb, stderr.String(), "%s %q", name, args)
	return string(out)
}

func TestWriteForUnsquashfs(t *testing.T) {
	t.Parallel()
	oracle.Root(t) // Else the owners are lost.
	unsquashfs := oracle.Need(t, "unsquashfs")

	read := func(t *testing.T, image string) fs.FS {
		t.Helper()
		out := filepath.Join(t.TempDir(), "out")
		run(t, unsquashfs, "-no-progress", "-processors", "1", "-d", out, image)
		return folder(t, out)
	}
	readAll(t, read)
}

// readAll has read read images of all kinds.
func readAll(t *testing.T, read func(t *testing.T, image string) fs.FS) {
	t.Helper()
	test := func(t *testing.T, want fs.FS, kinds map[string][]squashfs.Option) {
		t.Helper()
		for name, opts := range kinds {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				sameTree(t, want, read(t, save(t, write(t, want, opts...))))
			})
		}
	}
	test(t, odd(t), kinds())
	test(t, plain(t), slow())
	t.Run("more", func(t *testing.T) {
		t.Parallel()
		oracle.All(t)
		test(t, odd(t), more())
	})
}

// mount has the kernel mount an image.
func mount(t *testing.T, image string) fs.FS {
	t.Helper()
	oracle.Root(t)
	program, dir := oracle.Need(t, "mount"), t.TempDir()
	run(t, program, "-t", "squashfs", "-o", "loop,ro", image, dir)
	t.Cleanup(func() { assert.NoError(t, exec.Command("umount", dir).Run()) })
	return folder(t, dir)
}

func TestWriteForKernel(t *testing.T) {
	t.Parallel()
	readAll(t, mount)
}

// TestWriteSpecial writes a tree whose entries say nothing but their mode.
func TestWriteSpecial(t *testing.T) {
	t.Parallel()
	unsquashfs := oracle.Need(t, "unsquashfs")

	tree := fstest.MapFS{
		"run/socket": {Mode: fs.ModeSocket | 0o600, ModTime: someTime},
		"run/pipe":   {Mode: fs.ModeNamedPipe | 0o640, ModTime: someTime},
		"etc/issue":  {Data: []byte("hello\n"), Mode: 0o644 | fs.ModeSetgid, ModTime: someTime},
		"etc/link":   {Data: []byte("issue"), Mode: fs.ModeSymlink | 0o777, ModTime: someTime},
	}
	got := run(t, unsquashfs, "-UTC", "-lln", save(t, write(t, tree)))

	assert.Equal(t, []string{
		"dr-xr-xr-x 0/0 37 1970-01-01 00:00 squashfs-root", // As fstest has it: nobody described it.
		"dr-xr-xr-x 0/0 40 1970-01-01 00:00 squashfs-root/etc",
		"-rw-r-Sr-- 0/0 6 2023-11-14 22:13 squashfs-root/etc/issue",
		"lrwxrwxrwx 0/0 5 2023-11-14 22:13 squashfs-root/etc/link -> issue",
		"dr-xr-xr-x 0/0 41 1970-01-01 00:00 squashfs-root/run",
		"prw-r----- 0/0 0 2023-11-14 22:13 squashfs-root/run/pipe",
		"srw------- 0/0 0 2023-11-14 22:13 squashfs-root/run/socket",
		"",
	}, strings.Split(regexp.MustCompile(` +`).ReplaceAllString(got, " "), "\n"))
}

// TestWriteManyAttributes fills several blocks of the table of xattr sets
// and of IDs.
func TestWriteManyAttributes(t *testing.T) {
	t.Parallel()
	oracle.Root(t)

	var list []entry
	for i := range 5000 {
		list = append(list, file(fmt.Sprintf("f%d", i), nil).With(func(h *tar.Header) {
			h.Uid, h.Gid = 100000+i, 200000+i
			h.PAXRecords = map[string]string{"SCHILY.xattr.user.number": fmt.Sprint(i)}
		}))
	}
	list = append(list, file("long", nil).With(func(h *tar.Header) {
		h.PAXRecords = map[string]string{"SCHILY.xattr.trusted.long": strings.Repeat("v", 60000), "SCHILY.xattr.user.other": "o"}
	}))
	want := tree(t, list...)
	sameTree(t, want, mount(t, save(t, write(t, want))))
}

// TestWriteManyFiles writes 100 000 files, three quarters of them in one
// directory, and looks some of them up.
func TestWriteManyFiles(t *testing.T) {
	t.Parallel()
	oracle.All(t)

	var list []entry
	for i := range 100000 {
		name := fmt.Sprintf("one/%06d %s", i, strings.Repeat("n", i%200))
		if i%4 == 0 {
			name = fmt.Sprintf("some/%d/%d/%d", i%7, i%23, i)
		}
		list = append(list, file(name, text(i%300, uint64(i))))
	}
	for i := range 1000 {
		list = append(list, link(fmt.Sprintf("links/%d", i), strings.TrimSuffix(list[i*100].Name, "/")))
	}
	want := tree(t, list...)
	got := mount(t, save(t, write(t, want, squashfs.WithBlockSize(64<<10))))
	sameTree(t, want, got)
}

// TestWriteLongFiles writes files beyond 4 GiB, one of them behind 4 GiB of
// blocks that cannot be packed.
func TestWriteLongFiles(t *testing.T) {
	t.Parallel()
	oracle.All(t)
	oracle.Root(t)

	dir := t.TempDir()
	source, err := os.OpenRoot(t.TempDir())
	require.NoError(t, err)
	defer source.Close()
	for name, at := range map[string]int64{"a-sparse": 5 << 30, "b-noise": 0, "c-after": 0} {
		f, err := source.Create(name)
		require.NoError(t, err)
		_, err = f.WriteAt(text(3<<20, 1), at)
		require.NoError(t, err)
		for i := range int64(65) { // Differing only by their first byte, blocks of noise are made fast.
			if name != "b-noise" {
				break
			}
			_, err = f.WriteAt(append([]byte{byte(i)}, noise(64<<20-1, 1)...), i<<26)
			require.NoError(t, err)
		}
		require.NoError(t, f.Close())
	}
	image, err := os.Create(filepath.Join(dir, "image"))
	require.NoError(t, err)
	defer image.Close()
	want := folder(t, source.Name())
	_, err = squashfs.Write(t.Context(), image, want, squashfs.WithLevel(1))
	require.NoError(t, err)
	info, err := image.Stat()
	require.NoError(t, err)
	require.Greater(t, info.Size(), int64(4<<30))
	sameTree(t, want, mount(t, image.Name()))
}
