package isobuild_test

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/live"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
	"github.com/netbootkit/netbootkit/isobuild"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// vmConfig is a cloud config with line ends of two kinds, tabs, letters that are
// not ASCII, and no line end at its end.
const vmConfig = "#cloud-config\r\nhostname: \"blåbær\"\n\tbytes: \"\x7f \u2028\"\n# end"

// vmTime is when images are made.
func vmTime() time.Time { return time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC) }

// vmRoot returns the root file system of a Debian with everything that an image
// is made of.
func vmRoot(tb testing.TB) *artifacts.Tree {
	tb.Helper()
	file := section(tb, vmtest.LiveRootT(tb))
	tree, err := artifacts.OpenTar(file, file.Size())
	require.NoError(tb, err)
	return tree
}

// vmOptions are those of an image whose system reports how it was booted.
func vmOptions(opts ...isobuild.Option) []isobuild.Option {
	return append([]isobuild.Option{
		isobuild.WithTime(vmTime()),
		isobuild.WithCloudConfig([]byte(vmConfig)),
		isobuild.WithConsoles("tty1", "ttyS0,115200"),
		isobuild.WithCmdline(vmtest.LiveInit, vmtest.LiveQuick),
		isobuild.WithSquashfs(squashfs.WithCompression(squashfs.Zstd), squashfs.WithLevel(1), squashfs.WithBlockSize(128<<10)),
	}, opts...)
}

// A boot is a way to boot an image.
type boot struct {
	firmware vmtest.Firmware
	kind     vmtest.DriveKind
}

// String returns the name of a test.
func (b boot) String() string {
	return map[vmtest.Firmware]string{
		vmtest.BIOS: "BIOS", vmtest.UEFI: "UEFI", vmtest.UEFISecure: "Secure Boot", vmtest.UEFIArm: "arm64",
	}[b.firmware] + ", " + map[vmtest.DriveKind]string{
		vmtest.CD: "CD", vmtest.USB: "USB stick", vmtest.Disk: "disk", vmtest.Virtio: "virtio",
	}[b.kind]
}

// vmBoot switches on a machine with an image and takes the first entry of its
// menu.
func vmBoot(tb testing.TB, image string, b boot) (context.Context, *vmtest.Machine) {
	tb.Helper()
	m := vmtest.BootT(tb, vmtest.Spec{
		Firmware: b.firmware, Memory: 1024,
		Drives: []vmtest.Drive{{Kind: b.kind, File: image}},
	})
	ctx, cancel := context.WithTimeout(tb.Context(), 4*time.Minute)
	tb.Cleanup(cancel)
	require.NoError(tb, m.Console.Await(ctx, `executed automatically in`))
	require.NoError(tb, m.Type("\r"))
	return ctx, m
}

// reports boots an image and returns what its live system says, once it is
// right about the machine, about where its root comes from, and about the files
// of the image.
func reports(tb testing.TB, image string, b boot) *live.Report {
	tb.Helper()
	ctx, m := vmBoot(tb, image, b)
	r, err := m.Live(ctx)
	require.NoError(tb, err)
	require.NoError(tb, m.Wait(ctx))
	at, _ := m.Console.Time(live.Done)
	tb.Logf("%v: reported after %v", b, at.Sub(m.Started).Round(100*time.Millisecond))

	assert.Equal(tb, b.firmware != vmtest.BIOS, r.UEFI, "UEFI")
	assert.Equal(tb, b.firmware == vmtest.UEFISecure, r.SecureBoot, "Secure Boot")
	root, err := r.Mount("/")
	require.NoError(tb, err)
	assert.Equal(tb, "overlay", root.Type)
	medium, err := r.Mount(live.Medium)
	require.NoError(tb, err)
	assert.Equal(tb, "iso9660", medium.Type)
	device := map[vmtest.DriveKind]string{vmtest.CD: "/dev/sr", vmtest.USB: "/dev/sd"}[b.kind]
	assert.True(tb, strings.HasPrefix(medium.Source, device), medium.Source)
	tb.Logf("root: %v; medium: %v", root, medium)
	assert.Contains(tb, strings.Fields(r.Cmdline), "rd.live.squashimg=rootfs.squashfs")

	iso, err := isobuild.Open(section(tb, image))
	require.NoError(tb, err)
	want, err := manifest.FS(iso)
	require.NoError(tb, err)
	if strings.HasPrefix(medium.Source, "/dev/sd") && strings.HasSuffix(medium.Source, "1") {
		// Build leaves the EFI system partition out of the first one.
		delete(want, "boot/uefi.img")
		delete(r.Media, "boot/uefi.img")
	}
	assert.Empty(tb, manifest.Diff(vmSeen(want, live.MaxMedia), vmSeen(r.Media, live.MaxMedia)))
	return r
}

// vmSeen is what a live system tells of files.
func vmSeen(m manifest.Manifest, maxSize int64) manifest.Manifest {
	return m.Edit(func(_ string, e *manifest.Entry) {
		e.Links, e.Same = 0, ""
		if e.Size > maxSize {
			e.Sum = ""
		}
	})
}

