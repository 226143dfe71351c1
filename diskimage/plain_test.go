package diskimage_test

import (
	"io/fs"
	"math/rand/v2"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
)

// labels returns what the partitions of a layout are called.
func labels(l *diskimage.Layout) []string {
	var all []string
	for _, p := range l.Partitions {
		all = append(all, p.Label)
	}
	return all
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		firmware diskimage.Firmware
		arch     string
		want     []string
	}{
		"BIOS":       {diskimage.FirmwareBIOS, "", []string{"bios", "root"}},
		"UEFI":       {diskimage.FirmwareUEFI, "", []string{"efi", "root"}},
		"both":       {diskimage.FirmwareBIOS | diskimage.FirmwareUEFI, "", []string{"bios", "efi", "root"}},
		"by default": {0, "", []string{"bios", "efi", "root"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := diskimage.Plain(t.Context(), smallRoot(), test.firmware, diskimage.WithLoaders(biosModules(t)))
			require.NoError(t, err)
			assert.Equal(t, test.want, labels(l))
			assert.Equal(t, test.firmware != diskimage.FirmwareUEFI, len(l.Boot) == 440)
			root := opened(t, l).Layout().Partitions[len(l.Partitions)-1]
			assert.Equal(t, diskimage.TypeRoot("amd64"), root.Type)
			assert.Equal(t, diskimage.GrowFileSystem, root.Attributes)
			assert.Greater(t, root.Size, int64(512*miB))
		})
	}
}

func TestPlainSizes(t *testing.T) {
	t.Parallel()
	root := func(opts ...diskimage.Option) int64 {
		l, err := diskimage.Plain(t.Context(), smallRoot(), diskimage.FirmwareUEFI, opts...)
		require.NoError(t, err)
		return opened(t, l).Layout().Partitions[1].Size / miB
	}
	least := root(diskimage.WithSpare(0))
	assert.Less(t, least, int64(20))
	assert.InDelta(t, least+512, root(), 50)
	assert.InDelta(t, least+100, root(diskimage.WithSpare(100*miB)), 20)
	assert.Equal(t, int64(1000-65-1), root(diskimage.WithSize(1000)))
	assert.Equal(t, int64(1000-65-1), root(diskimage.WithSize(1000), diskimage.WithSpare(500*miB)))

	l, err := diskimage.Plain(t.Context(), smallRoot(), diskimage.FirmwareUEFI, diskimage.WithSize(66))
	require.NoError(t, err)
	_, err = diskimage.Open(t.Context(), l)
	var small *diskimage.SizeError
	require.ErrorAs(t, err, &small)
	assert.ErrorContains(t, err, `more: partition 2 "root" takes what is left, and has to hold its content`)
}

func TestPlainIdentifiers(t *testing.T) {
	t.Parallel()
	plain := func(tree fs.FS, opts ...diskimage.Option) *diskimage.Layout {
		l, err := diskimage.Plain(t.Context(), tree, diskimage.FirmwareUEFI, opts...)
		require.NoError(t, err)
		return l
	}
	other := smallRoot()
	other["etc/os-release"] = smallFile("ID=other\n")
	longer := smallRoot()
	longer["etc/hostname"] = smallFile("longer\n")
	named := smallRoot()
	named["etc/hosts"] = named["etc/os-release"]
	first := plain(smallRoot())
	assert.Equal(t, first.Partitions[1].ID, plain(smallRoot()).Partitions[1].ID)
	assert.NotEqual(t, first.ID, plain(other).ID, "disks of different systems can be in one machine")
	assert.NotEqual(t, first.Partitions[1].ID, plain(other).Partitions[1].ID)
	seen := map[diskimage.GUID]bool{}
	for _, l := range []*diskimage.Layout{
		first, plain(longer), plain(named), plain(smallRoot(), diskimage.WithRootFiles(fstest.MapFS{"a": smallFile("")})),
		plain(smallRoot(), diskimage.WithCloudConfig([]byte("hostname: a"))), plain(smallRoot(), diskimage.WithCloudConfig([]byte("hostname: b"))),
	} {
		assert.False(t, seen[l.ID] || seen[l.Partitions[1].ID])
		seen[l.ID], seen[l.Partitions[1].ID] = true, true
	}
	assert.NotEqual(t, first.ID, plain(smallRoot(), diskimage.WithRand(rand.NewChaCha8([32]byte{}))).ID)
}

func TestPlainOnOtherArchitectures(t *testing.T) {
	t.Parallel()
	for arch, test := range map[string]struct {
		cpu     string
		machine string
	}{
		"arm64":   {"aa64", "\x64\xAA"},
		"riscv64": {"riscv64", "\x64\x50"},
	} {
		tree := without(smallRoot(), "shim", "grubx64")
		data := program("grub").Data
		copy(data[0x84:], test.machine)
		tree["usr/lib/grub/"+arch+"-efi/monolithic/grub"+test.cpu+".efi"] = smallFile(string(data))
		l, err := diskimage.Plain(t.Context(), tree, 0, diskimage.WithArch(arch))
		require.NoError(t, err, arch)
		assert.Equal(t, []string{"efi", "root"}, labels(l))
		assert.Equal(t, diskimage.TypeRoot(arch), opened(t, l).Layout().Partitions[1].Type)
	}
}

func TestPlainFails(t *testing.T) {
	t.Parallel()
	_, err := diskimage.Plain(t.Context(), smallRoot(), 8)
	require.EqualError(t, err, "diskimage: plain: unknown firmware 0x8")

	_, err = diskimage.Plain(t.Context(), without(smallRoot(), "grub"), 0)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.ErrorContains(t, err, "no boot loader for BIOS")
	assert.ErrorContains(t, err, "no boot loader for UEFI")

	mute := smallRoot()
	mute["boot/vmlinuz-6.1.0-9-amd64"] = smallFile("a kernel")
	_, err = diskimage.Plain(t.Context(), mute, 0)
	assert.EqualError(t, err, "diskimage: plain: boot/vmlinuz-6.1.0-9-amd64: does not say which architecture it is for, and neither does etc/os-release: WithArch can")
}
