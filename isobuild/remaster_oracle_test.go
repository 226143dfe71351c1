package isobuild_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/grub"
	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild"
)

const isolinuxMBR = "/usr/lib/ISOLINUX/isohdpfx.bin"

// A writer makes an image of the folder called media with the arguments of
// some distribution.
type writer struct {
	program string
	args    []string // MEDIA, MBR and OUT stand for files
	tables  string   // what sgdisk says of the remastered image
	own     bool     // whether the first partition mounts by itself
}

const sound = "No problems found"

func writers() map[string]writer {
	words := func(s string) []string { return strings.Fields(s) }
	kairos := "-outdev OUT -map MEDIA / -chmod 0755 / -- -boot_image grub bin_path=boot/eltorito.img -boot_image grub grub2_mbr=MBR" +
		" -boot_image grub grub2_boot_info=on -boot_image any partition_offset=16 -boot_image any cat_path=boot/boot.catalog" +
		" -boot_image any cat_hidden=on -boot_image any boot_info_table=on -boot_image any platform_id=0x00 -boot_image any emul_type=no_emulation" +
		" -boot_image any load_size=2048 -append_partition 2 0xef MEDIA/boot/uefi.img -boot_image any next" +
		" -boot_image any efi_path=--interval:appended_partition_2:all:: -boot_image any platform_id=0xef -boot_image any emul_type=no_emulation"
	isolinux := "-b isolinux/isolinux.bin -c isolinux/boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table"
	appended := " -no-emul-boot -boot-load-size 4 -boot-info-table --grub2-boot-info -eltorito-alt-boot -e --interval:appended_partition_2:all:: -no-emul-boot -o OUT MEDIA"
	return map[string]writer{
		"Kairos": {"xorriso", words("-volid COS_LIVE -joliet on -padding 0 " + kairos +
			" -boot_image any appended_part_as=gpt -boot_image any mbr_force_bootable=on"), sound, true},
		"KIWI": {"xorriso", words("-application_id 0x12345678 -publisher TEST -volid CDROM -joliet on -padding 0 -compliance no_emul_toc " + kairos), "", true},
		"Debian live": {"xorriso", words("-as mkisofs -R -r -J -joliet-long -l -cache-inodes -iso-level 3 -isohybrid-mbr " + isolinuxMBR +
			" -partition_offset 16 -A Debian -V Debian --modification-date=2024010100000000 " + isolinux +
			" -eltorito-alt-boot -e boot/uefi.img -no-emul-boot -isohybrid-gpt-basdat -isohybrid-apm-hfsplus -o OUT MEDIA"), "", true},
		"Debian installer": {"xorriso", words("-as mkisofs -r -V DEB -J -joliet-long -isohybrid-mbr " + isolinuxMBR + " " + isolinux +
			" -eltorito-alt-boot -e boot/uefi.img -no-emul-boot -isohybrid-gpt-basdat -isohybrid-apm-hfsplus -o OUT MEDIA"), "", false},
		"Ubuntu": {"xorriso", words("-as mkisofs -r -J -joliet-long -l -iso-level 3 -V Ubuntu --grub2-mbr MEDIA/boot/boot_hybrid.img --protective-msdos-label" +
			" -partition_cyl_align off -partition_offset 16 --mbr-force-bootable -append_partition 2 28732ac11ff8d211ba4b00a0c93ec93b MEDIA/boot/uefi.img" +
			" -appended_part_as_gpt -iso_mbr_part_type a2a0d0ebe5b9334487c068b6b72699c7 -c /boot.catalog -b /boot/eltorito.img" + appended), sound, true},
		"Fedora": {"xorriso", words("-as mkisofs -R -J -V Fedora --grub2-mbr MEDIA/boot/boot_hybrid.img -partition_offset 16 -appended_part_as_gpt" +
			" -append_partition 2 C12A7328-F81F-11D2-BA4B-00A0C93EC93B MEDIA/boot/uefi.img -iso_mbr_part_type EBD0A0A2-B9E5-4433-87C0-68B6B72699C7" +
			" -c boot.cat --boot-catalog-hide -b boot/eltorito.img" + appended), sound, true},
		"isohybrid":   {"xorriso", words("-as mkisofs -R -J -V HYBRID -isohybrid-mbr " + isolinuxMBR + " " + isolinux + " -o OUT MEDIA"), "", false},
		"genisoimage": {"genisoimage", words("-quiet -R -J -V GEN " + isolinux + " -o OUT MEDIA"), "", false},
		"no Joliet":   {"genisoimage", words("-quiet -R -V GEN " + isolinux + " -o OUT MEDIA"), "", false},
	}
}

