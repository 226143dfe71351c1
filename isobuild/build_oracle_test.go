package isobuild_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// signedLoader returns a tree with Debian's signed shim and GRUB.
func signedLoader(tb testing.TB) []fs.FS {
	tb.Helper()
	oracle.File(tb, "/usr/lib/shim/shimx64.efi.signed")
	oracle.File(tb, "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed")
	return []fs.FS{oracle.Folders(tb, "usr/lib/shim"), oracle.Folders(tb, "usr/lib/grub/x86_64-efi-signed")}
}

// everything returns an image for BIOS and UEFI, with Debian's loaders.
func everything(tb testing.TB, opts ...isobuild.Option) string {
	tb.Helper()
	opts = append([]isobuild.Option{
		isobuild.WithLoaders(biosLoader(tb)), isobuild.WithLoaders(signedLoader(tb)...),
		isobuild.WithCloudConfig([]byte("#cloud-config\n")),
	}, opts...)
	return built(tb, without("shimx64", "gcdx64"), opts...)
}

// part copies a range of an image into a file of its own.
func part(tb testing.TB, image string, off, size int64) string {
	tb.Helper()
	b := make([]byte, size)
	_, err := section(tb, image).ReadAt(b, off)
	require.NoError(tb, err)
	name := filepath.Join(tb.TempDir(), "part")
	require.NoError(tb, os.WriteFile(name, b, 0o600))
	return name
}

func TestBuildLayoutAsXorrisoSeesIt(t *testing.T) {
	t.Parallel()
	oracle.Need(t, "xorriso")
	report := oracle.Run(t, "xorriso", "-indev", everything(t), "-report_el_torito", "plain", "-report_system_area", "plain")
	for _, want := range []string{
		`Volume id    : 'COS_LIVE'`,
		`El Torito cat path : /boot/boot.catalog`,
		`El Torito boot img :   1  BIOS  y   none  0x0000  0x00      4          49`,
		`El Torito boot img :   2  UEFI  y   none  0x0000  0x00  `,
		`El Torito img path :   1  /boot/eltorito.img`,
		`El Torito img opts :   1  boot-info-table grub2-boot-info`,
		`El Torito img path :   2  /boot/uefi.img`,
		`MBR protective-msdos-label grub2-mbr`,
		`Partition offset   : 16`,
		`MBR partition      :   2   0x80  0x00            0            1`,
		`GPT partname local :   1  ISO9660`,
		`GPT partition flags:   1  0x1000000000000001`,
		`GPT type GUID      :   2  28732ac11ff8d211ba4b00a0c93ec93b`,
		`GPT partition path :   2  /boot/uefi.img`,
	} {
		assert.Contains(t, report, want)
	}
	assert.NotRegexp(t, `(?m)^(libburn|xorriso) : (WARNING|FAILURE|SORRY)`, report)
}

// TestBuildLayout holds the places that an image tells of against each other.
func TestBuildLayout(t *testing.T) {
	t.Parallel()
	name := everything(t)
	f := section(t, name)
	image := opened(t, name)
	table, err := gpt.Read(f, f.Size())
	require.NoError(t, err)
	require.Len(t, table.Partitions, 2)
	first, second := table.Partitions[0], table.Partitions[1]
	catalog, err := image.Catalog()
	require.NoError(t, err)
	require.Len(t, catalog.Entries, 2)
	extents, err := image.Extents("boot/uefi.img")
	require.NoError(t, err)
	require.Len(t, extents, 1)

	assert.EqualValues(t, 16*2048, first.Start)
	assert.Equal(t, first.Start+first.Size, second.Start)
	assert.Equal(t, second.Start, int64(extents[0].Block)*2048, "the file is the partition")
	assert.Equal(t, second.Size, extents[0].Size)
	assert.Equal(t, catalog.Entries[1].Block, extents[0].Block, "the boot entry is the partition")
	assert.Equal(t, second.Size, int64(catalog.Entries[1].Sectors)*512)
	assert.Equal(t, f.Size(), int64(image.Volume().Blocks)*2048, "the image is the file")
	assert.Less(t, f.Size()-second.Start-second.Size, int64(10*2048), "the table is at the very end")
	for _, file := range []string{"rootfs.squashfs", "boot/kernel", "boot/eltorito.img"} {
		extents, err := image.Extents(file)
		require.NoError(t, err)
		assert.Less(t, int64(extents[0].Block)*2048+extents[0].Size, second.Start, file)
	}
	alone := part(t, name, first.Start, first.Size)
	inner := section(t, alone)
	partition, err := iso9660.Open(inner, inner.Size())
	require.NoError(t, err)
	assert.Equal(t, inner.Size(), int64(partition.Volume().Blocks)*2048, "the first partition is a whole volume")
}

func TestBuildLayoutAsTablesAreChecked(t *testing.T) {
	t.Parallel()
	oracle.Need(t, "sgdisk")
	oracle.Need(t, "sfdisk")
	name := everything(t)
	assert.Contains(t, oracle.Run(t, "sgdisk", "-v", name), "No problems found")
	assert.Contains(t, oracle.Run(t, "sfdisk", "--verify", name), "No errors detected")
}

