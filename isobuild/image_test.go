package isobuild_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts/github"
	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/isobuild"
)

// plainISO returns an image of files that boots nowhere, with the given
// entries in its boot catalogue.
func plainISO(t *testing.T, files map[string]string, boot ...iso9660.BootEntry) *mosaic.Image {
	t.Helper()
	const first = 64
	m, next := mosaic.New(), uint32(first)
	root := &isomaster.Node{}
	nodes := map[string]*isomaster.Node{".": root}
	tree := fstest.MapFS{}
	for name, content := range files {
		tree[name] = &fstest.MapFile{Data: []byte(content)}
	}
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if name == "." || err != nil {
			return err
		}
		n := &isomaster.Node{Name: d.Name()}
		if d.IsDir() {
			n.Children = []*isomaster.Node{}
		} else if b := tree[name].Data; len(b) > 0 {
			m.AddBytes(int64(next)*iso9660.BlockSize, b)
			n.Extents = []iso9660.Extent{{Block: next, Size: int64(len(b))}}
			next += uint32((len(b) + iso9660.BlockSize - 1) / iso9660.BlockSize)
		}
		nodes[name] = n
		parent := nodes[path.Dir(name)]
		parent.Children = append(parent.Children, n)
		return nil
	}))
	v := &isomaster.Volume{ID: "PLAIN", Time: time.Unix(1e9, 0), Boot: boot, CatalogBlock: first - 1}
	blocks, err := isomaster.Measure(root, v)
	require.NoError(t, err)
	v.Size = int64(next+blocks) * iso9660.BlockSize
	pieces, err := isomaster.Metadata(root, v, next)
	require.NoError(t, err)
	for _, p := range pieces {
		m.Add(int64(p.Block)*iso9660.BlockSize, p, p.Size())
	}
	require.NoError(t, m.Check())
	return m
}

func TestOpen(t *testing.T) {
	t.Parallel()

	im, err := isobuild.Open(plainISO(t, map[string]string{"boot/kernel": "kernel", "boot/initrd": "initrd", "Read.Me": "text"}))
	require.NoError(t, err)
	assert.Equal(t, "PLAIN", im.VolumeID())
	require.NoError(t, fstest.TestFS(im, "boot/kernel", "boot/initrd", "Read.Me"))

	f, err := im.Open("boot/kernel")
	require.NoError(t, err)
	assert.Implements(t, (*isobuild.File)(nil), f)
	assert.Implements(t, (*io.Seeker)(nil), f)
}

func TestOpenWhenNoImage(t *testing.T) {
	t.Parallel()

	_, err := isobuild.Open(bytes.NewReader(make([]byte, 1<<20)))
	require.EqualError(t, err, `isobuild: open: iso9660: no ISO 9660 image: block 16 holds "\x00\x00\x00\x00\x00", want "CD001"`)
	_, err = isobuild.Open(bytes.NewReader(nil))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = isobuild.Open(nil)
	require.EqualError(t, err, "isobuild: open: the image is nil")
	broken := errors.New("broken")
	_, err = isobuild.Open(brokenFile{broken})
	require.ErrorIs(t, err, broken)
}

// brokenFile cannot be read.
type brokenFile struct{ err error }

func (f brokenFile) ReadAt([]byte, int64) (int, error) { return 0, f.err }
func (f brokenFile) Size() int64                       { return 1 << 20 }