// media makes a folder with the files of an image.
func media(t *testing.T) string {
	t.Helper()
	modules := os.DirFS(filepath.Dir(oracle.File(t, "/usr/lib/grub/i386-pc/moddep.lst")))
	eltorito, err := grub.ElTorito(modules, "/boot/grub", grub.ISOModules())
	require.NoError(t, err)
	hybrid, err := fs.ReadFile(modules, "boot_hybrid.img")
	require.NoError(t, err)
	dir := t.TempDir()
	put := func(name string, content []byte) {
		name = filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, content, 0o644))
	}
	put("boot/eltorito.img", eltorito)
	put("boot/boot_hybrid.img", hybrid)
	for from, to := range map[string]string{
		"/usr/lib/ISOLINUX/isolinux.bin":             "isolinux/isolinux.bin",
		"/usr/lib/syslinux/modules/bios/ldlinux.c32": "isolinux/ldlinux.c32",
	} {
		b, err := os.ReadFile(oracle.File(t, from))
		require.NoError(t, err)
		put(to, b)
	}
	put("boot/grub/grub.cfg", []byte("linux /live/vmlinuz boot=live\n"))
	put("live/vmlinuz", bytes.Repeat([]byte("kernel\n"), 50000))
	put("live/initrd.img", []byte("ramdisk"))
	put("live/filesystem.squashfs", bytes.Repeat([]byte("root\n"), 300000))
	put("live/a/b/c/d/e/f/g/h/i/deep", []byte("deep"))
	put("live/deep", nil)
	put("secret.txt", bytes.Repeat([]byte("SECRET OF THE OLD IMAGE\n"), 1000))
	put("live/old.txt", bytes.Repeat([]byte("TEXT THAT IS REPLACED\n"), 1000))
	put("folder/one", []byte("ONE IN A FOLDER"))
	put("folder/two/three", []byte("THREE IN A FOLDER"))
	require.NoError(t, os.Symlink("../live/vmlinuz", filepath.Join(dir, "boot/vmlinuz")))
	require.NoError(t, os.Symlink("live", filepath.Join(dir, "casper")))
	esp := filepath.Join(dir, "boot/uefi.img")
	require.NoError(t, os.WriteFile(esp, make([]byte, 2<<20), 0o644))
	oracle.Run(t, "mkfs.vfat", "-n", "EFI", esp)
	return dir
}

// image makes an image of media.
func (w writer) image(t *testing.T, media string) string {
	t.Helper()
	oracle.File(t, isolinuxMBR)
	iso := filepath.Join(t.TempDir(), "old.iso")
	args := make([]string, len(w.args))
	for i, a := range w.args {
		a = strings.ReplaceAll(strings.ReplaceAll(a, "MEDIA", media), "=MBR", "="+media+"/boot/boot_hybrid.img")
		args[i] = strings.ReplaceAll(a, "OUT", iso)
	}
	oracle.Run(t, w.program, args...)
	return iso
}

// overlayFiles are put over the images of this test.
func overlayFiles() fstest.MapFS {
	return fstest.MapFS{
		"casper/old.txt":              labFile([]byte("new text")),
		"boot/grub/grub.cfg":          labFile([]byte("new menu")),
		"added/of course/Ünïcödé.txt": labFile([]byte("added")),
		"added/empty":                 labFile(nil),
		"live/vmlinuz":                labFile(bytes.Repeat([]byte("new kernel\n"), 70000)),
	}
}

