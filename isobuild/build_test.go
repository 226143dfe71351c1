package isobuild_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/isobuild"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// opened returns the files of an image.
func opened(tb testing.TB, name string) *iso9660.Image {
	tb.Helper()
	f := section(tb, name)
	image, err := iso9660.Open(f, f.Size())
	require.NoError(tb, err)
	return image
}

// read returns a file of a tree.
func read(tb testing.TB, tree fs.FS, name string) string {
	tb.Helper()
	b, err := fs.ReadFile(tree, name)
	require.NoError(tb, err)
	return string(b)
}

func TestBuild(t *testing.T) {
	t.Parallel()
	image := opened(t, built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithCloudConfig([]byte("#cloud-config\n"))))
	assert.Equal(t, "COS_LIVE", image.Volume().ID)
	assert.Equal(t, string(fakeKernel()), read(t, image, "boot/kernel"))
	assert.Equal(t, strings.Repeat("initrd\n", 1000), read(t, image, "boot/initrd"))
	assert.Equal(t, "#cloud-config\n", read(t, image, "config.yaml"))
	stub := read(t, image, "boot/grub/grub.cfg")
	assert.Contains(t, stub, "/boot/kernel")
	assert.Equal(t, stub, read(t, image, "EFI/BOOT/grub.cfg"))
	menu := read(t, image, "boot/grub2/grub.cfg")
	assert.Contains(t, menu, "menuentry 'Debian GNU/Linux 12 (bookworm)'")

	packed := read(t, image, "rootfs.squashfs")
	root, err := squashfs.Open(strings.NewReader(packed), int64(len(packed)))
	require.NoError(t, err)
	assert.Equal(t, "tool", read(t, root, "bin/tool"))
	for _, name := range []string{"run", "dev", "boot", "usr/local", "oem", "proc", "sys"} {
		info, err := fs.Stat(root, name)
		require.NoError(t, err)
		assert.Equal(t, fs.ModeDir|0o755, info.Mode().Type()|0o755, name)
	}
	info, err := fs.Stat(root, "tmp")
	require.NoError(t, err)
	assert.Equal(t, fs.ModeDir|fs.ModeSticky|0o777, info.Mode())
}

func TestBuildWhenFilesAreLaidOver(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"boot/grub2/grub.cfg": labFile([]byte("mine")), "config.yaml": labFile([]byte("mine")), "boot/kernel": labFile([]byte("mine")),
		"rootfs.squashfs": labFile([]byte("mine")), "bundle/a.tar": labFile([]byte("mine")), "boot/uefi.img": labFile([]byte("mine")),
	}
	root := fstest.MapFS{"bin/tool": labFile([]byte("other")), "etc/new": labFile([]byte("new"))}
	image := opened(t, built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithCloudConfig([]byte("text")),
		isobuild.WithFiles(files), isobuild.WithRootFiles(root), isobuild.WithVolumeID("MINE")))
	assert.Equal(t, "MINE", image.Volume().ID)
	assert.Equal(t, "mine", read(t, image, "boot/grub2/grub.cfg"))
	assert.Equal(t, "mine", read(t, image, "config.yaml"))
	assert.Equal(t, "mine", read(t, image, "bundle/a.tar"))
	assert.Equal(t, string(fakeKernel()), read(t, image, "boot/kernel"))
	assert.Equal(t, "\xEB", read(t, image, "boot/uefi.img")[:1])
	packed := read(t, image, "rootfs.squashfs")
	tree, err := squashfs.Open(strings.NewReader(packed), int64(len(packed)))
	require.NoError(t, err)
	assert.Equal(t, "other", read(t, tree, "usr/bin/tool"))
	assert.Equal(t, "new", read(t, tree, "etc/new"))
	target, err := tree.ReadLink("bin")
	require.NoError(t, err)
	assert.Equal(t, "usr/bin", target)
}

// TestBuildWhenALinkIsElsewhere has a hard link in a later folder than its file.
func TestBuildWhenALinkIsElsewhere(t *testing.T) {
	t.Parallel()
	link := &tar.Header{Typeflag: tar.TypeLink, Name: "b/link", Linkname: "a/file"}
	files := fstest.MapFS{"a/file": labFile([]byte("two names")), "b/link": {Sys: link}}
	image := opened(t, built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(files)))
	assert.Equal(t, "two names", read(t, image, "b/link"))
	info, err := image.Lstat("b/link")
	require.NoError(t, err)
	assert.Equal(t, "a/file", info.Sys().(*tar.Header).Linkname)
}

