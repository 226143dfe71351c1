package isobuild_test

import (
	"context"
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/isobuild"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// TestBuildBoots boots an image that was built to its live root.
func TestBuildBoots(t *testing.T) {
	t.Parallel()
	bootAll(t, built(t, vmRoot(t), vmOptions()...),
		boot{vmtest.BIOS, vmtest.CD}, boot{vmtest.UEFI, vmtest.USB}, boot{vmtest.UEFISecure, vmtest.CD})
}

// TestRemasterBoots boots a remastered image, which another program or Build
// had made, to its live root.
func TestRemasterBoots(t *testing.T) {
	t.Parallel()
	change := []isobuild.Option{
		isobuild.WithCloudConfig([]byte(vmConfig)),
		isobuild.WithVolumeID("REMASTERED"),
		isobuild.WithFiles(fstest.MapFS{"added/file": labFile([]byte("added"))}),
	}
	t.Run("of xorriso", func(t *testing.T) {
		t.Parallel()
		bootAll(t, vmRemastered(t, kairosISO(t, vmRoot(t)), change...),
			boot{vmtest.BIOS, vmtest.USB}, boot{vmtest.UEFI, vmtest.CD}, boot{vmtest.UEFISecure, vmtest.USB})
	})
	t.Run("of Build", func(t *testing.T) {
		t.Parallel()
		image := built(t, vmRoot(t), vmOptions(isobuild.WithCloudConfig([]byte("#cloud-config\n# old\n")))...)
		bootAll(t, vmRemastered(t, image, change...),
			boot{vmtest.BIOS, vmtest.CD}, boot{vmtest.UEFI, vmtest.USB}, boot{vmtest.UEFISecure, vmtest.USB})
	})
}

// bootAll boots an image with every firmware and from every kind of medium, or
// as is to be tested always.
func bootAll(t *testing.T, image string, always ...boot) {
	t.Helper()
	for _, firmware := range []vmtest.Firmware{vmtest.BIOS, vmtest.UEFI, vmtest.UEFISecure} {
		for _, kind := range []vmtest.DriveKind{vmtest.CD, vmtest.USB} {
			b := boot{firmware, kind}
			t.Run(b.String(), func(t *testing.T) {
				t.Parallel()
				if !slices.Contains(always, b) {
					oracle.All(t)
				}
				assert.Equal(t, vmConfig, string(reports(t, image, b).Config))
			})
		}
	}
}

// vmRemastered remasters an image into a file of the test's folder.
func vmRemastered(tb testing.TB, image string, opts ...isobuild.Option) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "remastered.iso")
	file, err := os.Create(name)
	require.NoError(tb, err)
	defer file.Close()
	_, err = isobuild.Remaster(tb.Context(), file, section(tb, image), opts...)
	require.NoError(tb, err)
	return name
}

// ownMenu is a menu that takes the place of that of an image.
const ownMenu = `serial --unit=0 --speed=115200
terminal_input --append serial
terminal_output --append serial
set timeout=10
menuentry "Own menu" {
	linux ($root)/boot/kernel root=live:CDLABEL=MY_LIVE-2.0 rd.live.dir=/ rd.live.squashimg=rootfs.squashfs console=ttyS0,115200 own.menu rd.live.overlay.overlayfs ` + vmtest.LiveQuick + `
	initrd ($root)/boot/initrd
}
`

