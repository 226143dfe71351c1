package fat_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tinkerbell/ipxedust/binary"

	"github.com/netbootkit/netbootkit/internal/fat"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
	"github.com/netbootkit/netbootkit/ipxe/firmware"
)

// TestNewMounts compares what Linux sees of volumes of every kind with their
// tree, which has names that mtools cannot show.
func TestNewMounts(t *testing.T) {
	t.Parallel()
	tree := odd()
	tree["emoji 😀 name.bin"] = file([]byte("surrogates"))
	tree[strings.Repeat("😀", 63)+"z"] = file([]byte("many surrogates"))
	tree["old"] = &fstest.MapFile{Data: []byte("before FAT"), ModTime: time.Unix(0, 0)}
	tree["new"] = &fstest.MapFile{Data: []byte("after FAT"), ModTime: time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}
	want, err := manifest.FS(tree)
	require.NoError(t, err)
	want = want.Edit(func(path string, e *manifest.Entry) {
		switch path {
		case "old":
			e.ModTime = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
		case "new":
			e.ModTime = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
		}
		onlyFAT(path, e)
	})
	var mounts []vmtest.Mount
	for _, bits := range []int{12, 16, 32} {
		name := save(t, newImage(t, tree, fat.Volume{Label: "EFI_LIVE", Bits: bits}))
		mounts = append(mounts, vmtest.Mount{Image: name, Type: "vfat", Options: "utf8,tz=UTC,shortname=mixed,iocharset=iso8859-1"})
	}
	for i, result := range vmtest.ManifestsT(t, mounts...) {
		assert.Empty(t, manifest.Diff(want, result.Manifest.Edit(onlyFAT)), mounts[i].Image)
		assert.Empty(t, result.Log)
	}
}

// onlyFAT leaves what FAT has of an entry.
func onlyFAT(_ string, e *manifest.Entry) {
	e.Mode &= fs.ModeType
	e.UID, e.GID, e.Links = 0, 0, 0
	if e.Mode.IsDir() {
		e.ModTime = time.Time{} // A tree in memory makes directories without one.
	}
}

// TestNewBoots lets OVMF find and read a program in volumes of every kind,
// behind a directory with many names.
func TestNewBoots(t *testing.T) {
	t.Parallel()
	program, err := firmware.Patch(binary.IpxeEFI, []byte("#!ipxe\necho MARKER of a script\npoweroff\n"))
	require.NoError(t, err)
	tree := odd()
	tree["EFI/BOOT/BOOTX64.EFI"] = file(program)
	for _, bits := range []int{12, 16, 32} {
		t.Run(fmt.Sprint(bits), func(t *testing.T) {
			t.Parallel()
			name := save(t, newImage(t, tree, fat.Volume{Bits: bits}))
			awaitText(t, vmtest.Spec{Firmware: vmtest.UEFI, Drives: []vmtest.Drive{{Kind: vmtest.USB, File: name}}}, "MARKER of a script")
		})
	}
}

// TestBootSector lets a BIOS run the boot code, which hands back to the BIOS.
func TestBootSector(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{16, 32} {
		t.Run(fmt.Sprint(bits), func(t *testing.T) {
			t.Parallel()
			name := save(t, newImage(t, odd(), fat.Volume{Bits: bits}))
			awaitText(t, vmtest.Spec{Firmware: vmtest.BIOS, Drives: []vmtest.Drive{{Kind: vmtest.Disk, File: name}}},
				"This volume holds no boot program.[^!]*No bootable device")
		})
	}
}

// awaitText boots a machine until it prints what the expression says.
func awaitText(t *testing.T, spec vmtest.Spec, expr string) {
	t.Helper()
	m := vmtest.BootT(t, spec)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	require.NoError(t, m.Console.Await(ctx, expr))
	m.Kill()
}

// TestNewFromFolder takes the files of a folder of the computer.
func TestNewFromFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, odd()))
	name := save(t, newImage(t, os.DirFS(dir), fat.Volume{}))
	checkClean(t, name)
}