// kairosISO makes an image of a root with the programs and arguments that
// AuroraBoot uses for a Kairos. Its menu starts the reporting system.
func kairosISO(tb testing.TB, root fs.FS) string {
	tb.Helper()
	dir := tb.TempDir()
	tree := filepath.Join(dir, "tree")
	run := func(name string, args ...string) {
		cmd := exec.CommandContext(tb.Context(), oracle.Need(tb, name), args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(tb, err, string(out))
	}
	write := func(name string, data []byte) {
		file := filepath.Join(tree, name)
		require.NoError(tb, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(tb, os.WriteFile(file, data, 0o644))
	}
	copyOf := func(from, to string) {
		names, err := fs.Glob(root, from)
		require.NoError(tb, err)
		require.Len(tb, names, 1, from)
		data, err := fs.ReadFile(root, names[0])
		require.NoError(tb, err)
		write(to, data)
	}
	copyOf("boot/vmlinuz-*", "boot/kernel")
	copyOf("boot/initrd.img-*", "boot/initrd")
	copyOf("usr/lib/grub/i386-pc/boot_hybrid.img", "boot/boot_hybrid.img")
	write("config.yaml", []byte("#cloud-config\n# of the foreign image\n"))
	write("boot/grub2/grub.cfg", []byte(`search --no-floppy --file --set=root /boot/kernel
set timeout=10
if [ "${grub_platform}" = pc ]; then
	serial --unit=0 --speed=115200
	terminal_input serial console
	terminal_output serial console
fi
menuentry "Kairos" {
	linux ($root)/boot/kernel cdroot root=live:CDLABEL=COS_LIVE rd.live.dir=/ rd.live.squashimg=rootfs.squashfs net.ifnames=1 console=tty1 console=ttyS0 rd.cos.disable vga=795 nomodeset selinux=0 rd.live.overlay.overlayfs `+vmtest.LiveInit+" "+vmtest.LiveQuick+`
	initrd ($root)/boot/initrd
}
`))
	stub := []byte("search --no-floppy --file --set=root /boot/kernel\nset prefix=($root)/boot/grub2\nconfigfile $prefix/grub.cfg\n")
	write("EFI/BOOT/grub.cfg", stub)
	write("boot/grub/grub.cfg", stub)

	tar, err := os.Open(vmtest.LiveRootT(tb))
	require.NoError(tb, err)
	defer tar.Close()
	pack := exec.CommandContext(tb.Context(), oracle.Need(tb, "mksquashfs"), "-", filepath.Join(tree, "rootfs.squashfs"),
		"-tar", "-comp", "zstd", "-Xcompression-level", "1", "-quiet", "-no-progress")
	pack.Stdin = tar
	out, err := pack.CombinedOutput()
	require.NoError(tb, err, string(out))

	run("grub-mkimage", "-O", "i386-pc-eltorito", "-p", "/boot/grub2", "-o", "tree/boot/eltorito.img",
		"iso9660", "linux", "echo", "configfile", "search", "search_fs_file", "normal", "test", "part_gpt", "part_msdos",
		"biosdisk", "boot", "serial", "terminal")
	const esp = "tree/boot/uefi.img"
	require.NoError(tb, os.WriteFile(filepath.Join(dir, esp), make([]byte, 8<<20), 0o644))
	run("mkfs.vfat", "-n", "EFI_LIVE", esp)
	run("mmd", "-i", esp, "::/EFI", "::/EFI/BOOT", "::/EFI/debian", "::/boot", "::/boot/grub")
	run("mcopy", "-i", esp, "/usr/lib/shim/shimx64.efi.signed", "::/EFI/BOOT/bootx64.efi")
	run("mcopy", "-i", esp, "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "::/EFI/BOOT/grubx64.efi")
	for _, folder := range []string{"EFI/BOOT", "EFI/debian", "boot/grub"} {
		run("mcopy", "-i", esp, "tree/boot/grub/grub.cfg", "::/"+folder+"/grub.cfg")
	}
	run("xorriso", "-volid", "COS_LIVE", "-joliet", "on", "-padding", "0", "-outdev", "kairos.iso",
		"-map", "tree", "/", "-chmod", "0755", "--",
		"-boot_image", "grub", "bin_path=/boot/eltorito.img",
		"-boot_image", "grub", "grub2_mbr=tree/boot/boot_hybrid.img",
		"-boot_image", "grub", "grub2_boot_info=on",
		"-boot_image", "any", "partition_offset=16",
		"-boot_image", "any", "cat_path=/boot/boot.catalog",
		"-boot_image", "any", "cat_hidden=on",
		"-boot_image", "any", "boot_info_table=on",
		"-boot_image", "any", "platform_id=0x00",
		"-boot_image", "any", "emul_type=no_emulation",
		"-boot_image", "any", "load_size=2048",
		"-append_partition", "2", "0xef", esp,
		"-boot_image", "any", "next",
		"-boot_image", "any", "efi_path=--interval:appended_partition_2:all::",
		"-boot_image", "any", "platform_id=0xef",
		"-boot_image", "any", "emul_type=no_emulation",
		"-boot_image", "any", "mbr_force_bootable=on",
		"-boot_image", "any", "appended_part_as=gpt")
	return filepath.Join(dir, "kairos.iso")
}
