package isobuild_test

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild"
)

// ipxeRun returns what a program prints.
func ipxeRun(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), oracle.Need(tb, name), args...).CombinedOutput()
	require.NoError(tb, err, "%s %q: %s", name, args, out)
	return string(out)
}

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

	report := ipxeRun(t, "xorriso", "-indev", name, "-report_el_torito", "plain", "-report_system_area", "plain")
	for _, want := range []string{
		"Volume id    : 'IPXE'", "BIOS  y   none", "UEFI  y   none", "grub2-mbr", "GPT type GUID      :   2  28732ac11ff8d211ba4b00a0c93ec93b",
		"El Torito img path :   1  /boot/eltorito.img", "El Torito img path :   2  /boot/uefi.img",
	} {
		assert.Contains(t, report, want)
	}
	assert.NotContains(t, report, "WARNING")
	assert.Contains(t, ipxeRun(t, "sgdisk", "-v", name), "No problems found")

	ipxeRun(t, "xorriso", "-osirrox", "on", "-indev", name, "-extract", "/", dir+"/out")
	script, err := os.ReadFile(dir + "/out/boot/script.ipxe")
	require.NoError(t, err)
	assert.Equal(t, ipxeScript, string(script))
	esp := dir + "/out/boot/uefi.img"
	ipxeRun(t, "fsck.vfat", "-n", esp)
	for _, program := range []string{"BOOTX64.EFI", "BOOTAA64.EFI"} {
		data := ipxeRun(t, "mtype", "-i", esp, "::/EFI/BOOT/"+program)
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
