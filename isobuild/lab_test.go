package isobuild_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild"
)

// fakeKernel begins as a kernel for amd64 does.
func fakeKernel() []byte {
	b := make([]byte, 5000)
	copy(b, "MZ")
	copy(b[0x202:], "HdrS")
	return b
}

// fakeProgram begins as a program for UEFI on amd64 does.
func fakeProgram(text string) []byte {
	b := make([]byte, 1024)
	copy(b, "MZ")
	b[0x3C] = 0x80
	copy(b[0x80:], "PE\x00\x00\x64\x86")
	copy(b[0x200:], text)
	return b
}

// labFile returns a file of the year 2026.
func labFile(content []byte) *fstest.MapFile {
	return &fstest.MapFile{Data: content, Mode: 0o644, ModTime: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
}

// liveRoot returns a root file system with all that an image for UEFI needs,
// though nothing of it would run.
func liveRoot() fstest.MapFS {
	return fstest.MapFS{
		"boot/vmlinuz-6.1.0-9-amd64":      labFile(fakeKernel()),
		"boot/initrd.img-6.1.0-9-amd64":   labFile(bytes.Repeat([]byte("initrd\n"), 1000)),
		"etc/os-release":                  labFile([]byte("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n")),
		"usr/bin/tool":                    {Data: []byte("tool"), Mode: 0o755 | fs.ModeSetuid},
		"bin":                             {Data: []byte("usr/bin"), Mode: fs.ModeSymlink | 0o777},
		"usr/lib/shim/shimx64.efi.signed": labFile(fakeProgram("shim")),
		"usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed": labFile(fakeProgram("grub")),
		"var/lib/" + strings.Repeat("n", 255):              labFile([]byte("a long name")),
		"dev/ttyS0": {Sys: &tar.Header{
			Typeflag: tar.TypeChar, Devmajor: 4, Devminor: 64, Mode: 0o620, Gid: 5,
		}, Mode: fs.ModeDevice | fs.ModeCharDevice | 0o620},
	}
}

// biosLoader returns a tree with Debian's GRUB for BIOS.
func biosLoader(tb testing.TB) fs.FS {
	tb.Helper()
	oracle.File(tb, "/usr/lib/grub/i386-pc/moddep.lst")
	return oracle.Folders(tb, "usr/lib/grub/i386-pc")
}

// built makes a live image in a file of the test's folder.
func built(tb testing.TB, root fs.FS, opts ...isobuild.Option) string {
	tb.Helper()
	file, err := os.Create(filepath.Join(tb.TempDir(), "live.iso"))
	require.NoError(tb, err)
	defer file.Close()
	size, err := isobuild.Build(tb.Context(), file, root, opts...)
	require.NoError(tb, err)
	info, err := file.Stat()
	require.NoError(tb, err)
	require.Equal(tb, info.Size(), size)
	return file.Name()
}

// memoryFile is a file in memory that grows.
type memoryFile struct{ b []byte }

// WriteAt implements [io.WriterAt].
func (m *memoryFile) WriteAt(p []byte, off int64) (int, error) {
	if end := int(off) + len(p); end > len(m.b) {
		m.b = append(m.b, make([]byte, end-len(m.b))...)
	}
	return copy(m.b[off:], p), nil
}

// buildFails returns why no image could be made, of which nothing must have
// been written.
func buildFails(tb testing.TB, root fs.FS, opts ...isobuild.Option) error {
	tb.Helper()
	var m memoryFile
	_, err := isobuild.Build(context.Background(), &m, root, opts...)
	require.Error(tb, err)
	require.Zero(tb, len(m.b), "nothing is written before all is known to be well")
	return err
}

// section returns a file of the host to be read at any offset.
func section(tb testing.TB, name string) isobuild.File {
	tb.Helper()
	f, err := os.Open(name)
	require.NoError(tb, err)
	tb.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	require.NoError(tb, err)
	return io.NewSectionReader(f, 0, info.Size())
}
