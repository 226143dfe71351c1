package isobuild_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild"
)

// ipxeImage writes an image for all firmware to a file.
func ipxeImage(tb testing.TB, script string) (name string) {
	tb.Helper()
	programs, loaders := ipxeAll(tb, script)
	name = filepath.Join(tb.TempDir(), "ipxe.iso")
	f, err := os.Create(name)
	require.NoError(tb, err)
	defer f.Close()
	n, err := isobuild.IPXE(tb.Context(), f, programs, []byte(script), loaders)
	require.NoError(tb, err)
	info, err := f.Stat()
	require.NoError(tb, err)
	require.Equal(tb, info.Size(), n)
	return name
}

func TestIPXEImage(t *testing.T) {
	t.Parallel()
	name := ipxeImage(t, ipxeScript)
	dir := t.TempDir()

	report := oracle.Run(t, "xorriso", "-indev", name, "-report_el_torito", "plain", "-report_system_area", "plain")
	for _, want := range []string{
		"Volume id    : 'IPXE'", "BIOS  y   none", "UEFI  y   none", "grub2-mbr", "GPT type GUID      :   2  28732ac11ff8d211ba4b00a0c93ec93b",
		"El Torito img path :   1  /boot/eltorito.img", "El Torito img path :   2  /boot/uefi.img",
	} {
		assert.Contains(t, report, want)
	}
	assert.NotContains(t, report, "WARNING")
	assert.Contains(t, oracle.Run(t, "sgdisk", "-v", name), "No problems found")

	oracle.Run(t, "xorriso", "-osirrox", "on", "-indev", name, "-extract", "/", dir+"/out")
	script, err := os.ReadFile(dir + "/out/boot/script.ipxe")
	require.NoError(t, err)
	assert.Equal(t, ipxeScript, string(script))
	esp := dir + "/out/boot/uefi.img"
	oracle.Run(t, "fsck.vfat", "-n", esp)
	for _, program := range []string{"BOOTX64.EFI", "BOOTAA64.EFI"} {
		data := oracle.Run(t, "mtype", "-i", esp, "::/EFI/BOOT/"+program)
		assert.True(t, strings.Contains(data, ipxeScript))
	}
	sectors := make([]byte, 4)
	iso, err := os.Open(name)
	require.NoError(t, err)
	defer iso.Close()
	_, err = iso.ReadAt(sectors, 510)
	require.NoError(t, err)
	assert.EqualValues(t, 0xAA55, binary.LittleEndian.Uint16(sectors))
}
