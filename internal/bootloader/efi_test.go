package bootloader_test

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/bootloader"
	"github.com/netbootkit/netbootkit/internal/golden"
)

// listing returns names, sizes and texts of a tree.
func listing(t *testing.T, esp fs.FS) string {
	t.Helper()
	var out strings.Builder
	require.NoError(t, fs.WalkDir(esp, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		if d.IsDir() {
			return nil
		}
		data, err := fs.ReadFile(esp, name)
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		assert.Len(t, data, int(info.Size()), name)
		assert.True(t, info.ModTime().IsZero(), name)
		if strings.HasSuffix(name, ".efi") {
			fmt.Fprintf(&out, "%s: %d bytes\n", name, len(data))
		} else {
			fmt.Fprintf(&out, "%s: %q\n", name, data)
		}
		return nil
	}))
	return out.String()
}

func TestTree(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arch  string
		files map[string]any
	}{
		"debian": {"amd64", map[string]any{
			"usr/lib/shim/shimx64.efi.signed":                  spec{signed: true, loads: "grubx64.efi"},
			"usr/lib/shim/mmx64.efi.signed":                    spec{signed: true},
			"usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed": spec{signed: true, prefix: "/boot/grub"},
		}},
		"fedora": {"amd64", map[string]any{
			"boot/efi/EFI/fedora/shimx64.efi": spec{signed: true, loads: "grubx64.efi"},
			"boot/efi/EFI/fedora/grubx64.efi": spec{signed: true, prefix: "/EFI/fedora"},
		}},
		"unsigned": {"amd64", map[string]any{"grubx64.efi": spec{prefix: "(hd0,gpt1)/x"}}},
		"riscv64":  {"riscv64", map[string]any{"usr/lib/grub/riscv64-efi/grubriscv64.efi": spec{machine: 0x5064, prefix: "/EFI/BOOT"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			loaders, err := bootloader.Find(tree(test.files), test.arch)
			require.NoError(t, err)
			esp, err := loaders.EFI.Tree(nil)
			require.NoError(t, err)
			require.NoError(t, fstest.TestFS(esp, loaders.EFI.Configs()...))
			golden.Check(t, name+".esp.txt", []byte(listing(t, esp)))
		})
	}
}

func TestTreeWithOwnConfig(t *testing.T) {
	t.Parallel()
	loaders, err := bootloader.Find(tree(map[string]any{"grubx64.efi": spec{}}), "amd64")
	require.NoError(t, err)
	esp, err := loaders.EFI.Tree([]byte("halt\n"))
	require.NoError(t, err)
	for _, name := range loaders.EFI.Configs() {
		data, err := fs.ReadFile(esp, name)
		require.NoError(t, err)
		assert.Equal(t, "halt\n", string(data))
	}
	_, err = esp.Open("EFI/BOOT/nothing")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = esp.Open("/EFI")
	require.ErrorIs(t, err, fs.ErrInvalid)
	_, err = fs.ReadDir(esp, "EFI/BOOT/grub.cfg")
	require.Error(t, err)
}

func TestTreeWhenTheFileIsGone(t *testing.T) {
	t.Parallel()
	files := tree(map[string]any{"grubx64.efi": spec{}})
	loaders, err := bootloader.Find(files, "amd64")
	require.NoError(t, err)
	delete(files, "grubx64.efi")
	_, err = loaders.EFI.Tree(nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestConfigs(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"":                       "",
		"/":                      "",
		"/EFI/fedora":            "EFI/fedora/grub.cfg",
		"/efi/Fedora/":           "EFI/Fedora/grub.cfg",
		"/efi/boot":              "",
		"/EFI/DEBIAN":            "",
		"/BOOT/GRUB/x86_64-efi":  "boot/grub/x86_64-efi/grub.cfg",
		"/BOOTED":                "BOOTED/grub.cfg",
		"(hd0)/EFI/fedora":       "",
		"EFI/fedora":             "",
		"/EFI/BOOT/bootx64.efi":  "",
		"/EFI/../x":              "",
		"/EFI//x":                "",
		`/EFI/x\y`:               "",
		"/EFI/größe":             "",
		"/EFI/BOOT/grub.cfg/sub": "",
	} {
		e := bootloader.EFI{Prefix: prefix}
		names := e.Configs()
		assert.Equal(t, "EFI/ubuntu/grub.cfg", names[3])
		if want == "" {
			assert.Len(t, names, 4, prefix)
		} else {
			assert.Equal(t, []string{want}, names[4:], prefix)
		}
	}
}
