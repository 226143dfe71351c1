package isobuild_test

import (
	"archive/tar"
	"io"
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

// TestBuildWhenKernelIsUnknown takes the architecture from what the system says
// of itself, unless an option says it.
func TestBuildWhenKernelIsUnknown(t *testing.T) {
	t.Parallel()
	root := foreignRoot("arm64")
	root["boot/vmlinuz-6.1.0-9-amd64"] = labFile([]byte("?"))
	require.ErrorContains(t, buildFails(t, root), "boot/vmlinuz-6.1.0-9-amd64: does not say which architecture it is for")
	image := opened(t, built(t, root, isobuild.WithArch("arm64")))
	assert.NotContains(t, read(t, image, "boot/grub2/grub.cfg"), "nomodeset")

	root["etc/kairos-release"] = labFile([]byte("KAIROS_TARGETARCH=arm64\n"))
	built(t, root)
	require.ErrorContains(t, buildFails(t, root, isobuild.WithArch("amd64")), "no boot loader for BIOS")
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

// TestBuildWhenSystemPartitionIsLarge has more sectors than a boot entry can
// count.
func TestBuildWhenSystemPartitionIsLarge(t *testing.T) {
	t.Parallel()
	root := liveRoot()
	for _, name := range []string{"usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "usr/lib/shim/shimx64.efi.signed"} {
		root[name] = labFile(append(root[name].Data, make([]byte, 17<<20)...))
	}
	name := built(t, root, isobuild.WithFirmware(isobuild.UEFI))
	f := section(t, name)
	catalog, err := opened(t, name).Catalog()
	require.NoError(t, err)
	require.Len(t, catalog.Entries, 1)
	assert.Zero(t, catalog.Entries[0].Sectors, "up to the end (UEFI 2.10 §13.3.2.1)")
	table, err := gpt.Read(f, f.Size())
	require.NoError(t, err)
	assert.EqualValues(t, 36<<20, table.Partitions[1].Size)
	assert.Equal(t, int64(catalog.Entries[0].Block)*2048, table.Partitions[1].Start)
}

// TestBuildWhenFilesAreOdd has hard links and a device outside of the squashfs.
func TestBuildWhenFilesAreOdd(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{
		"a": {Data: []byte("content"), Sys: &tar.Header{Typeflag: tar.TypeReg, Size: 7, Mode: 0o640, Uid: 7, Gid: 8}},
		"b": {Data: []byte("content"), Sys: &tar.Header{Typeflag: tar.TypeLink, Linkname: "a", Size: 7, Mode: 0o640, Uid: 7, Gid: 8}},
		"c": {Mode: fs.ModeDevice | fs.ModeCharDevice, Sys: &tar.Header{Typeflag: tar.TypeChar, Devmajor: 4, Devminor: 300, Mode: 0o600}},
		"d": {Data: []byte("a"), Mode: fs.ModeSymlink | 0o777},
		"e": labFile(nil),
	}
	image := opened(t, built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(files)))
	headers := make(map[string]*tar.Header)
	for name := range files {
		info, err := image.Lstat(name)
		require.NoError(t, err)
		headers[name] = info.Sys().(*tar.Header)
	}
	assert.Equal(t, byte(tar.TypeReg), headers["a"].Typeflag)
	assert.Equal(t, []int{7, 8, 0o640}, []int{headers["a"].Uid, headers["a"].Gid, int(headers["a"].Mode)})
	assert.Equal(t, byte(tar.TypeLink), headers["b"].Typeflag)
	assert.Equal(t, "a", headers["b"].Linkname)
	assert.Equal(t, []int64{4, 300}, []int64{headers["c"].Devmajor, headers["c"].Devminor})
	assert.Equal(t, "a", headers["d"].Linkname)
	assert.Equal(t, "content", read(t, image, "b"))
	assert.Empty(t, read(t, image, "e"))
}

// TestBuildWhenFileGetsShorter has a file that lost its end after it was
// listed.
func TestBuildWhenFileGetsShorter(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{"log/short": {Data: []byte("1234567"), Sys: &tar.Header{Typeflag: tar.TypeReg, Size: 8, Mode: 0o644}}}
	_, err := isobuild.Build(t.Context(), new(memoryFile), liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(files))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "log/short")
}

// TestBuildWhenFilesAreStreams has files that cannot be read at an offset.
func TestBuildWhenFilesAreStreams(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("0123456789abcde\n", 200000)
	image := opened(t, built(t, liveRoot(), isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(streamed{fstest.MapFS{"large": labFile([]byte(large))}})))
	assert.True(t, large == read(t, image, "large"))
}

// streamed is a tree whose files can only be read in order.
type streamed struct{ fs.FS }

func (s streamed) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if _, ok := f.(fs.ReadDirFile); ok || err != nil {
		return f, err
	}
	return struct{ fs.File }{f}, nil
}