// remastered remasters the image called old.
func remastered(t *testing.T, old string, opts ...isobuild.Option) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "new.iso")
	f, err := os.Create(name)
	require.NoError(t, err)
	defer f.Close()
	size, err := isobuild.Remaster(t.Context(), f, section(t, old), opts...)
	require.NoError(t, err)
	info, err := f.Stat()
	require.NoError(t, err)
	require.Equal(t, info.Size(), size)
	return name
}

func changes() []isobuild.Option {
	return []isobuild.Option{
		isobuild.WithFiles(overlayFiles()), isobuild.WithCloudConfig([]byte("#cloud-config\n")), isobuild.WithRemove("secret.txt", "/folder"),
	}
}

func TestRemaster(t *testing.T) {
	t.Parallel()

	folder := media(t)
	for name, w := range writers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			old := w.image(t, folder)
			before, err := os.ReadFile(old)
			require.NoError(t, err)
			name := remastered(t, old, changes()...)
			checkTrees(t, old, name, w.own)
			checkBoot(t, old, name)
			checkNetworkBoot(t, old, 350000, "boot=live")
			checkNetworkBoot(t, name, 770000, "")
			checkTables(t, old, name, w.tables)
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, gone := range []string{"SECRET OF", "TEXT THAT IS", "ONE IN A", "THREE IN A", "secret.txt", "SECRET.TXT", ucs2("secret.txt"), "kernel\nkernel\nkernel"} {
				assert.False(t, bytes.Contains(b, []byte(gone)), gone)
			}
			after, err := os.ReadFile(old)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(before, after))

			again, err := os.ReadFile(remastered(t, old, changes()...))
			require.NoError(t, err)
			assert.True(t, bytes.Equal(b, again), "the same input gives other bytes")

			second := remastered(t, name, isobuild.WithFiles(fstest.MapFS{"config.yaml": labFile([]byte("second"))}), isobuild.WithVolumeID("SECOND"))
			assert.Equal(t, "SECOND", opened(t, second).Volume().ID)
			assert.Equal(t, "second", read(t, opened(t, second), "config.yaml"))
			checkBoot(t, old, second)
			checkTables(t, old, second, w.tables)
		})
	}
}

// ucs2 returns an ASCII name as Joliet records it.
func ucs2(name string) string {
	var b strings.Builder
	for _, c := range name {
		b.WriteByte(0)
		b.WriteRune(c)
	}
	return b.String()
}

// checkTables compares the problems that sgdisk finds: none that the old image
// did not have, and none at all where a distribution's tables can have none.
func checkTables(t *testing.T, old, name, want string) {
	t.Helper()
	problems := func(name string) []string {
		out, _ := exec.CommandContext(t.Context(), oracle.Need(t, "sgdisk"), "-v", name).CombinedOutput()
		var lines []string
		for line := range strings.SplitSeq(string(out), "\n") {
			if strings.HasPrefix(line, "Problem") || strings.HasPrefix(line, "Warning") || strings.HasPrefix(line, sound) {
				line, _, _ = strings.Cut(line, ".")
				lines = append(lines, line)
			}
		}
		return lines
	}
	if want == sound {
		assert.Equal(t, []string{sound}, problems(name))
		return
	}
	assert.Equal(t, problems(old), problems(name))
}