// TestStreamBootsToLogin boots the image of a root that was packed before, as
// squashfs packs by default, and that has no boot loaders, by a menu of its own to
// its login prompt.
func TestStreamBootsToLogin(t *testing.T) {
	t.Parallel()
	root := noLoaders{vmRoot(t)}
	dir := t.TempDir()
	packed, err := os.Create(filepath.Join(dir, "rootfs.squashfs"))
	require.NoError(t, err)
	defer packed.Close()
	_, err = squashfs.Write(t.Context(), packed, root)
	require.NoError(t, err)

	image, err := os.Create(filepath.Join(dir, "live.iso"))
	require.NoError(t, err)
	defer image.Close()
	_, err = isobuild.Stream(t.Context(), image, root, section(t, packed.Name()),
		isobuild.WithTime(vmTime()),
		isobuild.WithVolumeID("MY_LIVE-2.0"),
		isobuild.WithFiles(fstest.MapFS{"boot/grub2/grub.cfg": labFile([]byte(ownMenu))}),
		isobuild.WithLoaders(
			oracle.Folders(t, "usr/lib/shim"),
			oracle.Folders(t, "usr/lib/grub/x86_64-efi-signed"),
			biosLoader(t)))
	require.NoError(t, err)

	ctx, m := vmBoot(t, image.Name(), boot{vmtest.BIOS, vmtest.USB})
	require.NoError(t, m.Console.Await(ctx, `Command line: .* own\.menu `))
	require.NoError(t, m.Console.Await(ctx, `(?m)^live login: `))
	at, _ := m.Console.Time(`live login: `)
	t.Logf("login prompt after %v", at.Sub(m.Started).Round(100*time.Millisecond))
}

// noLoaders is a tree without boot loaders.
type noLoaders struct{ *artifacts.Tree }

// hidden says whether a name is of a boot loader.
func (noLoaders) hidden(name string) bool {
	return strings.HasPrefix(name+"/", "usr/lib/shim/") || strings.HasPrefix(name+"/", "usr/lib/grub/")
}

// Open implements [fs.FS].
func (n noLoaders) Open(name string) (fs.File, error) {
	if n.hidden(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return n.Tree.Open(name)
}

// ReadDir implements [fs.ReadDirFS].
func (n noLoaders) ReadDir(name string) ([]fs.DirEntry, error) {
	if n.hidden(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	entries, err := n.Tree.ReadDir(name)
	return slices.DeleteFunc(slices.Clone(entries), func(e fs.DirEntry) bool { return n.hidden(name + "/" + e.Name()) }), err
}

// Stat implements [fs.StatFS].
func (n noLoaders) Stat(name string) (fs.FileInfo, error) {
	if n.hidden(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return n.Tree.Stat(name)
}

// Lstat implements [fs.ReadLinkFS].
func (n noLoaders) Lstat(name string) (fs.FileInfo, error) {
	if n.hidden(name) {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
	}
	return n.Tree.Lstat(name)
}

// TestBuildBootsThroughGPT takes away the boot catalogue's entry for UEFI, by
// which OVMF starts sticks as well, and then the partition table, by which it
// has to start them.
func TestBuildBootsThroughGPT(t *testing.T) {
	t.Parallel()
	oracle.All(t)
	image, err := os.OpenFile(built(t, vmRoot(t), vmOptions()...), os.O_RDWR, 0)
	require.NoError(t, err)
	defer image.Close()
	info, err := image.Stat()
	require.NoError(t, err)
	zero := func(off, n int64) {
		_, err := image.WriteAt(make([]byte, n), off)
		require.NoError(t, err)
	}

	var record [4]byte
	_, err = image.ReadAt(record[:], 17*2048+71) // The catalogue's block (El Torito 1.0, figure 7).
	require.NoError(t, err)
	catalog := int64(binary.LittleEndian.Uint32(record[:])) * 2048
	var platform [1]byte
	_, err = image.ReadAt(platform[:], catalog+65)
	require.NoError(t, err)
	require.Equal(t, byte(0xEF), platform[0], "the second section is UEFI's")
	zero(catalog+64, 64)
	usb := vmtest.Spec{Firmware: vmtest.UEFI, Memory: 1024, Drives: []vmtest.Drive{{Kind: vmtest.USB, File: image.Name()}}}
	within := func() context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
		t.Cleanup(cancel)
		return ctx
	}
	m := vmtest.BootT(t, usb)
	require.NoError(t, m.Console.Await(within(), `executed automatically in`))
	m.Kill()

	const sector, table = 512, 33 * 512
	zero(sector, table)
	zero(info.Size()-table, table)
	m = vmtest.BootT(t, usb)
	const nothing = `No bootable option|UEFI Interactive Shell|Shell>`
	require.NoError(t, m.Console.Await(within(), `executed automatically in|`+nothing))
	assert.Regexp(t, nothing, m.Console.String())
}
