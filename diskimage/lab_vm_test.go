package diskimage_test

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/installed"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// vmConfig is a cloud config with line ends of two kinds, tabs, letters that are
// not ASCII, and no line end at its end. It has a stage of its own.
const vmConfig = "#cloud-config\r\nhostname: \"blåbær\"\r\nbytes: \"\\x7f \u2603\t\"\n" +
	"stages:\n  boot:\n  - name: of the user\n    commands:\n    - \"true\"\n  - name: not done\n    if: \"false\"\n    commands:\n    - exit 7\n# end"

// vmTime is when disks are made.
func vmTime() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

// vmTree returns the root file system of a Debian that runs from a disk.
func vmTree(tb testing.TB) *artifacts.Tree {
	tb.Helper()
	file := vmOpen(tb, vmtest.InstalledRootT(tb))
	tree, err := artifacts.OpenTar(file, file.Size())
	require.NoError(tb, err)
	return tree
}

// vmFiles returns the program that reports from a disk, as a tree to lay over
// the root.
func vmFiles(tb testing.TB) fstest.MapFS {
	tb.Helper()
	return fstest.MapFS{installed.Program: {Data: vmtest.InstalledProgramT(tb), Mode: 0o755, ModTime: vmTime()}}
}

// vmOpen returns a file of the host to be read at any offset.
func vmOpen(tb testing.TB, name string) *io.SectionReader {
	tb.Helper()
	f, err := os.Open(name)
	require.NoError(tb, err)
	tb.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	require.NoError(tb, err)
	return io.NewSectionReader(f, 0, info.Size())
}

// vmOptions are those of every preset.
func vmOptions(tb testing.TB, opts ...diskimage.Option) []diskimage.Option {
	tb.Helper()
	return append([]diskimage.Option{
		diskimage.WithTime(vmTime()),
		diskimage.WithCloudConfig([]byte(vmConfig)),
		diskimage.WithLoaders(vmLoaders(tb)),
	}, opts...)
}

// vmPlain returns the layout of a plain disk whose system reports, with words
// added to its command line.
func vmPlain(tb testing.TB, firmware diskimage.Firmware, words string, opts ...diskimage.Option) *diskimage.Layout {
	tb.Helper()
	l, err := diskimage.Plain(tb.Context(), vmTree(tb), firmware, vmOptions(tb, append([]diskimage.Option{
		diskimage.WithRootFiles(vmFiles(tb)),
		diskimage.WithCmdline(vmtest.LiveQuick, words),
		diskimage.WithSpare(48 << 20),
	}, opts...)...)...)
	require.NoError(tb, err)
	return l
}

// vmLoaders returns a tree with the boot loaders of the host.
func vmLoaders(tb testing.TB) fs.FS {
	tb.Helper()
	oracle.File(tb, "/usr/lib/shim/shimx64.efi.signed")
	oracle.File(tb, "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")
	oracle.File(tb, "/usr/lib/grub/i386-pc/diskboot.img")
	return oracle.Folders(tb, "usr/lib/shim", "usr/lib/grub/x86_64-efi-signed", "usr/lib/grub/i386-pc")
}

// vmBuild writes a disk to a file of the test's folder.
func vmBuild(tb testing.TB, l *diskimage.Layout) string {
	tb.Helper()
	file, err := os.Create(filepath.Join(tb.TempDir(), "disk.raw"))
	require.NoError(tb, err)
	defer file.Close()
	_, err = diskimage.Build(tb.Context(), file, l)
	require.NoError(tb, err)
	return file.Name()
}

// vmDisk returns the disk of a layout.
func vmDisk(tb testing.TB, l *diskimage.Layout) *diskimage.Disk {
	tb.Helper()
	d, err := diskimage.Open(tb.Context(), l)
	require.NoError(tb, err)
	return d
}

// A vmBoot is a way to boot a disk.
type vmBoot struct {
	firmware vmtest.Firmware
	kind     vmtest.DriveKind
}

