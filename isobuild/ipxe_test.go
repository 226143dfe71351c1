package isobuild_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	ipxedust "github.com/tinkerbell/ipxedust/binary"

	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/ipxe/firmware"
	"github.com/netbootkit/netbootkit/isobuild"
)

// ipxeScript says on the console that it runs, and where.
const ipxeScript = "#!ipxe\necho MARKER of ${platform} ${buildarch}\nsleep 3\npoweroff\n"

// ipxeFile is a file in memory.
func ipxeFile(data []byte) isobuild.File {
	return io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))
}

// ipxeEFI returns the UEFI programs with script in them.
func ipxeEFI(tb testing.TB, script string) map[string]isobuild.File {
	tb.Helper()
	amd64, err := firmware.Patch(ipxedust.IpxeEFI, []byte(script))
	require.NoError(tb, err)
	arm64, err := firmware.Patch(ipxedust.SNP, []byte(script))
	require.NoError(tb, err)
	return map[string]isobuild.File{"amd64": ipxeFile(amd64), "arm64": ipxeFile(arm64)}
}

// ipxeAll returns programs for all machines, and where GRUB for BIOS is.
func ipxeAll(tb testing.TB, script string) (isobuild.IPXEPrograms, isobuild.Option) {
	tb.Helper()
	lkrn, err := os.ReadFile(oracle.File(tb, "/boot/ipxe.lkrn", "/usr/lib/ipxe/ipxe.lkrn"))
	require.NoError(tb, err)
	oracle.File(tb, "/usr/lib/grub/i386-pc/boot_hybrid.img")
	programs := isobuild.IPXEPrograms{EFI: ipxeEFI(tb, script), BIOS: ipxeFile(lkrn)}
	return programs, isobuild.WithLoaders(os.DirFS("/usr/lib/grub"))
}

// fakePE is the start of a PE file for a machine, and text.
func fakePE(machine uint16, text string) isobuild.File {
	b := make([]byte, 0x100)
	copy(b, "MZ")
	b[0x3C] = 0x80
	copy(b[0x80:], "PE\x00\x00")
	binary.LittleEndian.PutUint16(b[0x84:], machine)
	return ipxeFile(append(b, text...))
}

// fakeLkrn has the form of a Linux kernel.
func fakeLkrn() isobuild.File {
	b := make([]byte, 0x400)
	copy(b[0x202:], "HdrS")
	return ipxeFile(b)
}

func TestIPXERefuses(t *testing.T) {
	t.Parallel()
	script := "#!ipxe\nshell\n"
	amd64 := map[string]isobuild.File{"amd64": fakePE(0x8664, script)}
	for _, test := range []struct {
		name     string
		programs isobuild.IPXEPrograms
		script   string
		opts     []isobuild.Option
		want     []string
	}{
		{"no program", isobuild.IPXEPrograms{}, script, nil, []string{"isobuild: ipxe: no program for BIOS", "no program for UEFI"}},
		{"no program for BIOS", isobuild.IPXEPrograms{EFI: amd64}, script, []isobuild.Option{isobuild.WithFirmware(isobuild.BIOS)}, []string{"no program for BIOS: it has to be an ipxe.lkrn"}},
		{"no program for UEFI", isobuild.IPXEPrograms{BIOS: fakeLkrn()}, script, []isobuild.Option{isobuild.WithFirmware(isobuild.BIOS | isobuild.UEFI)}, []string{"no program for UEFI"}},
		{"no script", isobuild.IPXEPrograms{EFI: amd64}, "", nil, []string{`script does not begin with the line "#!ipxe"`}},
		{"another script", isobuild.IPXEPrograms{EFI: amd64}, "#!ipxer\n", nil, []string{"script does not begin"}},
		{"a long script", isobuild.IPXEPrograms{BIOS: fakeLkrn()}, "#!ipxe\n" + strings.Repeat("#", 1<<20), nil, []string{"script of 1048583 bytes, at most 1048576"}},
		{"not embedded", isobuild.IPXEPrograms{EFI: amd64}, "#!ipxe\nreboot\n", nil, []string{"UEFI program for amd64: does not hold the script"}},
		{"another machine", isobuild.IPXEPrograms{EFI: map[string]isobuild.File{"arm64": fakePE(0x8664, script)}}, script, nil, []string{"UEFI program for arm64: is for the machine 0x8664, not 0xaa64"}},
		{"an unknown machine", isobuild.IPXEPrograms{EFI: map[string]isobuild.File{"mips": fakePE(0x8664, script)}}, script, nil, []string{`architecture "mips" is not one of`}},
		{"a nil program", isobuild.IPXEPrograms{EFI: map[string]isobuild.File{"amd64": nil}}, script, nil, []string{"UEFI program for amd64 is nil"}},
		{"no PE file", isobuild.IPXEPrograms{EFI: map[string]isobuild.File{"amd64": ipxeFile([]byte(script))}}, script, nil, []string{"UEFI program for amd64: is no PE file"}},
		{"a header far away", isobuild.IPXEPrograms{EFI: map[string]isobuild.File{"amd64": ipxeFile(append([]byte("MZ"), bytes.Repeat([]byte{0xFF}, 80)...))}}, script, nil, []string{"is no PE file"}},
		{"a huge program", isobuild.IPXEPrograms{EFI: map[string]isobuild.File{"amd64": io.NewSectionReader(strings.NewReader(""), 0, 1<<40)}}, script, nil, []string{"UEFI program for amd64: has 1099511627776 bytes"}},
		{"a short program", isobuild.IPXEPrograms{EFI: map[string]isobuild.File{"amd64": io.NewSectionReader(strings.NewReader("MZ"), 0, 500)}}, script, nil, []string{"unexpected EOF"}},
		{"no kernel", isobuild.IPXEPrograms{BIOS: ipxeFile(make([]byte, 1000))}, script, nil, []string{"BIOS program: does not have the form of a Linux kernel"}},
		{"no GRUB", isobuild.IPXEPrograms{BIOS: fakeLkrn()}, script, nil, []string{"no boot loader for BIOS", "grub-pc-bin"}},
		{"an option for others", isobuild.IPXEPrograms{EFI: amd64}, script, []isobuild.Option{isobuild.WithCmdline("quiet")}, []string{"WithCmdline means nothing here"}},
		{"an architecture", isobuild.IPXEPrograms{EFI: amd64}, script, []isobuild.Option{isobuild.WithArch("amd64")}, []string{"WithArch means nothing here"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			n, err := isobuild.IPXE(t.Context(), &out, test.programs, []byte(test.script), test.opts...)
			for _, want := range test.want {
				require.ErrorContains(t, err, want)
			}
			var e *isobuild.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, "ipxe", e.Op)
			assert.Zero(t, n)
			assert.Zero(t, out.Len())
		})
	}
}

