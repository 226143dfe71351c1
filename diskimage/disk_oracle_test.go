package diskimage_test

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// presets returns a small disk that each preset makes of the full root.
func presets(tb testing.TB) map[string]*diskimage.Layout {
	tb.Helper()
	opts := []diskimage.Option{
		diskimage.WithLoaders(biosModules(tb)), diskimage.WithCloudConfig([]byte("#cloud-config\nhostname: test\n")),
	}
	all := make(map[string]*diskimage.Layout)
	kairos := slices.Concat(opts, []diskimage.Option{diskimage.WithRecoverySize(20)})
	plain := slices.Concat(opts, []diskimage.Option{diskimage.WithSpare(miB)})
	for name, preset := range map[string]func(fs.FS) (*diskimage.Layout, error){
		"efi":   func(tree fs.FS) (*diskimage.Layout, error) { return diskimage.EFI(tb.Context(), tree, kairos...) },
		"bios":  func(tree fs.FS) (*diskimage.Layout, error) { return diskimage.BIOS(tb.Context(), tree, kairos...) },
		"plain": func(tree fs.FS) (*diskimage.Layout, error) { return diskimage.Plain(tb.Context(), tree, 0, plain...) },
	} {
		l, err := preset(fullRoot())
		require.NoError(tb, err)
		all[name] = l
	}
	return all
}

func TestPresetsAsOthersReadThem(t *testing.T) {
	t.Parallel()
	for name, l := range presets(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := opened(t, l)
			file := onDisk(t, l)
			assert.Contains(t, oracle.Run(t, "sgdisk", "-v", file), "No problems found")
			assert.Contains(t, oracle.Run(t, "sfdisk", "--verify", file), "No errors detected")
			golden.Check(t, name+".sgdisk.txt", []byte(strings.ReplaceAll(oracle.Run(t, "sgdisk", "-p", file), file, "DISK")))
			for i, p := range disk.Layout().Partitions {
				checkPartition(t, disk, i+1, p)
			}
		})
	}
}

// checkPartition has the file system of a partition checked.
func checkPartition(t *testing.T, disk *diskimage.Disk, number int, p diskimage.Partition) {
	t.Helper()
	switch part := cutOut(t, disk, number); p.Label {
	case "bios":
	case "efi":
		oracle.Run(t, "fsck.vfat", "-n", part)
		golden.Check(t, "esp.mdir.txt", []byte(oracle.Run(t, "mdir", "-i", part, "-/", "-b", "::")))
	default:
		oracle.Run(t, "e2fsck", "-fn", part)
	}
}

// TestKairosAsOthersReadIt walks through COS_OEM, COS_RECOVERY and the image in
// there.
func TestKairosAsOthersReadIt(t *testing.T) {
	t.Parallel()
	all := presets(t)
	for _, name := range []string{"efi", "bios"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			disk := opened(t, all[name])
			if name == "efi" {
				assert.Equal(t, "COS_GRUB", label(t, cutOut(t, disk, 1)))
			}
			oem, recovery := cutOut(t, disk, 2), cutOut(t, disk, 3)
			assert.Equal(t, "COS_OEM", label(t, oem))
			assert.Equal(t, "COS_RECOVERY", label(t, recovery))
			golden.Check(t, "01_reset.yaml", []byte(inside(t, oem, "/01_reset.yaml")))
			assert.Equal(t, "#cloud-config\nhostname: test\n", inside(t, oem, "/90_custom.yaml"))
			env := inside(t, oem, "/grubenv")
			assert.Len(t, env, 1024)
			assert.Equal(t, "next_entry=recovery\n", oracle.Run(t, "grub-editenv", written(t, env), "list"))
			assert.Equal(t, "echo Kairos\n", inside(t, recovery, "/etc/cos/grub.cfg"))
			if name == "bios" {
				oracle.Run(t, "grub-script-check", written(t, inside(t, recovery, "/grub2/grub.cfg")))
				assert.NotEmpty(t, inside(t, recovery, "/grub2/i386-pc/moddep.lst"))
			}
			system := filepath.Join(t.TempDir(), "recovery.img")
			oracle.Run(t, "debugfs", "-R", "dump /cOS/recovery.img "+system, recovery)
			oracle.Run(t, "e2fsck", "-fn", system)
			assert.Equal(t, "COS_SYSTEM", label(t, system))
			walked(t, system, fullRoot(), "run", "boot", "usr/local", "oem", "proc", "sys", "tmp")
		})
	}
}

// TestPlainAsOthersReadIt walks through the root of a plain disk.
func TestPlainAsOthersReadIt(t *testing.T) {
	t.Parallel()
	disk := opened(t, presets(t)["plain"])
	root := cutOut(t, disk, 3)
	assert.Equal(t, "root", label(t, root))
	walked(t, root, without(fullRoot(), "fstab"), "run", "proc", "sys", "tmp", "boot/grub", "etc/fstab", "etc/repart.d/50-root.conf",
		"var/lib/cloud/seed/nocloud/user-data", "var/lib/cloud/seed/nocloud/meta-data")
	menu := inside(t, root, "/boot/grub/grub.cfg")
	golden.Check(t, "plain.grub.cfg", []byte(menu))
	oracle.Run(t, "grub-script-check", written(t, menu))
	golden.Check(t, "plain.files.txt", fmt.Appendf(nil, "%s\n%s\n%s\n%s",
		inside(t, root, "/etc/fstab"), inside(t, root, "/etc/repart.d/50-root.conf"),
		inside(t, root, "/var/lib/cloud/seed/nocloud/user-data"), inside(t, root, "/var/lib/cloud/seed/nocloud/meta-data")))
	esp := cutOut(t, disk, 2)
	stub := oracle.Run(t, "mtype", "-i", esp, "::/EFI/debian/grub.cfg")
	golden.Check(t, "plain.stub.cfg", []byte(stub))
	uuid := strings.TrimSpace(oracle.Run(t, "blkid", "-o", "value", "-s", "UUID", root))
	assert.Contains(t, stub, uuid)
	assert.Contains(t, menu, uuid)
	assert.Contains(t, menu, "root=PARTUUID="+strings.ToLower(disk.Layout().Partitions[2].ID.String()))
}

