package boottree_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/boottree"
)

// layout makes a tree: "path" is a file, "path -> target" a link, "path!" an
// empty file.
func layout(lines ...string) fstest.MapFS {
	tree := fstest.MapFS{}
	for _, line := range lines {
		if name, target, ok := strings.Cut(line, " -> "); ok {
			tree[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
		} else if name, _, ok := strings.Cut(line, "!"); ok {
			tree[name] = &fstest.MapFile{}
		} else {
			tree[line] = &fstest.MapFile{Data: []byte(line)}
		}
	}
	return tree
}

// TestFindBoot has the layouts of distributions, as their packages install
// them.
func TestFindBoot(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		tree fstest.MapFS
		want boottree.Boot
	}{
		"Debian 12": {
			layout("boot/System.map-6.1.0-9-amd64", "boot/config-6.1.0-9-amd64", "boot/grub/grub.cfg",
				"boot/initrd.img-6.1.0-10-amd64", "boot/initrd.img-6.1.0-9-amd64",
				"boot/vmlinuz-6.1.0-10-amd64", "boot/vmlinuz-6.1.0-9-amd64",
				"initrd.img -> boot/initrd.img-6.1.0-10-amd64", "initrd.img.old -> boot/initrd.img-6.1.0-9-amd64",
				"vmlinuz -> boot/vmlinuz-6.1.0-10-amd64", "vmlinuz.old -> boot/vmlinuz-6.1.0-9-amd64"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.1.0-10-amd64", Initrd: "boot/initrd.img-6.1.0-10-amd64", Version: "6.1.0-10-amd64"},
		},
		"Debian 13": {
			layout("boot/initrd.img-6.12.38+deb13-arm64", "boot/vmlinuz-6.12.38+deb13-arm64",
				"boot/initrd.img-6.12.9-arm64", "boot/vmlinuz-6.12.9-arm64"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.12.38+deb13-arm64", Initrd: "boot/initrd.img-6.12.38+deb13-arm64", Version: "6.12.38+deb13-arm64"},
		},
		"Ubuntu 24.04 with a link to an older kernel": {
			layout("boot/initrd.img -> initrd.img-6.8.0-31-generic", "boot/initrd.img-6.8.0-31-generic",
				"boot/initrd.img-6.11.0-26-generic", "boot/initrd.img.old -> initrd.img-6.8.0-31-generic",
				"boot/vmlinuz -> vmlinuz-6.8.0-31-generic", "boot/vmlinuz-6.8.0-31-generic",
				"boot/vmlinuz-6.11.0-26-generic", "boot/memtest86+x64.efi"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.11.0-26-generic", Initrd: "boot/initrd.img-6.11.0-26-generic", Version: "6.11.0-26-generic"},
		},
		"Fedora 40 with its rescue image": {
			layout("boot/.vmlinuz-6.10.3-200.fc40.x86_64.hmac", "boot/config-6.10.3-200.fc40.x86_64",
				"boot/initramfs-0-rescue-0123456789abcdef0123456789abcdef.img", "boot/vmlinuz-0-rescue-0123456789abcdef0123456789abcdef",
				"boot/initramfs-6.10.3-200.fc40.x86_64.img", "boot/initramfs-6.10.3-200.fc40.x86_64kdump.img",
				"boot/vmlinuz-6.10.3-200.fc40.x86_64", "boot/initramfs-6.9.12-200.fc40.x86_64.img", "boot/vmlinuz-6.9.12-200.fc40.x86_64"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.10.3-200.fc40.x86_64", Initrd: "boot/initramfs-6.10.3-200.fc40.x86_64.img", Version: "6.10.3-200.fc40.x86_64"},
		},
		"Fedora CoreOS": {
			layout("lib -> usr/lib", "usr/lib/modules/6.9.7-200.fc40.x86_64/vmlinuz", "usr/lib/modules/6.9.7-200.fc40.x86_64/initramfs.img",
				"usr/lib/modules/6.9.7-200.fc40.x86_64/modules.dep",
				"usr/lib/ostree-boot/vmlinuz-6.9.7-200.fc40.x86_64-00000000000000000000000000000000000000000000000000000000deadbeef"),
			boottree.Boot{Kernel: "usr/lib/modules/6.9.7-200.fc40.x86_64/vmlinuz", Initrd: "usr/lib/modules/6.9.7-200.fc40.x86_64/initramfs.img", Version: "6.9.7-200.fc40.x86_64"},
		},
		"an ostree deployment": {
			layout("boot/ostree/fedora-1/vmlinuz-6.9.7-0000000000000000000000000000000000000000000000000000000000000abc",
				"boot/ostree/fedora-1/initramfs-6.9.7-0000000000000000000000000000000000000000000000000000000000000abc.img"),
			boottree.Boot{
				Kernel:  "boot/ostree/fedora-1/vmlinuz-6.9.7-0000000000000000000000000000000000000000000000000000000000000abc",
				Initrd:  "boot/ostree/fedora-1/initramfs-6.9.7-0000000000000000000000000000000000000000000000000000000000000abc.img",
				Version: "6.9.7",
			},
		},
		"openSUSE Tumbleweed": {
			layout("boot/initrd -> initrd-6.9.9-1-default", "boot/initrd-6.9.9-1-default", "boot/initrd-6.10.2-1-default",
				"boot/vmlinuz -> vmlinuz-6.10.2-1-default", "boot/vmlinuz-6.10.2-1-default -> ../usr/lib/modules/6.10.2-1-default/vmlinuz",
				"boot/vmlinuz-6.9.9-1-default -> ../usr/lib/modules/6.9.9-1-default/vmlinuz", "boot/initrd-6.10.2-1-default-kdump",
				"usr/lib/modules/6.10.2-1-default/vmlinuz", "usr/lib/modules/6.9.9-1-default/vmlinuz", "usr/lib/modules/6.10.2-1-default/.vmlinuz.hmac"),
			boottree.Boot{Kernel: "usr/lib/modules/6.10.2-1-default/vmlinuz", Initrd: "boot/initrd-6.10.2-1-default", Version: "6.10.2-1-default"},
		},
		"openSUSE Leap on arm64": {
			layout("boot/Image -> Image-6.4.0-150600.21-default", "boot/Image-6.4.0-150600.21-default", "boot/initrd-6.4.0-150600.21-default",
				"boot/initrd -> initrd-6.4.0-150600.21-default", "boot/dtb/x.dtb"),
			boottree.Boot{Kernel: "boot/Image-6.4.0-150600.21-default", Initrd: "boot/initrd-6.4.0-150600.21-default", Version: "6.4.0-150600.21-default"},
		},
		"Kairos on Ubuntu": {
			layout("boot/initrd -> initrd-6.8.0-50-generic", "boot/initrd-6.8.0-50-generic", "boot/vmlinuz -> vmlinuz-6.8.0-50-generic",
				"boot/vmlinuz-6.8.0-50-generic", "boot/config-6.8.0-50-generic"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.8.0-50-generic", Initrd: "boot/initrd-6.8.0-50-generic", Version: "6.8.0-50-generic"},
		},
		"Kairos with links from the root": {
			layout("boot/initrd -> /boot/initrd-6.6.1", "boot/initrd-6.6.1", "boot/vmlinuz -> /boot/vmlinuz-6.6.1", "boot/vmlinuz-6.6.1"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.6.1", Initrd: "boot/initrd-6.6.1", Version: "6.6.1"},
		},
		"Kairos with files that have no version, beside Fedora's modules": {
			layout("boot/vmlinuz", "boot/initrd", "usr/lib/modules/6.10.3/vmlinuz", "usr/lib/modules/6.10.3/modules.dep"),
			boottree.Boot{Kernel: "boot/vmlinuz", Initrd: "boot/initrd"},
		},
		"Raspberry Pi OS": {
			layout("boot/firmware/kernel8.img", "boot/initrd.img-6.6.31+rpt-rpi-2712", "boot/initrd.img-6.6.31+rpt-rpi-v8",
				"boot/vmlinuz-6.6.31+rpt-rpi-2712", "boot/vmlinuz-6.6.31+rpt-rpi-v8"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.6.31+rpt-rpi-2712", Initrd: "boot/initrd.img-6.6.31+rpt-rpi-2712", Version: "6.6.31+rpt-rpi-2712"},
		},
		"Alpine": {
			layout("boot/System.map-6.6.44-0-lts", "boot/config-6.6.44-0-lts", "boot/initramfs-lts", "boot/vmlinuz-lts", "lib/modules/6.6.44-0-lts/modules.dep"),
			boottree.Boot{Kernel: "boot/vmlinuz-lts", Initrd: "boot/initramfs-lts", Version: "lts"},
		},
		"Arch": {
			layout("boot/initramfs-linux-fallback.img", "boot/initramfs-linux.img", "boot/vmlinuz-linux", "usr/lib/modules/6.10.2-arch1-1/vmlinuz"),
			boottree.Boot{Kernel: "boot/vmlinuz-linux", Initrd: "boot/initramfs-linux.img", Version: "linux"},
		},
		"a board with a U-Boot image": {
			layout("boot/uImage", "boot/initrd.gz", "boot/imagemagick.txt"),
			boottree.Boot{Kernel: "boot/uImage", Initrd: "boot/initrd.gz"},
		},
		"a compressed Image on arm64": {
			layout("boot/Image.gz-5.15.0", "boot/Image-5.15.0.gz", "boot/initrd.img-5.15.0"),
			boottree.Boot{Kernel: "boot/Image-5.15.0.gz", Initrd: "boot/initrd.img-5.15.0", Version: "5.15.0"},
		},
		"a kernel with a version, a ramdisk without": {
			layout("boot/vmlinuz-6.1.0", "boot/vmlinuz-6.10.0", "boot/initrd"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.10.0", Initrd: "boot/initrd", Version: "6.10.0"},
		},
		"a ramdisk with a version, a kernel without": {
			layout("boot/zImage", "boot/initramfs-6.1.0.img", "boot/initramfs-6.10.0.img"),
			boottree.Boot{Kernel: "boot/zImage", Initrd: "boot/initramfs-6.10.0.img", Version: "6.10.0"},
		},
		"the newest kernel has no ramdisk": {
			layout("boot/vmlinuz-6.10.0", "boot/vmlinuz-6.9.0", "boot/initrd-6.9.0", "boot/initrd-6.10.0!"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.9.0", Initrd: "boot/initrd-6.9.0", Version: "6.9.0"},
		},
		"one of two ramdisks has no version": {
			layout("boot/vmlinuz-6.1.0", "boot/initrd-5.10.0", "boot/initramfs.img"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.1.0", Initrd: "boot/initramfs.img", Version: "6.1.0"},
		},
		"one of two kernels has no version": {
			layout("boot/vmlinuz-5.10.0", "boot/vmlinuz", "boot/initrd-6.1.0"),
			boottree.Boot{Kernel: "boot/vmlinuz", Initrd: "boot/initrd-6.1.0", Version: "6.1.0"},
		},
		"links to elsewhere in the tree": {
			layout("boot/vmlinuz -> /opt/linux/bzImage", "boot/initrd -> ../opt/linux/ramdisk", "opt/linux/bzImage", "opt/linux/ramdisk"),
			boottree.Boot{Kernel: "opt/linux/bzImage", Initrd: "opt/linux/ramdisk"},
		},
		"ostree's folder for kernels": {
			layout("usr/lib/ostree-boot/vmlinuz-6.9.7-0000000000000000000000000000000000000000000000000000000000000abc",
				"usr/lib/ostree-boot/initramfs-6.9.7.img-0000000000000000000000000000000000000000000000000000000000000abc"),
			boottree.Boot{
				Kernel:  "usr/lib/ostree-boot/vmlinuz-6.9.7-0000000000000000000000000000000000000000000000000000000000000abc",
				Initrd:  "usr/lib/ostree-boot/initramfs-6.9.7.img-0000000000000000000000000000000000000000000000000000000000000abc",
				Version: "6.9.7",
			},
		},
		"a release candidate": {
			layout("boot/vmlinuz-6.10.0-rc7-amd64", "boot/initrd.img-6.10.0-rc7-amd64", "boot/vmlinuz-6.10.0-amd64", "boot/initrd.img-6.10.0-amd64"),
			boottree.Boot{Kernel: "boot/vmlinuz-6.10.0-amd64", Initrd: "boot/initrd.img-6.10.0-amd64", Version: "6.10.0-amd64"},
		},
		"links to nowhere, in a circle and out of the tree": {
			layout("boot/vmlinuz -> /host/vmlinuz", "boot/Image -> Image", "boot/uImage -> ../../../etc/hostname",
				"boot/vmlinuz-5.4", "boot/initrd -> initrd-5.4", "boot/initrd-5.4"),
			boottree.Boot{Kernel: "boot/vmlinuz-5.4", Initrd: "boot/initrd-5.4", Version: "5.4"},
		},
		"files in the root": {
			layout("vmlinuz", "initrd.img"),
			boottree.Boot{Kernel: "vmlinuz", Initrd: "initrd.img"},
		},
		"/boot is a link": {
			layout("boot -> usr/boot", "usr/boot/vmlinuz", "usr/boot/initrd"),
			boottree.Boot{Kernel: "usr/boot/vmlinuz", Initrd: "usr/boot/initrd"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := boottree.FindBoot(c.tree)
			require.NoError(t, err)
			assert.Equal(t, c.want, *got)
		})
	}
}

func TestFindBootWhenNothingFits(t *testing.T) {
	t.Parallel()

	for want, tree := range map[string]fstest.MapFS{
		"no kernel (vmlinuz, uImage, Image, zImage, image) and no ramdisk (initrd, initramfs) in /": layout(),
		"no kernel (vmlinuz, uImage, Image, zImage, image) in /boot, /; there are /boot/initrd-6.1, /boot/vmlinuz (leads nowhere), /boot/vmlinuz-6.1 (empty)": layout(
			"boot/initrd-6.1", "boot/vmlinuz -> nowhere", "boot/vmlinuz-6.1!"),
		"no ramdisk (initrd, initramfs) in /boot, /lib/modules/6.1, /; there are /boot/vmlinuz-6.1, /boot/initrd.img-6.1.old-dkms (not for booting)": layout(
			"boot/vmlinuz-6.1", "boot/initrd.img-6.1.old-dkms", "lib/modules/6.1/modules.dep"),
		"no kernel has a ramdisk of its version in /boot, /; there are /boot/vmlinuz-6.1, /boot/vmlinuz-6.2, /boot/initrd-5.10": layout(
			"boot/vmlinuz-6.1", "boot/vmlinuz-6.2", "boot/initrd-5.10"),
	} {
		_, err := boottree.FindBoot(tree)
		assert.EqualError(t, err, want)
		assert.ErrorIs(t, err, fs.ErrNotExist)
	}
}

func TestFindBootReportsBrokenTrees(t *testing.T) {
	t.Parallel()

	_, err := boottree.FindBoot(brokenFS{layout("boot/vmlinuz", "boot/initrd")})
	assert.ErrorIs(t, err, fs.ErrPermission)
}

// brokenFS is a file system whose directories cannot be read.
type brokenFS struct{ fstest.MapFS }

func (brokenFS) ReadDir(name string) ([]fs.DirEntry, error) {
	return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrPermission}
}