// String returns the name of a test.
func (b vmBoot) String() string {
	return map[vmtest.Firmware]string{
		vmtest.BIOS: "BIOS", vmtest.UEFI: "UEFI", vmtest.UEFISecure: "Secure Boot",
	}[b.firmware] + ", " + map[vmtest.DriveKind]string{
		vmtest.USB: "USB stick", vmtest.Disk: "disk", vmtest.Virtio: "virtio",
	}[b.kind]
}

// start switches on a machine with a drive.
func (b vmBoot) start(tb testing.TB, drive vmtest.Drive) (context.Context, *vmtest.Machine) {
	tb.Helper()
	drive.Kind = b.kind
	m := vmtest.BootT(tb, vmtest.Spec{Firmware: b.firmware, Memory: 768, Drives: []vmtest.Drive{drive}})
	ctx, cancel := context.WithTimeout(tb.Context(), 6*time.Minute)
	tb.Cleanup(cancel)
	return ctx, m
}

// report boots a drive and returns what its system says, once it is right about
// the firmware and has switched the machine off.
func (b vmBoot) report(tb testing.TB, drive vmtest.Drive) *installed.Report {
	tb.Helper()
	ctx, m := b.start(tb, drive)
	r, err := m.Installed(ctx)
	require.NoError(tb, err)
	require.NoError(tb, m.Wait(ctx))
	at, _ := m.Console.Time(installed.Done)
	tb.Logf("%v: reported after %v", b, at.Sub(m.Started).Round(100*time.Millisecond))
	assert.Equal(tb, b.firmware != vmtest.BIOS, r.UEFI, "UEFI")
	if b.firmware == vmtest.UEFISecure {
		assert.Regexp(tb, `(?i)secure ?boot:? enabled`, m.Console.String())
	}
	return r
}

// onRoot requires that the root of a report is the last partition, of type ext4.
func onRoot(tb testing.TB, r *installed.Report) (options string) {
	tb.Helper()
	device, kind, options, err := r.Mount("/")
	require.NoError(tb, err)
	assert.Equal(tb, "ext4", kind)
	assert.Regexp(tb, `^/dev/[sv]da\d$`, device)
	assert.Equal(tb, vmConfig, string(r.Seed), "the cloud config of NoCloud")
	return options
}

// vmPart returns a partition of a laid-out disk, by its label.
func vmPart(tb testing.TB, l *diskimage.Layout, label string) diskimage.Partition {
	tb.Helper()
	i := slices.IndexFunc(l.Partitions, func(p diskimage.Partition) bool { return p.Label == label })
	require.GreaterOrEqual(tb, i, 0, label)
	return l.Partitions[i]
}

// vmClean requires that e2fsck has nothing against the file system that begins
// at an offset of a disk.
func vmClean(tb testing.TB, disk string, offset int64) {
	tb.Helper()
	out := oracle.Run(tb, "e2fsck", "-fn", fmt.Sprintf("%s?offset=%d", disk, offset))
	assert.NotContains(tb, out, "WARNING", "it was not unmounted")
}

// vmList lists a tree.
func vmList(tb testing.TB, tree fs.FS) manifest.Manifest {
	tb.Helper()
	m, err := manifest.FS(tree)
	require.NoError(tb, err)
	return m
}

// vmTar returns the tree of entries of a tar, with the data of each.
func vmTar(tb testing.TB, entries func(add func(h tar.Header, data string))) fs.FS {
	tb.Helper()
	file, err := os.Create(filepath.Join(tb.TempDir(), "tree.tar"))
	require.NoError(tb, err)
	w := tar.NewWriter(file)
	entries(func(h tar.Header, data string) {
		h.Size, h.Format = int64(len(data)), tar.FormatPAX
		if h.ModTime.IsZero() {
			h.ModTime = vmTime()
		}
		require.NoError(tb, w.WriteHeader(&h))
		_, err := io.WriteString(w, data)
		require.NoError(tb, err)
	})
	require.NoError(tb, w.Close())
	require.NoError(tb, file.Close())
	r := vmOpen(tb, file.Name())
	tree, err := artifacts.OpenTar(r, r.Size())
	require.NoError(tb, err)
	return tree
}
