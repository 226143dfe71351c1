package bootloader_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/bootloader"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// menu reports on the console, which firmware shows on the serial line as well.
const menu = `echo "MARKER root=$root prefix=$prefix lockdown=$lockdown."
`

// installed returns programs of this computer's Debian, by other names.
func installed(t *testing.T, names map[string]string) fstest.MapFS {
	t.Helper()
	files := make(fstest.MapFS)
	for name, file := range names {
		data, err := os.ReadFile(oracle.File(t, file))
		require.NoError(t, err)
		files[name] = &fstest.MapFile{Data: data, Mode: 0o644}
	}
	return files
}

// TestDebianBoots boots Debian's signed programs, whose prefixes differ, with
// Secure Boot from an EFI system partition made of them, and the unsigned one
// without.
func TestDebianBoots(t *testing.T) {
	t.Parallel()
	const grub, monolithic = "/usr/lib/grub/x86_64-efi-signed/", "/usr/lib/grub/x86_64-efi/monolithic/"
	for _, test := range []struct {
		name, prefix string
		files        map[string]string
		firmware     vmtest.Firmware
	}{
		{"for CDs", "/boot/grub", map[string]string{
			"shimx64.efi.signed": "/usr/lib/shim/shimx64.efi.signed", "gcdx64.efi.signed": grub + "gcdx64.efi.signed",
		}, vmtest.UEFISecure},
		{"for disks", "/EFI/debian", map[string]string{
			"shimx64.efi.signed": "/usr/lib/shim/shimx64.efi.signed", "grubx64.efi.signed": grub + "grubx64.efi.signed",
			"mmx64.efi.signed": "/usr/lib/shim/mmx64.efi.signed",
		}, vmtest.UEFISecure},
		{"unsigned", "/boot/grub", map[string]string{"gcdx64.efi": monolithic + "gcdx64.efi"}, vmtest.UEFI},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.name != "for CDs" { // The one that an ISO gets.
				oracle.All(t)
			}
			loaders, err := bootloader.Find(installed(t, test.files), "amd64")
			require.NoError(t, err)
			assert.Equal(t, test.prefix, loaders.EFI.Prefix)
			assert.Equal(t, test.firmware == vmtest.UEFISecure, loaders.EFI.Signed)
			esp, err := loaders.EFI.Tree(nil)
			require.NoError(t, err)
			bootESP(t, esp, test.firmware)
		})
	}
}

// bootESP boots a machine from a tree until the menu that its configuration
// leads to reports.
func bootESP(t *testing.T, esp fs.FS, firmware vmtest.Firmware) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, esp))
	for name, text := range map[string]string{"boot/kernel": "only looked for", "boot/grub2/grub.cfg": menu} {
		full := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(full), 0o755))
		require.NoError(t, os.WriteFile(full, []byte(text), 0o644))
	}
	m := vmtest.BootT(t, vmtest.Spec{Firmware: firmware, Disk: "fat:" + dir})
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
	defer stop()
	want := `MARKER root=hd\d+,msdos1 prefix=\(hd\d+,msdos1\)/boot/grub2 lockdown=`
	if firmware == vmtest.UEFISecure {
		want += "y" // GRUB saw that Secure Boot is on.
	}
	require.NoError(t, m.Console.Await(ctx, want+`\.`), m.Console.Tail())
	m.Kill()
}