// checkTrees compares the files of the remastered image with what they should
// be, in all trees and by several readers.
func checkTrees(t *testing.T, old, name string, own bool) {
	t.Helper()
	want := make(map[string]string)
	before := opened(t, old)
	require.NoError(t, fs.WalkDir(before, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && name != "secret.txt" && !strings.HasPrefix(name, "folder/") {
			want[name] = read(t, before, name)
		}
		return err
	}))
	for name, f := range overlayFiles() {
		want[strings.Replace(name, "casper/", "live/", 1)] = string(f.Data)
	}
	want["config.yaml"] = "#cloud-config\n"
	delete(want, "isolinux/boot.cat") // The catalogue changes with what it leads to.
	delete(want, "boot.catalog")

	for _, names := range []iso9660.Names{iso9660.RockRidge, iso9660.Joliet} {
		if names == iso9660.Joliet && !before.Volume().Joliet {
			continue
		}
		f := section(t, name)
		im, err := iso9660.Open(f, f.Size(), iso9660.WithNames(names))
		require.NoError(t, err)
		assert.Equal(t, want, regular(t, im), names.String())
		assert.Equal(t, before.Volume().ID, im.Volume().ID)
		assert.Equal(t, before.Volume().Modified, im.Volume().Modified)
		assert.Equal(t, f.Size(), int64(im.Volume().Blocks)*iso9660.BlockSize)
	}
	link, err := opened(t, name).ReadLink("casper")
	require.NoError(t, err)
	assert.Equal(t, "live", link)

	dir := filepath.Join(t.TempDir(), "files")
	oracle.Run(t, "xorriso", "-osirrox", "on", "-indev", name, "-extract", "/", dir)
	oracle.Run(t, "chmod", "-R", "u+rwX", dir)
	assert.Equal(t, want, regular(t, os.DirFS(dir)), "extracted by xorriso")
	assert.Contains(t, oracle.Run(t, "isoinfo", "-l", "-R", "-i", name), "config.yaml")
	if !own {
		return
	}
	part := filepath.Join(t.TempDir(), "partition")
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(part, b[16*iso9660.BlockSize:], 0o644))
	assert.Equal(t, want, regular(t, opened(t, part)), "in the first partition")
	assert.Contains(t, oracle.Run(t, "isoinfo", "-f", "-R", "-i", part), "/config.yaml")
}

// regular returns the regular files of a tree.
func regular(t *testing.T, fsys fs.FS) map[string]string {
	t.Helper()
	files := make(map[string]string)
	require.NoError(t, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && name != "isolinux/boot.cat" && name != "boot.catalog" {
			files[name] = read(t, fsys, name)
		}
		return err
	}))
	return files
}

// checkBoot compares what boots: the images behind the boot catalogue, and the
// partitions for UEFI.
func checkBoot(t *testing.T, old, name string) {
	t.Helper()
	a, b := section(t, old), section(t, name)
	before, err := opened(t, old).Catalog()
	require.NoError(t, err)
	after, err := opened(t, name).Catalog()
	require.NoError(t, err)
	require.Len(t, after.Entries, len(before.Entries))
	for i, e := range before.Entries {
		f := after.Entries[i]
		size := max(int(e.Sectors)*512, 2048)
		x, y := make([]byte, size), make([]byte, size)
		_, err := a.ReadAt(x, int64(e.Block)*iso9660.BlockSize)
		require.NoError(t, err)
		_, err = b.ReadAt(y, int64(f.Block)*iso9660.BlockSize)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(x, y), "boot image %d", i)
		if e.Platform == iso9660.PlatformBIOS {
			assert.Equal(t, e.Block, f.Block)
		}
		e.Block = f.Block
		assert.Equal(t, e, f)
	}
	assert.Equal(t, report(t, old, before), report(t, name, after))
}

// checkNetworkBoot compares what a network boot needs of an image of media.
func checkNetworkBoot(t *testing.T, name string, kernel int64, cmdline string) {
	t.Helper()
	im, err := isobuild.Open(section(t, name))
	require.NoError(t, err)
	b, err := im.Boot()
	require.NoError(t, err)
	assert.Equal(t, "Debian live", b.Layout)
	assert.Equal(t, []string{"live/vmlinuz", "live/initrd.img", "live/filesystem.squashfs"}, []string{b.Kernel.Name, b.Initrd.Name, b.RootFS.Name})
	assert.Equal(t, kernel, b.Kernel.Size())
	assert.Equal(t, cmdline, b.Cmdline)
}