// TestIPXEFirmware leaves out the programs for firmware that is not asked for.
func TestIPXEFirmware(t *testing.T) {
	t.Parallel()
	script := "#!ipxe\nshell\n"
	programs := isobuild.IPXEPrograms{
		EFI:  map[string]isobuild.File{"amd64": fakePE(0x8664, script), "riscv64": fakePE(0x5064, script)},
		BIOS: fakeLkrn(), // Without GRUB this would be an error.
	}
	var out bytes.Buffer
	n, err := isobuild.IPXE(t.Context(), &out, programs, []byte(script), isobuild.WithFirmware(isobuild.UEFI))
	require.NoError(t, err)
	assert.EqualValues(t, out.Len(), n)
	assert.Zero(t, n%2048)
	// The names in the EFI system partition, as FAT has them.
	assert.Contains(t, out.String(), "BOOTX64 EFI")
	assert.Contains(t, out.String(), "B\x00O\x00O\x00T\x00R\x00")
	assert.NotContains(t, out.String(), "SCRIPT.IPXE")
}

// TestIPXEFirmwareIsBIOS leaves out the programs for UEFI.
func TestIPXEFirmwareIsBIOS(t *testing.T) {
	t.Parallel()
	script := "#!ipxe\nshell\n"
	programs := isobuild.IPXEPrograms{EFI: map[string]isobuild.File{"amd64": fakePE(0x8664, "another script")}, BIOS: fakeLkrn()}
	var out bytes.Buffer
	_, err := isobuild.IPXE(t.Context(), &out, programs, []byte(script), isobuild.WithFirmware(isobuild.BIOS), isobuild.WithLoaders(biosLoader(t)))
	require.NoError(t, err)
	image := treeOf(t, out.Bytes())
	assert.Equal(t, script, read(t, image, "boot/script.ipxe"))
	_, err = image.Lstat("boot/uefi.img")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestIPXEDigest pins the bytes of an image, which do not depend on the day.
func TestIPXEDigest(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	for _, opts := range [][]isobuild.Option{
		nil,
		{isobuild.WithVolumeID("NETBOOT"), isobuild.WithTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))},
		{isobuild.WithFiles(fstest.MapFS{"boot/extra": {Data: []byte("extra"), Mode: 0o644, ModTime: time.Unix(1e9, 0)}})},
	} {
		h := sha256.New()
		programs := isobuild.IPXEPrograms{EFI: ipxeEFI(t, ipxeScript)}
		var progress []int64
		opts = append(opts, isobuild.WithProgress(func(name string, done, total int64) {
			assert.Equal(t, "iso", name)
			progress = []int64{done, total}
		}))
		n, err := isobuild.IPXE(t.Context(), h, programs, []byte(ipxeScript), opts...)
		require.NoError(t, err)
		assert.Equal(t, []int64{n, n}, progress)
		fmt.Fprintf(&list, "%x %d\n", h.Sum(nil), n)
	}
	golden.Check(t, "ipxe.txt", []byte(list.String()))
}

func TestIPXEWhenWriterFails(t *testing.T) {
	t.Parallel()
	programs := isobuild.IPXEPrograms{EFI: ipxeEFI(t, ipxeScript)}
	r, w := io.Pipe()
	require.NoError(t, r.Close())
	_, err := isobuild.IPXE(t.Context(), w, programs, []byte(ipxeScript))
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

func TestIPXEWaitScript(t *testing.T) {
	t.Parallel()
	script := isobuild.IPXEWaitScript()
	golden.Check(t, "wait.ipxe", script)
	for name, program := range map[string][]byte{"ipxe.efi": ipxedust.IpxeEFI, "snp.efi": ipxedust.SNP} {
		_, err := firmware.Patch(program, script)
		require.NoError(t, err, "%s has room for it", name)
	}
	script[0] = 'x'
	assert.NotEqual(t, script, isobuild.IPXEWaitScript(), "it is the caller's own")
}