func TestImageBoot(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		files                map[string]string
		layout               string
		kernel, initrd, root string
		cmdline              string
	}{
		"Kairos": {
			files: map[string]string{
				"boot/kernel": "", "boot/initrd": "", "rootfs.squashfs": "",
				"boot/grub2/grub.cfg": "set timeout=10\nset base=\"cdroot root=live:CDLABEL=COS_LIVE rd.live.dir=/ selinux=0\"\n" +
					"menuentry \"Kairos\" --class os {\n  linux ($root)/boot/kernel ${base} install-mode $unset console=tty1\n  initrd ($root)/boot/initrd\n}\n" +
					"menuentry other { linux ($root)/boot/kernel other }\n",
			},
			layout: "Kairos", kernel: "boot/kernel", initrd: "boot/initrd", root: "rootfs.squashfs",
			cmdline: "cdroot rd.live.dir=/ selinux=0 install-mode console=tty1",
		},
		"conditions": {
			files: map[string]string{
				"boot/kernel": "", "boot/initrd": "", "rootfs.squashfs": "",
				"boot/grub2/grub.cfg": "set words=plain\nset early=\n# if what follows were one\nif [ \"${grub_cpu}\" = arm64 ]; then\n  set words=arm64\n  if true; then set early=board; fi\n" +
					"  set other=\"only ${words}\"\nelse set words=else\nfi\nset late=yes\n" +
					"menuentry Kairos {\n  linux /boot/kernel $words $early $other $late\n}\n",
			},
			layout: "Kairos", kernel: "boot/kernel", initrd: "boot/initrd", root: "rootfs.squashfs",
			cmdline: "plain only plain yes",
		},
		"variables that double": {
			files: map[string]string{
				"boot/kernel": "", "boot/initrd": "", "rootfs.squashfs": "",
				"boot/grub2/grub.cfg": "set a=xxxxxxxx\n" + strings.Repeat("set a=$a$a\n", 35) + "linux /boot/kernel a=$a quiet\n",
			},
			layout: "Kairos", kernel: "boot/kernel", initrd: "boot/initrd", root: "rootfs.squashfs",
			cmdline: "a= quiet",
		},
		"many long variables": {
			files: map[string]string{
				"boot/kernel": "", "boot/initrd": "", "rootfs.squashfs": "",
				"boot/grub2/grub.cfg": "set a=" + strings.Repeat("x", 60000) + "\n" + strings.Repeat("set b$b=$a\n", 300) + "linux /boot/kernel quiet\n",
			},
			layout: "Kairos", kernel: "boot/kernel", initrd: "boot/initrd", root: "rootfs.squashfs",
		},
		"Kairos of the seeds": {
			files: map[string]string{
				"boot/kernel": "", "boot/initrd": "", "rootfs.squashfs": "",
				"boot/grub2/grub.cfg": "search --no-floppy --file --set=root /boot/kernel\nset default=0\nset linux=linux\nset initrd=initrd\n" +
					"if [ \"${grub_platform}\" = \"efi\" ]; then\n    set linux=linuxefi\n    set initrd=initrdefi\nfi\n" +
					"menuentry \"Kairos\" --class os --unrestricted {\n    echo Loading kernel...\n" +
					"    $linux ($root)/boot/kernel BOOT_IMAGE=/boot/kernel cdroot root=live:CDLABEL=COS_LIVE rd.live.dir=/ nodepair.enable\n" +
					"    echo Loading initrd...\n    $initrd ($root)/boot/initrd\n}\n",
			},
			layout: "Kairos", kernel: "boot/kernel", initrd: "boot/initrd", root: "rootfs.squashfs",
			cmdline: "cdroot rd.live.dir=/ nodepair.enable",
		},
		"Fedora, not packed": {
			files: map[string]string{
				"images/pxeboot/vmlinuz": "", "images/pxeboot/initrd.img": "", "LiveOS/rootfs.img": "", "images/install.img": "",
				"boot/grub/loopback.cfg": "linux16 /images/pxeboot/vmlinuz quiet\n",
			},
			layout: "Fedora", kernel: "images/pxeboot/vmlinuz", initrd: "images/pxeboot/initrd.img", root: "LiveOS/rootfs.img",
			cmdline: "quiet",
		},
		"Debian live with a module": {
			files: map[string]string{
				"live/vmlinuz": "", "live/initrd.img": "", "live/filesystem.squashfs": "", "live/a.squashfs": "",
				"syslinux/live.cfg": "label live\n\tmenu label ^Live system\n\tlinux\t/live/vmlinuz\n\tinitrd /live/initrd.img\n\tappend boot=live\tquiet\n",
			},
			layout: "Debian live", kernel: "live/vmlinuz", initrd: "live/initrd.img", root: "live/filesystem.squashfs",
			cmdline: "boot=live quiet",
		},
		"Ubuntu of old": {
			files:  map[string]string{"casper/vmlinuz.efi": "", "casper/initrd.lz": "", "casper/filesystem.squashfs": "", "casper/de.squashfs": ""},
			layout: "Ubuntu casper", kernel: "casper/vmlinuz.efi", initrd: "casper/initrd.lz", root: "casper/filesystem.squashfs",
		},
		"KIWI": {
			files: map[string]string{
				"boot/x86_64/loader/linux": "", "boot/x86_64/loader/initrd": "", "LiveOS/squashfs.img": "",
				"boot/grub2/grub.cfg": "set more=\"quiet\"\nmenuentry \"Live\" { linux /boot/x86_64/loader/linux root=live:CDLABEL=CDROM rd.live.image ${more} }\n# { initrd /boot/x86_64/loader/initrd }\n",
			},
			layout: "KIWI", kernel: "boot/x86_64/loader/linux", initrd: "boot/x86_64/loader/initrd", root: "LiveOS/squashfs.img",
			cmdline: "rd.live.image quiet",
		},
		"openSUSE installer": {
			files: map[string]string{
				"boot/x86_64/loader/linux": "", "boot/x86_64/loader/initrd": "", "boot/x86_64/root": "",
				"boot/x86_64/loader/isolinux.cfg": "default linux\n\n# install\nlabel harddisk\n  localboot -2\nlabel linux\n  kernel linux\n  append initrd=initrd splash=silent showopts\nlabel memtest\n kernel memtest\n append x\n",
			},
			layout: "openSUSE installer", kernel: "boot/x86_64/loader/linux", initrd: "boot/x86_64/loader/initrd", root: "boot/x86_64/root",
			cmdline: "splash=silent showopts",
		},
		"Fedora": {
			files: map[string]string{
				"images/pxeboot/vmlinuz": "", "images/pxeboot/initrd.img": "", "LiveOS/squashfs.img": "",
				"EFI/BOOT/grub.cfg": "menuentry 'Start' {\n\tlinuxefi /images/pxeboot/vmlinuz root=live:CDLABEL=Fedora rd.live.image \\\n quiet 'a b'\n}\n",
			},
			layout: "Fedora", kernel: "images/pxeboot/vmlinuz", initrd: "images/pxeboot/initrd.img", root: "LiveOS/squashfs.img",
			cmdline: "rd.live.image quiet a b",
		},
		"RHEL installer": {
			files: map[string]string{
				"images/pxeboot/vmlinuz": "", "images/pxeboot/initrd.img": "", "images/install.img": "",
				"isolinux/isolinux.cfg": "label linux\r\n  kernel /images/pxeboot/vmlinuz\r\n  append initrd=/images/pxeboot/initrd.img inst.stage2=hd:LABEL=RHEL quiet\r\n",
			},
			layout: "Fedora", kernel: "images/pxeboot/vmlinuz", initrd: "images/pxeboot/initrd.img", root: "images/install.img",
			cmdline: "quiet",
		},
		"Debian live": {
			files: map[string]string{
				"live/vmlinuz-6.1.0-9-amd64": "", "live/initrd.img-6.1.0-9-amd64": "",
				"live/vmlinuz-6.1.0-10-amd64": "", "live/initrd.img-6.1.0-10-amd64": "", "live/vmlinuz-6.1.0-11-amd64": "",
				"live/filesystem.squashfs": "",
				"boot/grub/grub.cfg":       "source /boot/grub/theme.cfg\nlinux /live/vmlinuz-6.1.0-10-amd64 boot=live components \"${loopback}\"\n",
			},
			layout: "Debian live", kernel: "live/vmlinuz-6.1.0-10-amd64", initrd: "live/initrd.img-6.1.0-10-amd64", root: "live/filesystem.squashfs",
			cmdline: "boot=live components",
		},
		"Debian live with plain names": {
			files: map[string]string{
				"live/vmlinuz": "", "live/initrd.img": "", "live/vmlinuz-6.1.0-10-amd64": "", "live/initrd.img-6.1.0-10-amd64": "", "live/other.squashfs": "",
			},
			layout: "Debian live", kernel: "live/vmlinuz", initrd: "live/initrd.img", root: "live/other.squashfs",
		},
		"Ubuntu": {
			files: map[string]string{
				"casper/vmlinuz": "", "casper/initrd": "", "casper/hwe-vmlinuz": "", "casper/hwe-initrd": "",
				"casper/ubuntu-server-minimal.squashfs": "", "casper/ubuntu-server-minimal.ubuntu-server.squashfs": "",
				"boot/grub/grub.cfg": "menuentry 'Try' {\n set gfxpayload=keep\n linux /casper/vmlinuz  ---\n}\n",
			},
			layout: "Ubuntu casper", kernel: "casper/vmlinuz", initrd: "casper/initrd", root: "casper/ubuntu-server-minimal.squashfs",
			cmdline: "---",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			for file, content := range tt.files {
				if content == "" {
					tt.files[file] = "content of " + file
				}
			}
			im, err := isobuild.Open(plainISO(t, tt.files))
			require.NoError(t, err)
			b, err := im.Boot()
			require.NoError(t, err)
			assert.Equal(t, tt.layout, b.Layout)
			assert.Equal(t, tt.cmdline, b.Cmdline)
			for want, file := range map[string]*isobuild.BootFile{tt.kernel: b.Kernel, tt.initrd: b.Initrd, tt.root: b.RootFS} {
				assert.Equal(t, want, file.Name)
				content, err := io.ReadAll(file)
				require.NoError(t, err)
				assert.Equal(t, "content of "+want, string(content))
			}
		})
	}
}

