package grub_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/grub"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// menu reports on the serial line where GRUB found it.
const menu = `serial --unit=0 --speed=115200
terminal_output serial
echo "MARKER root=$root prefix=$prefix"
`

// source returns a folder with a menu, and perhaps an El Torito image.
func source(t *testing.T, image []byte) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "boot/grub2"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "boot/grub2/grub.cfg"), []byte(menu), 0o644))
	if image != nil {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "boot/eltorito.img"), image, 0o644))
	}
	return dir
}

// awaitMarker boots a machine with a BIOS until the menu reports.
func awaitMarker(t *testing.T, kind vmtest.DriveKind, file, want string) {
	t.Helper()
	m := vmtest.BootT(t, vmtest.Spec{Firmware: vmtest.BIOS, Drives: []vmtest.Drive{{Kind: kind, File: file}}})
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	require.NoError(t, m.Console.Await(ctx, want), m.Console.Tail())
	m.Kill()
}

// placed returns an ISO made by xorriso with our El Torito image in its place,
// and our boot code.
func placed(t *testing.T) string {
	t.Helper()
	folder := os.DirFS(installed(t))
	image, err := grub.ElTorito(folder, "/boot/grub2", grub.ISOModules())
	require.NoError(t, err)
	out := filepath.Join(t.TempDir(), "out.iso")
	oracle.Run(t, "xorriso", "-as", "mkisofs", "-R", "-o", out,
		"-b", "boot/eltorito.img", "-no-emul-boot", "-boot-load-size", "4", source(t, image))
	iso, err := os.ReadFile(out)
	require.NoError(t, err)
	at := bytes.Index(iso, image)
	require.Positive(t, at)
	require.Zero(t, at%2048)
	require.NoError(t, grub.Place(iso[at:at+len(image)], uint32(at/2048)))
	code, err := grub.HybridMBR(folder, uint32(at/2048))
	require.NoError(t, err)
	copy(iso, code)
	iso[510], iso[511] = 0x55, 0xaa
	require.NoError(t, os.WriteFile(out, iso, 0o644))
	return out
}

func TestISOBoots(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]vmtest.DriveKind{"CD": vmtest.CD, "USB stick": vmtest.USB, "disk": vmtest.Disk} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if kind == vmtest.Disk {
				oracle.All(t)
			}
			want := `MARKER root=(cd0?|hd\d+) prefix=\((cd0?|hd\d+)\)/boot/grub2`
			awaitMarker(t, kind, placed(t), want)
		})
	}
}

// TestDiskBoots boots a disk with a BIOS boot partition at 1 MiB and the menu in
// an ext2 file system at 3 MiB.
func TestDiskBoots(t *testing.T) {
	t.Parallel()
	folder := os.DirFS(installed(t))
	const sector, size, menuAt = 2048, 32 << 20, "3145728"
	out := filepath.Join(t.TempDir(), "disk.img")
	require.NoError(t, os.WriteFile(out, nil, 0o644))
	require.NoError(t, os.Truncate(out, size))
	oracle.Run(t, "sgdisk", "-n", "1:2048:+2M", "-t", "1:ef02", "-n", "2:6144:+16M", "-t", "2:8300", out)
	oracle.Run(t, "mke2fs", "-q", "-t", "ext2", "-E", "offset="+menuAt, "-d", source(t, nil), out, "16M")

	core, err := grub.DiskCore(folder, "(,gpt2)/boot/grub2", grub.DiskModules(), sector)
	require.NoError(t, err)
	code, err := grub.DiskMBR(folder, sector)
	require.NoError(t, err)
	f, err := os.OpenFile(out, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(core, sector*512)
	require.NoError(t, err)
	_, err = f.WriteAt(code, 0)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	awaitMarker(t, vmtest.Disk, out, `MARKER root=hd0,gpt2 prefix=\(hd0,gpt2\)/boot/grub2`)
}
