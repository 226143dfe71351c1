package isobuild_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/isobuild"
)

// fakeFor returns a program for UEFI that begins as one for a machine does.
func fakeFor(machine string) *fstest.MapFile {
	b := fakeProgram("grub")
	copy(b[0x84:], machine)
	return labFile(b)
}

// foreignRoot returns a root file system for an architecture without a BIOS.
func foreignRoot(arch string) fstest.MapFS {
	kernel := make([]byte, 1000)
	root := without("vmlinuz", "shimx64", "gcdx64")
	switch arch {
	case "arm64":
		copy(kernel[0x38:], "ARM\x64")
		root["usr/lib/grub/arm64-efi-signed/gcdaa64.efi.signed"] = fakeFor("\x64\xAA")
		root["usr/lib/shim/shimaa64.efi.signed"] = fakeFor("\x64\xAA")
	case "riscv64":
		copy(kernel[0x30:], "RISCV\x00\x00\x00RSC\x05")
		root["usr/lib/grub/riscv64-efi/monolithic/grubriscv64.efi"] = fakeFor("\x64\x50")
	}
	root["boot/vmlinuz-6.1.0-9-amd64"] = labFile(kernel)
	return root
}

func TestBuildWhenArchitectureIsForeign(t *testing.T) {
	t.Parallel()
	for _, arch := range []string{"arm64", "riscv64"} {
		t.Run(arch, func(t *testing.T) {
			t.Parallel()
			name := built(t, foreignRoot(arch))
			f, image := section(t, name), opened(t, name)
			assert.NotContains(t, read(t, image, "boot/grub2/grub.cfg"), "nomodeset")
			catalog, err := image.Catalog()
			require.NoError(t, err)
			require.Len(t, catalog.Entries, 1)
			assert.EqualValues(t, 0xEF, catalog.Entries[0].Platform)
			table, err := gpt.Read(f, f.Size())
			require.NoError(t, err)
			assert.Len(t, table.Partitions, 2)
			assert.Equal(t, make([]byte, 440), table.BootCode)
			assert.False(t, table.Active)
			_, err = fs.Stat(image, "boot/eltorito.img")
			require.ErrorIs(t, err, fs.ErrNotExist)
			_, err = fs.Stat(image, "startup.nsh")
			assert.Equal(t, arch == "riscv64", err == nil)
		})
	}
}

func TestBuildWhenFirmwareIsBIOS(t *testing.T) {
	t.Parallel()
	name := built(t, without("shim", "gcd"), isobuild.WithFirmware(isobuild.BIOS), isobuild.WithLoaders(biosLoader(t)))
	f, image := section(t, name), opened(t, name)
	catalog, err := image.Catalog()
	require.NoError(t, err)
	require.Len(t, catalog.Entries, 1)
	assert.EqualValues(t, 0, catalog.Entries[0].Platform)
	table, err := gpt.Read(f, f.Size())
	require.NoError(t, err)
	assert.Len(t, table.Partitions, 1)
	assert.True(t, table.Active)
	_, err = fs.Stat(image, "boot/uefi.img")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestBuildMenu(t *testing.T) {
	t.Parallel()
	kairos := "menuentry 'Kairos (remote recovery mode)'"
	for name, c := range map[string]struct {
		root fs.FS
		want string
	}{
		"Debian":           {liveRoot(), "menuentry 'Debian GNU/Linux 12 (bookworm)' "},
		"Kairos":           {with("etc/kairos-release", labFile([]byte("KAIROS_NAME=kairos-core\n"))), kairos},
		"Kairos of old":    {with("etc/os-release", labFile([]byte("ID=x\nPRETTY_NAME=X\nKAIROS_NAME=kairos-core\n"))), kairos},
		"nothing is known": {without("os-release"), kairos},
		"no title":         {with("etc/os-release", labFile([]byte("VERSION=1\n"))), "menuentry 'Live system'"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image := opened(t, built(t, c.root, isobuild.WithFirmware(isobuild.UEFI), isobuild.WithVolumeID("LABEL"),
				isobuild.WithConsoles("ttyS1,9600"), isobuild.WithCmdline(`one two="2 3"`, "four")))
			menu := read(t, image, "boot/grub2/grub.cfg")
			assert.Contains(t, menu, c.want)
			for line := range strings.Lines(menu) {
				if line = strings.TrimSpace(line); strings.HasPrefix(line, "linux ") {
					assert.Contains(t, line, " root=live:CDLABEL=LABEL ")
					assert.True(t, strings.HasSuffix(line, " one 'two=2 3' four"), line)
					assert.Equal(t, !strings.Contains(line, "rd.debug"), strings.Contains(line, " console=ttyS1,9600 "), line)
				}
			}
		})
	}
}