// TestImageBootWhenBuilt reads back what [isobuild.Build] was asked for: words
// that its menu has for some boards only are none of the command line.
func TestImageBootWhenBuilt(t *testing.T) {
	t.Parallel()

	im, err := isobuild.Open(section(t, built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI),
		isobuild.WithConsoles("tty1"), isobuild.WithCmdline(`quiet dyndbg="file a +p"`))))
	require.NoError(t, err)
	b, err := im.Boot()
	require.NoError(t, err)
	assert.Equal(t, "cdroot rd.live.dir=/ rd.live.squashimg=rootfs.squashfs net.ifnames=1 console=tty1 rd.cos.disable vga=795 nomodeset"+
		" selinux=0 rd.live.overlay.overlayfs quiet dyndbg=file a +p", b.Cmdline)
	assert.Equal(t, []string{"Kairos", "boot/kernel", "boot/initrd", "rootfs.squashfs"}, []string{b.Layout, b.Kernel.Name, b.Initrd.Name, b.RootFS.Name})
}

func FuzzBoot(f *testing.F) {
	for _, menu := range []string{
		"set a=\"b c\"\nif [ x ]; then\n\tset a=d\nelif y; then set a=e; else set a=f; fi\nmenuentry 'x' { linux ($root)/boot/kernel ${a} $b \\\n more; }\n",
		"set a=xxxxxxxx\n" + strings.Repeat("set a=$a$a\n", 35) + "linux /boot/kernel $a\n",
		"label x\r\n kernel /boot/kernel\r\n append initrd=/boot/initrd quiet\r\nlabel y\r\n",
		"# fi; set\nfi }\nset\nlinux\n$linux $\nlinux ${a /boot/kernel",
	} {
		f.Add(menu)
	}
	f.Fuzz(func(t *testing.T, menu string) {
		im, err := isobuild.Open(plainISO(t, map[string]string{"boot/kernel": "k", "boot/initrd": "i", "rootfs.squashfs": "r", "isolinux/x.cfg": menu}))
		require.NoError(t, err)
		b, err := im.Boot()
		require.NoError(t, err)
		if most := max(len(menu), 64<<10); len(b.Cmdline) > most {
			t.Fatalf("command line of %d bytes, from a menu of %d", len(b.Cmdline), len(menu))
		}
	})
}