// report returns what xorriso says of how an image boots, without what may
// change.
func report(t *testing.T, name string, c *iso9660.Catalog) []string {
	t.Helper()
	var lines []string
	out := oracle.Run(t, "xorriso", "-indev", name, "-report_el_torito", "plain", "-report_system_area", "plain")
	for line := range strings.SplitSeq(out, "\n") {
		for _, start := range []string{"El Torito", "System area summary", "Partition offset", "MBR heads", "MBR secs", "GPT partname", "GPT type", "GPT partition flags", "GPT partition path", "MBR partition path", "APM"} {
			if strings.HasPrefix(line, start) {
				for _, e := range c.Entries {
					line = strings.TrimSpace(strings.TrimSuffix(line, fmt.Sprintf(" %d", e.Block)))
				}
				// This it knows from a note of its own, which is no part of the standard.
				lines = append(lines, strings.Replace(line, " boot-info-table", "", 1))
			}
		}
	}
	return lines
}

func TestRemasterForeignImages(t *testing.T) {
	t.Parallel()

	for _, old := range []string{
		"/usr/lib/grub-rescue/grub-rescue-cdrom.iso",
		"/usr/lib/memtest86+/memtest86+x64.iso",
		"/usr/lib/memtest86+/memtest86+ia32.iso",
		"/usr/lib/ipxe/ipxe.iso",
	} {
		t.Run(filepath.Base(old), func(t *testing.T) {
			t.Parallel()

			old := oracle.File(t, old)
			name := remastered(t, old, isobuild.WithCloudConfig([]byte("config")))
			want := regular(t, opened(t, old))
			want["config.yaml"] = "config"
			got := regular(t, opened(t, name))
			for file, content := range want {
				if opened(t, old).Volume().Names == iso9660.Plain {
					file = strings.ToLower(file)
				}
				assert.Equal(t, content, got[file], file)
			}
			assert.Len(t, got, len(want))
			checkBoot(t, old, name)
		})
	}
}

// TestRemasterGrownInPlace takes an image that xorriso has changed in place, so
// that its first partition cannot be mounted any more.
func TestRemasterGrownInPlace(t *testing.T) {
	t.Parallel()

	old := writers()["Kairos"].image(t, media(t))
	config := filepath.Join(t.TempDir(), "config")
	require.NoError(t, os.WriteFile(config, []byte("IN PLACE"), 0o644))
	oracle.Run(t, "xorriso", "-indev", old, "-outdev", old, "-map", config, "/config.yaml", "-boot_image", "any", "replay")
	assert.Equal(t, "IN PLACE", read(t, opened(t, old), "config.yaml"))

	name := remastered(t, old, changes()...)
	checkTrees(t, old, name, false)
	checkBoot(t, old, name)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.False(t, bytes.Contains(b, []byte("IN PLACE")))
	assert.Equal(t, make([]byte, 4*iso9660.BlockSize), b[32*iso9660.BlockSize:36*iso9660.BlockSize])
	assert.Contains(t, oracle.Run(t, "sgdisk", "-v", name), sound)
}