// TestBuildPartition mounts the first partition by itself, as from a stick.
func TestBuildPartition(t *testing.T) {
	t.Parallel()
	name := built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI))
	f := section(t, name)
	whole := opened(t, name)
	part := io.NewSectionReader(f, 16*2048, f.Size()-16*2048)
	image, err := iso9660.Open(part, part.Size())
	require.NoError(t, err)
	assert.Equal(t, "COS_LIVE", image.Volume().ID)
	for _, file := range []string{"boot/kernel", "boot/initrd", "rootfs.squashfs", "boot/grub2/grub.cfg"} {
		assert.True(t, read(t, whole, file) == read(t, image, file), file)
	}
	_, err = fs.Stat(image, "boot/uefi.img")
	require.ErrorIs(t, err, fs.ErrNotExist, "it lies outside of the partition")
	assert.Less(t, int64(image.Volume().Blocks), int64(whole.Volume().Blocks)-16)
}

// TestStreamDigest says when the layout of an image changes.
func TestStreamDigest(t *testing.T) {
	t.Parallel()
	sum := sha256.New()
	packed := strings.NewReader("hsqs" + strings.Repeat("x", 10000))
	_, err := isobuild.Stream(t.Context(), sum, liveRoot(), packed, isobuild.WithFirmware(isobuild.UEFI))
	require.NoError(t, err)
	assert.Equal(t, "7b5be6ee6afa0a31c27eeddf7a7d8ab92d11fe5c0ecca458798c84ee791089c3", hex.EncodeToString(sum.Sum(nil)))
}

// TestBuildDigest says when anything in an image changes, and that the number
// of workers does not show.
func TestBuildDigest(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 8} {
		b, err := os.ReadFile(built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithSquashfs(squashfs.WithWorkers(workers))))
		require.NoError(t, err)
		sum := sha256.Sum256(b)
		assert.Equal(t, "729f59c19a2efdf76b06f2a35cb69d62c52233b1ae802e0525480d2c8028e273", hex.EncodeToString(sum[:]), "%d workers", workers)
	}
}

func TestBuildWhenTimeIsGiven(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 1, 2, 3, 4, 6, 0, time.UTC)
	image := opened(t, built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithTime(at)))
	assert.Equal(t, at, image.Volume().Created.UTC())
	for _, name := range []string{".", "boot", "boot/kernel", "boot/grub2", "boot/grub2/grub.cfg", "EFI/BOOT", "rootfs.squashfs", "boot/uefi.img"} {
		info, err := fs.Stat(image, name)
		require.NoError(t, err)
		assert.Equal(t, at, info.ModTime().UTC(), name)
	}
}

func TestStream(t *testing.T) {
	t.Parallel()
	name := built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI))
	want, err := os.ReadFile(name)
	require.NoError(t, err)
	packed := read(t, opened(t, name), "rootfs.squashfs")
	var got bytes.Buffer
	var calls [][2]int64
	n, err := isobuild.Stream(t.Context(), &got, liveRoot(), strings.NewReader(packed), isobuild.WithFirmware(isobuild.UEFI),
		isobuild.WithProgress(func(name string, done, total int64) {
			assert.Equal(t, "iso", name)
			calls = append(calls, [2]int64{done, total})
		}))
	require.NoError(t, err)
	assert.EqualValues(t, len(want), n)
	assert.True(t, bytes.Equal(want, got.Bytes()), "what is streamed is what is built")
	assert.Equal(t, [2]int64{0, n}, calls[0])
	assert.Equal(t, [2]int64{n, n}, calls[len(calls)-1])
}

// TestStreamWhenNotPadded streams a squashfs that ends within a page.
func TestStreamWhenNotPadded(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{4095: 4096, 4096: 4096, 4097: 8192, 10004: 12288} {
		packed := "hsqs" + strings.Repeat("x", size-4)
		var b bytes.Buffer
		_, err := isobuild.Stream(t.Context(), &b, liveRoot(), strings.NewReader(packed), isobuild.WithFirmware(isobuild.UEFI))
		require.NoError(t, err)
		assert.Equal(t, packed+strings.Repeat("\x00", want-size), read(t, treeOf(t, b.Bytes()), "rootfs.squashfs"))
	}
}

// order notes where an image is written.
type order struct {
	memoryFile

	offsets []int64
}

// WriteAt implements [io.WriterAt].
func (o *order) WriteAt(p []byte, off int64) (int, error) {
	o.offsets = append(o.offsets, off)
	return o.memoryFile.WriteAt(p, off)
}