func TestBuildLayoutAsIsoinfoSeesIt(t *testing.T) {
	t.Parallel()
	oracle.Need(t, "isoinfo")
	name := everything(t, isobuild.WithFiles(fstest.MapFS{"a file with a long name": labFile([]byte("content"))}))
	for _, names := range []string{"-R", "-J"} {
		list := oracle.Run(t, "isoinfo", "-f", names, "-i", name)
		for _, want := range []string{"/rootfs.squashfs", "/boot/kernel", "/boot/initrd", "/boot/grub2/grub.cfg", "/EFI/BOOT/grub.cfg", "/a file with a long name", "/config.yaml"} {
			assert.Contains(t, list, want+"\n", names)
		}
		assert.Equal(t, "content", oracle.Run(t, "isoinfo", names, "-i", name, "-x", "/a file with a long name"))
	}
	assert.Contains(t, oracle.Run(t, "isoinfo", "-d", "-i", name), "Volume id: COS_LIVE")
}

func TestBuildSystemPartition(t *testing.T) {
	t.Parallel()
	oracle.Need(t, "fsck.vfat")
	oracle.Need(t, "mdir")
	oracle.Need(t, "mcopy")
	name := everything(t)
	f := section(t, name)
	table, err := gpt.Read(f, f.Size())
	require.NoError(t, err)
	esp := part(t, name, table.Partitions[1].Start, table.Partitions[1].Size)
	oracle.Run(t, "fsck.vfat", "-n", esp)
	list := oracle.Run(t, "mdir", "-/", "-b", "-i", esp, "::")
	for _, want := range []string{"/EFI/BOOT/bootx64.efi", "/EFI/BOOT/grubx64.efi", "/EFI/BOOT/grub.cfg", "/boot/grub/grub.cfg", "/EFI/debian/grub.cfg", "/EFI/ubuntu/grub.cfg"} {
		assert.Contains(t, strings.ToLower(list), strings.ToLower("::"+want+"\n"))
	}
	shim, err := os.ReadFile("/usr/lib/shim/shimx64.efi.signed")
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "shim")
	oracle.Run(t, "mcopy", "-i", esp, "::/EFI/BOOT/bootx64.efi", out)
	got, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(shim, got), "what is signed is not changed")
}

func TestBuildRootFileSystem(t *testing.T) {
	t.Parallel()
	oracle.Need(t, "unsquashfs")
	image := opened(t, everything(t))
	extents, err := image.Extents("rootfs.squashfs")
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "root")
	require.NoError(t, os.WriteFile(name, []byte(read(t, image, "rootfs.squashfs")), 0o600))
	assert.EqualValues(t, 0, extents[0].Size%4096)
	list := oracle.Run(t, "unsquashfs", "-lln", "-d", "", name)
	for _, want := range []string{
		`-rwsr-xr-x 0/0 +4 .* /usr/bin/tool`, `crw--w---- 0/5 +4, +64 .* /dev/ttyS0`, `lrwxrwxrwx .* /bin -> usr/bin`,
		`drwxrwxrwt 0/0 .* /tmp`, `drwxr-xr-x 0/0 .* /oem`, "/var/lib/" + strings.Repeat("n", 255),
	} {
		assert.Regexp(t, regexp.MustCompile("(?m)"+want+"$"), list)
	}
}

// sparse is a file of zeros, which takes no memory.
type sparse struct{ size int64 }

func (s sparse) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	return len(p), nil
}

func (s sparse) Size() int64 { return s.size }

// TestBuildWhenSquashfsIsLarge has a root file system of over 4 GiB, which
// takes several extents.
func TestBuildWhenSquashfsIsLarge(t *testing.T) {
	t.Parallel()
	oracle.All(t)
	oracle.Need(t, "xorriso")
	file, err := os.Create(filepath.Join(t.TempDir(), "large.iso"))
	require.NoError(t, err)
	defer file.Close()
	const size = 5<<30 + 4096
	_, err = isobuild.Stream(t.Context(), skipZeros{file}, liveRoot(), withMagic{sparse{size}}, isobuild.WithFirmware(isobuild.UEFI))
	require.NoError(t, err)
	image := opened(t, file.Name())
	info, err := fs.Stat(image, "rootfs.squashfs")
	require.NoError(t, err)
	assert.Equal(t, int64(size), info.Size())
	report := oracle.Run(t, "xorriso", "-indev", file.Name(), "-find", "/rootfs.squashfs", "-exec", "lsdl", "--")
	assert.Contains(t, report, fmt.Sprint(int64(size)))
	assert.Contains(t, oracle.Run(t, "sgdisk", "-v", file.Name()), "No problems found")
}

// withMagic begins as a squashfs does.
type withMagic struct{ sparse }

func (w withMagic) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.sparse.ReadAt(p, off)
	if off == 0 {
		copy(p, "hsqs")
	}
	return n, err
}

// skipZeros leaves holes in a file.
type skipZeros struct{ f *os.File }

func (s skipZeros) Write(p []byte) (int, error) {
	if len(bytes.Trim(p, "\x00")) > 0 {
		return s.f.Write(p)
	}
	if _, err := s.f.Seek(int64(len(p)), 1); err != nil {
		return 0, err
	}
	return len(p), nil
}

// TestBuildWhenWorkersDiffer has enough files that workers overtake each other.
func TestBuildWhenWorkersDiffer(t *testing.T) {
	t.Parallel()
	root := liveRoot()
	for i := range 200 {
		root[fmt.Sprintf("usr/share/doc/%03d", i)] = labFile(bytes.Repeat(fmt.Appendf(nil, "line %d\n", i*i), 1000+i*37))
	}
	var images [][]byte
	for _, workers := range []int{1, 8} {
		b, err := os.ReadFile(built(t, root, isobuild.WithFirmware(isobuild.UEFI),
			isobuild.WithSquashfs(squashfs.WithBlockSize(4096), squashfs.WithWorkers(workers))))
		require.NoError(t, err)
		images = append(images, b)
	}
	assert.True(t, bytes.Equal(images[0], images[1]))
}