// TestRemasterOtherNames takes images without Rock Ridge.
func TestRemasterOtherNames(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "Boot/Sub Folder"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Boot/Kernel.img"), []byte("kernel"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Boot/Sub Folder/a"), []byte("a"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Boot/Menu.cfg"), []byte("LABEL=OLD"), 0o644))
	for name, tt := range map[string]struct {
		args    []string
		overlay string
		want    map[string]string
	}{
		"Joliet": {
			args: []string{"-J"}, overlay: "Boot/new",
			want: map[string]string{"Boot/Kernel.img": "kernel", "Boot/Sub Folder/a": "a", "Boot/Menu.cfg": "LABEL=NEW", "Boot/new": "new"},
		},
		"plain": {
			overlay: "boot/new",
			want:    map[string]string{"boot/kernel.img": "kernel", "boot/sub_fold/a": "a", "boot/menu.cfg": "LABEL=NEW", "boot/new": "new"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			old := filepath.Join(t.TempDir(), "old.iso")
			oracle.Run(t, "genisoimage", append(tt.args, "-quiet", "-input-charset", "utf-8", "-V", "OLD", "-o", old, dir)...)
			im := opened(t, remastered(t, old, isobuild.WithFiles(fstest.MapFS{tt.overlay: labFile([]byte("new"))}), isobuild.WithVolumeID("NEW")))
			assert.Equal(t, tt.want, regular(t, im))
			assert.True(t, im.Volume().RockRidge)
			assert.Equal(t, tt.args != nil, im.Volume().Joliet)
		})
	}
}

// TestRemasterEnhanced takes an image of level 4, which has one more descriptor
// (ISO 9660:1999) for the directories that go: the descriptor goes as well.
func TestRemasterEnhanced(t *testing.T) {
	t.Parallel()

	old := filepath.Join(t.TempDir(), "old.iso")
	oracle.Run(t, "genisoimage", "-quiet", "-R", "-J", "-iso-level", "4", "-V", "FOUR", "-o", old, media(t))
	require.True(t, opened(t, old).Volume().Enhanced)
	name := remastered(t, old, isobuild.WithCloudConfig([]byte("config")))
	v := opened(t, name).Volume()
	assert.False(t, v.Enhanced)
	assert.True(t, v.RockRidge && v.Joliet)
	for _, names := range []string{"-R", "-J"} {
		assert.Contains(t, oracle.Run(t, "isoinfo", "-f", names, "-i", name), "/config.yaml\n", names)
	}
	want := regular(t, opened(t, old))
	want["config.yaml"] = "config"
	assert.Equal(t, want, regular(t, opened(t, name)))
}

// TestRemasterZeroesWhatIsHidden takes an image with files that only one of its
// trees shows: those of the tree that is read stay, and what boots.
func TestRemasterZeroesWhatIsHidden(t *testing.T) {
	t.Parallel()

	folder := media(t)
	old := filepath.Join(t.TempDir(), "old.iso")
	oracle.Run(t, "genisoimage", "-quiet", "-R", "-J", "-V", "GEN", "-b", "isolinux/isolinux.bin", "-c", "isolinux/boot.cat", "-no-emul-boot",
		"-boot-load-size", "4", "-boot-info-table", "-hide", "isolinux", "-hide", "secret.txt", "-hide-joliet", "old.txt", "-o", old, folder)
	require.NotContains(t, regular(t, opened(t, old)), "secret.txt")
	name := remastered(t, old)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.False(t, bytes.Contains(b, []byte("SECRET OF")), "only Joliet shows it")
	assert.False(t, bytes.Contains(b, []byte(ucs2("secret.txt"))))
	assert.Equal(t, regular(t, opened(t, old)), regular(t, opened(t, name)))
	assert.Contains(t, regular(t, opened(t, name)), "live/old.txt")
	checkBoot(t, old, name)
	program, err := os.ReadFile(filepath.Join(folder, "isolinux/isolinux.bin"))
	require.NoError(t, err)
	assert.True(t, bytes.Contains(b, program[64:]), "what boots is whole, though no tree shows it")
}

// TestRemasterWithChecksums takes images that xorriso has noted checksums in,
// which it then looks at before all else.
func TestRemasterWithChecksums(t *testing.T) {
	t.Parallel()

	folder := media(t)
	for _, offset := range []string{"0", "16"} {
		old := filepath.Join(t.TempDir(), "old.iso")
		oracle.Run(t, "xorriso", "-as", "mkisofs", "-R", "-J", "--md5", "-partition_offset", offset, "-o", old, folder)
		name := remastered(t, old, changes()...)
		assert.Contains(t, oracle.Run(t, "xorriso", "-md5", "on", "-indev", name, "-find", "/"), "'/config.yaml'")
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.False(t, bytes.Contains(b, []byte("checksum_tag_v1 pos=")))
	}
}