// TestBuildWritesDescriptorsLast checks that what was cut off is no image.
func TestBuildWritesDescriptorsLast(t *testing.T) {
	t.Parallel()
	const head = 48 * 2048
	var o order
	_, err := isobuild.Build(t.Context(), &o, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithSquashfs(squashfs.WithWorkers(1)))
	require.NoError(t, err)
	first := slices.IndexFunc(o.offsets, func(off int64) bool { return off < head })
	require.Greater(t, first, 1)
	for _, off := range o.offsets[first:] {
		assert.Less(t, off, int64(head))
	}
	assert.Equal(t, "COS_LIVE", treeOf(t, o.b).Volume().ID)
}

func TestStreamErrors(t *testing.T) {
	t.Parallel()
	short := errors.New("short")
	_, err := isobuild.Stream(t.Context(), failingWriter{short}, liveRoot(), strings.NewReader("hsqs"), isobuild.WithFirmware(isobuild.UEFI))
	require.ErrorIs(t, err, short)
	for _, text := range []string{"", "hs", "not one"} {
		_, err = isobuild.Stream(t.Context(), io.Discard, liveRoot(), strings.NewReader(text))
		require.ErrorContains(t, err, "isobuild: stream: rootfs.squashfs: begins with")
	}
	_, err = isobuild.Stream(t.Context(), io.Discard, liveRoot(), nil)
	require.ErrorContains(t, err, "isobuild: stream: the squashfs is nil")
	_, err = isobuild.Stream(t.Context(), io.Discard, nil, strings.NewReader("hsqs"))
	require.ErrorContains(t, err, "isobuild: stream: the root file system is nil")
	_, err = isobuild.Stream(t.Context(), io.Discard, liveRoot(), strings.NewReader("hsqs"), isobuild.WithRootFiles(fstest.MapFS{}))
	require.ErrorContains(t, err, "isobuild: stream: WithRootFiles means nothing here")
}

// failingWriter refuses everything.
type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func (w failingWriter) WriteAt([]byte, int64) (int, error) { return 0, w.err }

func TestBuildProgress(t *testing.T) {
	t.Parallel()
	done := make(map[string][2]int64)
	var order []string
	name := built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithProgress(func(name string, n, total int64) {
		if _, ok := done[name]; !ok {
			order = append(order, name)
			assert.Zero(t, n, "the first call of %s", name)
		}
		done[name] = [2]int64{n, total}
	}))
	assert.Equal(t, []string{"squashfs", "iso"}, order)
	size := section(t, name).Size()
	assert.Equal(t, [2]int64{size, size}, done["iso"])
	assert.Equal(t, done["squashfs"][0], done["squashfs"][1])
}

// cancelTree cancels when a file of it is opened.
type cancelTree struct {
	fstest.MapFS
	name   string
	cancel func()
}

func (c cancelTree) Open(name string) (fs.File, error) {
	if name == c.name {
		c.cancel()
	}
	return c.MapFS.Open(name)
}

func TestBuildWhenCancelled(t *testing.T) {
	t.Parallel()
	why := errors.New("why it was cancelled")
	for _, file := range []string{"boot/initrd.img-6.1.0-9-amd64", "usr/bin/tool"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		_, err := isobuild.Build(ctx, new(memoryFile), cancelTree{liveRoot(), file, func() { cancel(why) }}, isobuild.WithFirmware(isobuild.UEFI))
		require.ErrorIs(t, err, why, file)
		var e *isobuild.Error
		require.ErrorAs(t, err, &e)
		assert.Equal(t, "build", e.Op)
	}
	short := errors.New("short")
	_, err := isobuild.Build(t.Context(), failingWriter{short}, liveRoot(), isobuild.WithFirmware(isobuild.UEFI))
	require.ErrorIs(t, err, short)
}

// without returns the root file system without some of its files.
func without(parts ...string) fstest.MapFS {
	root := liveRoot()
	for name := range root {
		for _, part := range parts {
			if strings.Contains(name, part) {
				delete(root, name)
			}
		}
	}
	return root
}

// with returns the root file system with one more file.
func with(name string, file *fstest.MapFile) fstest.MapFS {
	root := liveRoot()
	root[name] = file
	return root
}

