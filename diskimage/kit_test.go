package diskimage_test

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

const miB = diskimage.MiB

// wantedContent is a content that says what it needs, and has less.
type wantedContent struct {
	need int64
	data string
}

func (c wantedContent) MinSize(context.Context) (int64, error) { return c.need, nil }

func (c wantedContent) Open(context.Context, int64) (diskimage.File, error) {
	return strings.NewReader(c.data), nil
}

// text returns a content that holds text, in a partition of any size.
func text(s string) diskimage.Content { return diskimage.Raw(strings.NewReader(s)) }

// opened returns the disk of a layout.
func opened(tb testing.TB, l *diskimage.Layout, opts ...diskimage.Option) *diskimage.Disk {
	tb.Helper()
	disk, err := diskimage.Open(tb.Context(), l, opts...)
	require.NoError(tb, err)
	return disk
}

// onDisk builds a layout in a file of the test's folder.
func onDisk(tb testing.TB, l *diskimage.Layout, opts ...diskimage.Option) string {
	tb.Helper()
	file, err := os.Create(filepath.Join(tb.TempDir(), "disk.raw"))
	require.NoError(tb, err)
	defer file.Close()
	size, err := diskimage.Build(tb.Context(), file, l, opts...)
	require.NoError(tb, err)
	info, err := file.Stat()
	require.NoError(tb, err)
	require.Equal(tb, info.Size(), size)
	return file.Name()
}

// digest returns the SHA-256 of a disk.
func digest(tb testing.TB, disk diskimage.File) string {
	tb.Helper()
	h := sha256.New()
	_, err := io.Copy(h, io.NewSectionReader(disk, 0, disk.Size()))
	require.NoError(tb, err)
	return hex.EncodeToString(h.Sum(nil))
}

// cutOut writes what a partition, numbered from 1, holds to a file of its own,
// without its holes.
func cutOut(tb testing.TB, disk *diskimage.Disk, number int) string {
	tb.Helper()
	part := disk.Partition(number - 1)
	file, err := os.Create(filepath.Join(tb.TempDir(), "partition"))
	require.NoError(tb, err)
	defer file.Close()
	require.NoError(tb, file.Truncate(part.Size()))
	for off := int64(0); ; {
		start, end, ok := part.(diskimage.Sparse).NextData(off)
		if !ok {
			break
		}
		_, err := io.Copy(io.NewOffsetWriter(file, start), io.NewSectionReader(part, start, end-start))
		require.NoError(tb, err)
		off = end
	}
	return file.Name()
}

// smallFile returns a file of the year 2026.
func smallFile(content string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(content), Mode: 0o644, ModTime: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
}

// program begins as a program for UEFI on amd64 does.
func program(text string) *fstest.MapFile {
	b := make([]byte, 1024)
	copy(b, "MZ")
	b[0x3C] = 0x80
	copy(b[0x80:], "PE\x00\x00\x64\x86")
	copy(b[0x200:], text)
	return smallFile(string(b))
}

// smallRoot returns a root file system with all that a disk for UEFI needs,
// though nothing of it would run.
func smallRoot() fstest.MapFS {
	kernel := make([]byte, 5000)
	copy(kernel, "MZ")
	copy(kernel[0x202:], "HdrS")
	return fstest.MapFS{
		"boot/vmlinuz-6.1.0-9-amd64":      smallFile(string(kernel)),
		"boot/initrd.img-6.1.0-9-amd64":   smallFile(strings.Repeat("initrd\n", 1000)),
		"boot/vmlinuz":                    {Data: []byte("vmlinuz-6.1.0-9-amd64"), Mode: fs.ModeSymlink | 0o777},
		"boot/initrd":                     {Data: []byte("initrd.img-6.1.0-9-amd64"), Mode: fs.ModeSymlink | 0o777},
		"etc/os-release":                  smallFile("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"),
		"etc/fstab":                       smallFile("# nothing yet\n\n"),
		"etc/cos/grub.cfg":                smallFile("echo Kairos\n"),
		"usr/lib/systemd/systemd":         smallFile("not run"),
		"usr/bin/tool":                    {Data: []byte("tool"), Mode: 0o755 | fs.ModeSetuid, Sys: nil},
		"bin":                             {Data: []byte("usr/bin"), Mode: fs.ModeSymlink | 0o777},
		"usr/lib/shim/shimx64.efi.signed": program("shim"),
		"usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed": program("grub"),
		"var/lib/" + strings.Repeat("n", 255):               smallFile("a long name"),
		"dev/ttyS0": {Mode: fs.ModeDevice | fs.ModeCharDevice | 0o620, Sys: &tar.Header{
			Typeflag: tar.TypeChar, Name: "dev/ttyS0", Devmajor: 4, Devminor: 64, Mode: 0o620, Gid: 5,
		}},
	}
}

// without returns a tree without the files whose names hold one of the texts.
func without(tree fstest.MapFS, texts ...string) fstest.MapFS {
	for name := range tree {
		for _, s := range texts {
			if strings.Contains(name, s) {
				delete(tree, name)
			}
		}
	}
	return tree
}

// biosModules returns a tree with Debian's GRUB for BIOS.
func biosModules(tb testing.TB) fs.FS {
	tb.Helper()
	oracle.File(tb, "/usr/lib/grub/i386-pc/moddep.lst")
	return oracle.Folders(tb, "usr/lib/grub/i386-pc")
}