// TestRemasterWhereAPartitionStartsLater takes an image whose first partition
// mounts by itself, and is not where distributions have it.
func TestRemasterWhereAPartitionStartsLater(t *testing.T) {
	t.Parallel()

	const start = 64 * iso9660.BlockSize
	dir, old := t.TempDir(), filepath.Join(t.TempDir(), "old.iso")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("SECRET"), 0o644))
	oracle.Run(t, "xorriso", "-as", "mkisofs", "-R", "-J", "-V", "LATER", "-partition_offset", "64", "-o", old, dir)
	name := remastered(t, old, isobuild.WithRemove("secret.txt"), isobuild.WithFiles(fstest.MapFS{"new": labFile([]byte("new"))}))
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	part := filepath.Join(t.TempDir(), "partition")
	require.NoError(t, os.WriteFile(part, b[start:], 0o644))
	for _, name := range []string{name, part} {
		assert.Equal(t, map[string]string{"new": "new"}, regular(t, opened(t, name)))
		assert.Contains(t, oracle.Run(t, "isoinfo", "-f", "-R", "-i", name), "/new")
	}
	for _, gone := range []string{"secret.txt", "SECRET", ucs2("secret.txt")} {
		assert.False(t, bytes.Contains(b, []byte(gone)), gone)
	}
	assert.Equal(t, report(t, old, &iso9660.Catalog{}), report(t, name, &iso9660.Catalog{}))
}

// TestRemasterKeepsHFS takes an image with HFS+ and an appended partition, before
// which HFS+ has its map of blocks and its second header.
func TestRemasterKeepsHFS(t *testing.T) {
	t.Parallel()

	folder := media(t)
	old := filepath.Join(t.TempDir(), "old.iso")
	oracle.Run(t, "xorriso", "-as", "mkisofs", "-R", "-V", "HFS", "-hfsplus", "-apm-block-size", "2048",
		"-append_partition", "2", "0xef", folder+"/boot/uefi.img", "-o", old, folder)
	a, err := os.ReadFile(old)
	require.NoError(t, err)
	const second = 446 + 16 + 8 // where the MBR says what partition 2 starts with
	end := int(binary.LittleEndian.Uint32(a[second:])) * 512
	require.Equal(t, "H+", string(a[end-1024:end-1022]))

	b, err := os.ReadFile(remastered(t, old, changes()...))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(a[end-2*iso9660.BlockSize:end], b[end-2*iso9660.BlockSize:end]))
	assert.Equal(t, "#cloud-config\n", read(t, treeOf(t, b), "config.yaml"))
}

// TestRemasterWithoutPadding takes an image that ends with its last file.
func TestRemasterWithoutPadding(t *testing.T) {
	t.Parallel()

	dir, old := t.TempDir(), filepath.Join(t.TempDir(), "old.iso")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a/b"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("old"), 0o644))
	oracle.Run(t, "xorriso", "-as", "mkisofs", "-R", "-no-pad", "-o", old, dir)
	for blocks := range 32 { // Xorriso reads as many at a time.
		name := remastered(t, old, isobuild.WithFiles(fstest.MapFS{"new": labFile(make([]byte, blocks*iso9660.BlockSize))}))
		assert.Contains(t, oracle.Run(t, "xorriso", "-indev", name, "-find", "/"), "'/a/b'")
	}
}

// plainPair returns an image without Rock Ridge and Joliet of FILE0 and FILE1.
func plainPair(t *testing.T, first, second string) []byte {
	t.Helper()
	dir, name := t.TempDir(), filepath.Join(t.TempDir(), "old.iso")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "FILE0"), []byte(first), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "FILE1"), []byte(second), 0o644))
	oracle.Run(t, "genisoimage", "-quiet", "-input-charset", "utf-8", "-o", name, dir)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return b
}