func TestBuildErrors(t *testing.T) {
	t.Parallel()
	uefi := isobuild.WithFirmware(isobuild.UEFI)
	for name, c := range map[string]struct {
		root  fs.FS
		opts  []isobuild.Option
		want  string
		match error
	}{
		"no kernel":      {without("vmlinuz"), []isobuild.Option{uefi}, "kernel", fs.ErrNotExist},
		"no UEFI":        {without("grub"), []isobuild.Option{uefi}, "no boot loader for UEFI: searched in the root file system and in 0 places of WithLoaders for GRUB for UEFI on amd64", fs.ErrNotExist},
		"no BIOS":        {liveRoot(), nil, "no boot loader for BIOS", fs.ErrNotExist},
		"BIOS on arm64":  {liveRoot(), []isobuild.Option{isobuild.WithArch("arm64"), isobuild.WithFirmware(isobuild.BIOS)}, "architecture arm64 has no BIOS", nil},
		"odd kernel":     {with("boot/vmlinuz-6.1.0-9-amd64", labFile([]byte("?"))), []isobuild.Option{uefi}, "boot/vmlinuz-6.1.0-9-amd64: does not say which architecture", nil},
		"architecture":   {liveRoot(), []isobuild.Option{isobuild.WithArch("mips")}, `architecture "mips"`, nil},
		"volume":         {liveRoot(), []isobuild.Option{uefi, isobuild.WithVolumeID("a!")}, "cannot look for '!'", nil},
		"long volume":    {liveRoot(), []isobuild.Option{uefi, isobuild.WithVolumeID(strings.Repeat("v", 33))}, "want 1 to 32 bytes", nil},
		"blank volume":   {liveRoot(), []isobuild.Option{uefi, isobuild.WithVolumeID("MY LIVE")}, "cannot look for ' '", nil},
		"no volume":      {liveRoot(), []isobuild.Option{uefi, isobuild.WithVolumeID("")}, "want 1 to 32 bytes", nil},
		"words":          {liveRoot(), []isobuild.Option{isobuild.WithCmdline(`a="b`)}, "quotation mark is missing", nil},
		"quotes":         {liveRoot(), []isobuild.Option{isobuild.WithCmdline(`it's`)}, "single quotes", nil},
		"line break":     {liveRoot(), []isobuild.Option{isobuild.WithCmdline("a\nb")}, "line break", nil},
		"console":        {liveRoot(), []isobuild.Option{isobuild.WithConsoles("tty 1")}, `console "tty 1"`, nil},
		"no root":        {nil, nil, "the root file system is nil", nil},
		"late":           {liveRoot(), []isobuild.Option{uefi, isobuild.WithTime(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))}, "time in the year 10000", nil},
		"nil tree":       {liveRoot(), []isobuild.Option{isobuild.WithFiles(nil)}, "file tree is nil", nil},
		"nil logger":     {liveRoot(), []isobuild.Option{isobuild.WithLogger(nil), isobuild.WithProgress(nil)}, "progress function is nil", nil},
		"not for Build":  {liveRoot(), []isobuild.Option{isobuild.WithRemove("x")}, "isobuild: build: WithRemove means nothing here", nil},
		"firmware":       {liveRoot(), []isobuild.Option{isobuild.WithFirmware(8)}, "unknown firmware 0x8", nil},
		"cloud config":   {liveRoot(), []isobuild.Option{isobuild.WithCloudConfig(make([]byte, 16<<20+1))}, "cloud config of 16777217 bytes", nil},
		"name of a file": {liveRoot(), []isobuild.Option{uefi, isobuild.WithFiles(fstest.MapFS{"d/" + strings.Repeat("n", 254): labFile(nil)})}, "d/nnn", nil},
		"links in files": {liveRoot(), []isobuild.Option{uefi, isobuild.WithFiles(fstest.MapFS{"boot": {Data: []byte("data"), Mode: fs.ModeSymlink}, "data/x": labFile(nil)})}, "leads elsewhere", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := buildFails(t, c.root, c.opts...)
			require.ErrorContains(t, err, c.want)
			assert.True(t, strings.HasPrefix(err.Error(), "isobuild: build: "), err.Error())
			if c.match != nil {
				require.ErrorIs(t, err, c.match)
			}
		})
	}
}

func TestChecksum(t *testing.T) {
	t.Parallel()
	line, err := isobuild.Checksum("kairos.iso", strings.NewReader("abc"))
	require.NoError(t, err)
	assert.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad kairos.iso\n", line)
	assert.Len(t, line, 76)
	_, err = isobuild.Checksum("a\nb", strings.NewReader("abc"))
	require.ErrorContains(t, err, `isobuild: checksum: file name "a\nb"`)
}