func TestImageBootWhenNothingBoots(t *testing.T) {
	t.Parallel()

	im, err := isobuild.Open(plainISO(t, map[string]string{"boot/kernel": "no ramdisk", "live/initrd": "no kernel"}))
	require.NoError(t, err)
	_, err = im.Boot()
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.EqualError(t, err, "isobuild: boot: no kernel with a ramdisk in Kairos (boot/kernel), KIWI (boot/*/loader/linux), "+
		"openSUSE installer (boot/*/loader/linux), Fedora (images/pxeboot/vmlinuz), Debian live (live/vmlinuz), "+
		"Ubuntu casper (casper/vmlinuz): file does not exist")
}

func TestImageBootWhenSystemdBoot(t *testing.T) {
	t.Parallel()

	esp := strings.Repeat("\x00", 8192) + "LOADER     \x10" + strings.Repeat("\x00", 5000)
	efi := iso9660.BootEntry{Platform: iso9660.PlatformEFI, Bootable: true, Block: 64}
	im, err := isobuild.Open(plainISO(t, map[string]string{"LiveOS/a-esp": esp, "LiveOS/squashfs.img": "root"}, efi))
	require.NoError(t, err)
	_, err = im.Boot()
	require.ErrorIs(t, err, errors.ErrUnsupported)
	require.ErrorContains(t, err, "kernel and ramdisk are in the EFI system partition, for systemd-boot")
}

// TestOpenForRelease checks that artifacts/github takes Open.
func TestOpenForRelease(t *testing.T) {
	t.Parallel()

	open := func(iso io.ReaderAt, size int64) (fs.FS, error) {
		return isobuild.Open(io.NewSectionReader(iso, 0, size))
	}
	_, err := github.New(github.Release{Repository: "kairos-io/hadron", Tag: "v1.0.0"}, github.WithISO(open))
	require.NoError(t, err)
}