// TestRemasterOfNamesInTwoCases takes an image without Rock Ridge that has
// names of any letters, of which one would replace the other in lower case.
func TestRemasterOfNamesInTwoCases(t *testing.T) {
	t.Parallel()

	b := plainPair(t, "upper", "lower")
	b = bytes.ReplaceAll(b, []byte("FILE1."), []byte("file0."))
	var out bytes.Buffer
	_, err := isobuild.Remaster(t.Context(), &out, bytes.NewReader(b))
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.EqualError(t, err, "isobuild: remaster: file0: has the name of another file in lower case: unsupported operation")
	assert.Zero(t, out.Len())
}

// TestRemasterZeroesLongNames takes an image whose records all go on in the
// block that the root's own record goes on in.
func TestRemasterZeroesLongNames(t *testing.T) {
	t.Parallel()

	dir, old := t.TempDir(), filepath.Join(t.TempDir(), "old.iso")
	for _, name := range []string{strings.Repeat("SECRET", 40), strings.Repeat("OPEN", 60)} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
	}
	oracle.Run(t, "xorriso", "-as", "mkisofs", "-R", "-o", old, dir)
	name := remastered(t, old, isobuild.WithRemove(strings.Repeat("SECRET", 40)))
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.False(t, bytes.Contains(b, []byte("SECRET")))
	assert.Equal(t, map[string]string{strings.Repeat("OPEN", 60): strings.Repeat("OPEN", 60)}, regular(t, opened(t, name)))
}

// TestRemasterZeroesDirectories takes an image with directories of ISO
// 9660:1999, which are left out.
func TestRemasterZeroesDirectories(t *testing.T) {
	t.Parallel()

	dir, old := t.TempDir(), filepath.Join(t.TempDir(), "old.iso")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret.txt"), []byte("SECRET"), 0o644))
	oracle.Run(t, "xorriso", "-compliance", "iso_9660_1999", "-outdev", old, "-map", dir, "/")
	f := section(t, old)
	im, err := iso9660.Open(f, f.Size(), iso9660.WithNames(iso9660.Enhanced))
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"secret.txt": "SECRET"}, regular(t, im))
	b, err := os.ReadFile(remastered(t, old, isobuild.WithRemove("secret.txt")))
	require.NoError(t, err)
	assert.False(t, bytes.Contains(bytes.ToLower(b), []byte("secret")))
	assert.False(t, treeOf(t, b).Volume().Enhanced)
}

// TestRemasterZeroesOldVersions takes an image that has two versions of a file.
func TestRemasterZeroesOldVersions(t *testing.T) {
	t.Parallel()

	b := plainPair(t, "NEW VERSION", "OLD VERSION")
	b = bytes.ReplaceAll(b, []byte("FILE0.;1"), []byte("FILE0.;2"))
	b = bytes.ReplaceAll(b, []byte("FILE1.;1"), []byte("FILE0.;1"))
	b = remasterBytes(t, bytes.NewReader(b))
	assert.Equal(t, map[string]string{"file0": "NEW VERSION"}, regular(t, treeOf(t, b)))
	assert.False(t, bytes.Contains(b, []byte("OLD VERSION")))
}

// TestRemasterWhenCompressed takes an image with files that readers unpack.
func TestRemasterWhenCompressed(t *testing.T) {
	t.Parallel()

	old := filepath.Join(t.TempDir(), "old.iso")
	oracle.Run(t, "xorriso", "-outdev", old, "-map", media(t), "/", "-set_filter_r", "--zisofs", "/live/filesystem.squashfs", "--")
	var out bytes.Buffer
	_, err := isobuild.Remaster(t.Context(), &out, section(t, old))
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "isobuild: remaster: extents live/filesystem.squashfs: compressed by zisofs")
	assert.Zero(t, out.Len())
}