// TestPlainKeepsWhatTheTreeSays takes trees with a table of file systems and
// definitions of partitions, and one that systemd does not start.
func TestPlainKeepsWhatTheTreeSays(t *testing.T) {
	t.Parallel()
	own := smallRoot()
	own["etc/fstab"] = smallFile("# /\nLABEL=root / ext4 noatime 0 1\n")
	own["usr/lib/repart.d/10-root.conf"] = smallFile("[Partition]\nType=root\n")
	own["boot/grub2/grubenv"] = smallFile("")
	other := without(smallRoot(), "systemd", "fstab")
	for name, test := range map[string]struct {
		tree  fstest.MapFS
		fstab string
		menu  string
	}{
		"own":     {own, "LABEL=root / ext4 noatime 0 1\n", "/boot/grub2/grub.cfg"},
		"OpenRC":  {other, " / ext4 defaults 0 1\n", "/boot/grub/grub.cfg"},
		"systemd": {smallRoot(), " / ext4 defaults,x-systemd.growfs 0 1\n", "/boot/grub/grub.cfg"},
	} {
		l, err := diskimage.Plain(t.Context(), test.tree, diskimage.FirmwareUEFI)
		require.NoError(t, err)
		disk := opened(t, l)
		root := cutOut(t, disk, 2)
		assert.True(t, strings.HasSuffix(inside(t, root, "/etc/fstab"), test.fstab), name)
		assert.Contains(t, inside(t, root, test.menu), "menuentry", name)
		grows := strings.Contains(oracle.Run(t, "debugfs", "-R", "ls -p /etc", root), "/repart.d/")
		assert.Equal(t, name == "systemd", grows, name)
	}
}

// label returns the label of a file system in a file.
func label(tb testing.TB, file string) string {
	tb.Helper()
	return strings.TrimSpace(oracle.Run(tb, "blkid", "-o", "value", "-s", "LABEL", file))
}

// inside returns a file of an ext2 or ext4 in a file.
func inside(tb testing.TB, image, name string) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "inside")
	oracle.Run(tb, "debugfs", "-R", "dump "+name+" "+file, image)
	b, err := os.ReadFile(file)
	require.NoError(tb, err)
	return string(b)
}

// written puts text into a file of its own.
func written(tb testing.TB, text string) string {
	tb.Helper()
	file := filepath.Join(tb.TempDir(), "written")
	require.NoError(tb, os.WriteFile(file, []byte(text), 0o600))
	return file
}

func TestDOSTableAsOthersReadIt(t *testing.T) {
	t.Parallel()
	id, err := diskimage.ParseGUID("11223344-0000-4000-8000-000000000000")
	require.NoError(t, err)
	l := &diskimage.Layout{MBR: true, ID: id, Boot: []byte("code"), Size: 3000 * miB, Partitions: []diskimage.Partition{
		{Type: diskimage.TypeEFI(), Size: 10 * miB, Content: diskimage.FAT("EFI", smallRootESP())},
		{Attributes: diskimage.LegacyBIOS, Size: 1500 * miB},
		{Type: diskimage.TypeBasicData(), Size: miB},
		{MBRType: 0x8E, Size: diskimage.Rest},
	}}
	file := onDisk(t, l)
	assert.Contains(t, oracle.Run(t, "sfdisk", "--verify", file), "No errors detected")
	golden.Check(t, "mbr.sfdisk.txt", []byte(strings.ReplaceAll(oracle.Run(t, "sfdisk", "-d", file), file, "DISK")))
	b, err := os.ReadFile(cutHead(t, file))
	require.NoError(t, err)
	assert.Equal(t, "code", string(b[:4]))
	assert.Equal(t, []byte{0x20, 0x21, 0}, b[447:450], "sector 2048 is cylinder 0, head 32, sector 33")
}

// cutHead returns a file with the first sector of another.
func cutHead(tb testing.TB, file string) string {
	tb.Helper()
	f, err := os.Open(file)
	require.NoError(tb, err)
	defer f.Close()
	b := make([]byte, 512)
	_, err = io.ReadFull(f, b)
	require.NoError(tb, err)
	return written(tb, string(b))
}

// smallRootESP is a tree for a FAT.
func smallRootESP() fs.FS {
	sub, _ := fs.Sub(smallRoot(), "etc")
	return sub
}

// TestUnprivileged makes all presets and formats as nobody, without any
// capability.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	if !oracle.AsNobody(t) {
		return
	}
	for name, l := range presets(t) {
		file := onDisk(t, l)
		assert.Contains(t, oracle.Run(t, "sgdisk", "-v", file), "No problems found", name)
		disk := opened(t, l)
		for _, f := range diskFormats() {
			assert.NotEmpty(t, f.file(t, disk), name)
		}
	}
}
