package diskimage_test

import (
	"archive/tar"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

func TestEFI(t *testing.T) {
	t.Parallel()
	l, err := diskimage.EFI(t.Context(), smallRoot(), diskimage.WithCloudConfig([]byte("#cloud-config\n")))
	require.NoError(t, err)
	disk := opened(t, l)
	l = disk.Layout()
	assert.Equal(t, "2CEFF841-4C1D-5A14-8E46-ED3AEB621093", l.ID.String())
	assert.Empty(t, l.Boot)
	var got []string
	for _, p := range l.Partitions {
		got = append(got, p.Label+" "+p.Type.String()+" "+p.ID.String())
	}
	const linux = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
	assert.Equal(t, []string{
		"efi C12A7328-F81F-11D2-BA4B-00A0C93EC93B 81444E82-66B3-5ED2-961B-497665F12BE2",
		"oem " + linux + " 8BFA06F9-CA4F-56DC-90C9-49CF20F4F45E",
		"recovery " + linux + " 768FBD69-B2A9-5EAB-902C-DB8745B4767C",
	}, got)
	assert.Equal(t, diskimage.Required, l.Partitions[0].Attributes)
	// The files take a MiB at most: S is 101, recovery.img 301 MiB.
	assert.Equal(t, [][2]int64{{1, 64}, {65, 64}, {129, 2*301 + 150}}, places(l))
	assert.Equal(t, int64(129+752+1)*miB, disk.Size())
}

func TestBIOSDisk(t *testing.T) {
	t.Parallel()
	l, err := diskimage.BIOS(t.Context(), smallRoot(), diskimage.WithLoaders(biosModules(t)))
	require.NoError(t, err)
	disk := opened(t, l)
	assert.Len(t, l.Boot, 440)
	l = disk.Layout()
	assert.Equal(t, "bios", l.Partitions[0].Label)
	assert.Equal(t, "81444E82-66B3-5ED2-961B-497665F12BE2", l.Partitions[0].ID.String())
	assert.Equal(t, diskimage.TypeBIOSBoot(), l.Partitions[0].Type)
	assert.Equal(t, diskimage.Required|diskimage.LegacyBIOS, l.Partitions[0].Attributes)
	assert.Equal(t, [][2]int64{{1, 1}, {2, 64}, {66, 752}}, places(l))
}

func TestKairosSizes(t *testing.T) {
	t.Parallel()
	big := smallRoot()
	big["usr/big"] = smallFile(strings.Repeat("big!", 10*miB/4))
	linked := smallRoot()
	linked["usr/big"] = big["usr/big"]
	linked["usr/bigger"] = &fstest.MapFile{Data: big["usr/big"].Data, Mode: 0o644, Sys: &tar.Header{Typeflag: tar.TypeLink, Name: "usr/bigger", Linkname: "usr/big"}}
	for name, test := range map[string]struct {
		tree  fstest.MapFS
		opts  []diskimage.Option
		sizes []int64 // of the recovery partition and the disk, in MiB
	}{
		"as large as the tree": {big, nil, []int64{2*311 + 150, 129 + 772 + 1}},
		"a file of two names":  {linked, nil, []int64{2*311 + 150, 129 + 772 + 1}},
		"recovery":             {smallRoot(), []diskimage.Option{diskimage.WithRecoverySize(20)}, []int64{190, 320}},
		"disk":                 {smallRoot(), []diskimage.Option{diskimage.WithSize(16000)}, []int64{752, 16000}},
		"state":                {smallRoot(), []diskimage.Option{diskimage.WithSize(2000), diskimage.WithStateSize(1000)}, []int64{752, 2000}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := diskimage.EFI(t.Context(), test.tree, test.opts...)
			require.NoError(t, err)
			disk := opened(t, l)
			assert.Equal(t, test.sizes, []int64{disk.Layout().Partitions[2].Size / miB, disk.Size() / miB})
		})
	}
}

func TestKairosTooSmall(t *testing.T) {
	t.Parallel()
	_, err := diskimage.EFI(t.Context(), smallRoot(), diskimage.WithSize(2000))
	require.EqualError(t, err, "diskimage: efi: the disk has 2000 MiB and needs 3302 MiB, which is 1302 MiB more: "+
		"the first boot adds COS_STATE of 2356 MiB, which WithStateSize changes, and COS_PERSISTENT")

	_, err = diskimage.EFI(t.Context(), smallRoot(), diskimage.WithStateSize(1))
	require.EqualError(t, err, "diskimage: efi: COS_STATE has 1 MiB and needs 2 MiB, which is 1 MiB more: "+
		"WithStateSize sets its size, and the system is there twice")

	big := smallRoot()
	big["usr/big"] = smallFile(strings.Repeat("big!", 10*miB/4))
	_, err = diskimage.EFI(t.Context(), big, diskimage.WithStateSize(20))
	require.ErrorContains(t, err, "COS_STATE has 20 MiB and needs 2")
	_, err = diskimage.EFI(t.Context(), big, diskimage.WithRecoverySize(10))
	var small *diskimage.SizeError
	require.ErrorAs(t, err, &small)
	assert.Equal(t, "cOS/recovery.img", small.What)
	assert.Equal(t, int64(10*miB), small.Size)
	assert.Contains(t, err.Error(), "WithRecoverySize sets its size")
}

func TestKairosLacks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ drop, want string }{
		"menu":    {"cos/grub.cfg", "diskimage: efi: etc/cos/grub.cfg: a Kairos has it, to boot its disks with"},
		"kernel":  {"vmlinuz", "no kernel (vmlinuz"},
		"loaders": {"usr/lib/grub", "no boot loader for UEFI: searched in the tree and in 0 places of WithLoaders for GRUB for UEFI on amd64: add a tree that has it, such as Debian's grub-efi-amd64-signed and shim-signed"},
	} {
		_, err := diskimage.EFI(t.Context(), without(smallRoot(), test.drop))
		require.ErrorIs(t, err, fs.ErrNotExist, name)
		assert.ErrorContains(t, err, test.want, name)
	}
	var missing *diskimage.LoaderError
	_, err := diskimage.BIOS(t.Context(), smallRoot())
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, diskimage.FirmwareBIOS, missing.Firmware)
	assert.Equal(t, "amd64", missing.Arch)

	_, err = diskimage.BIOS(t.Context(), smallRoot(), diskimage.WithArch("arm64"))
	assert.ErrorContains(t, err, "a machine of architecture arm64 has no BIOS")
	_, err = diskimage.EFI(t.Context(), nil)
	assert.EqualError(t, err, "diskimage: efi: file tree is nil")
}

func TestKairosDrawsIdentifiers(t *testing.T) {
	t.Parallel()
	draw := func(seed byte) *diskimage.Layout {
		l, err := diskimage.EFI(t.Context(), smallRoot(), diskimage.WithRand(rand.NewChaCha8([32]byte{seed})))
		require.NoError(t, err)
		return l
	}
	first, again, other := draw(1), draw(1), draw(2)
	assert.Equal(t, first.ID, again.ID)
	assert.NotEqual(t, first.ID, other.ID)
	assert.NotEqual(t, first.Partitions[2].ID, other.Partitions[2].ID)
}

func TestKairosWithRootFiles(t *testing.T) {
	t.Parallel()
	bare := without(smallRoot(), "cos/grub.cfg", "shim", "grubx64")
	menu := fstest.MapFS{"etc/cos/grub.cfg": smallFile("echo laid over\n")}
	shim := fstest.MapFS{"usr/lib/shim/shimx64.efi.signed": program("shim")}
	grub := fstest.MapFS{"usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed": program("grub")}
	l, err := diskimage.EFI(t.Context(), bare, diskimage.WithRootFiles(menu), diskimage.WithLoaders(shim, grub), diskimage.WithRecoverySize(20))
	require.NoError(t, err)
	disk := opened(t, l)
	later, err := diskimage.EFI(t.Context(), bare, diskimage.WithRootFiles(menu), diskimage.WithLoaders(shim, grub), diskimage.WithRecoverySize(20),
		diskimage.WithTime(time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)))
	require.NoError(t, err)
	assert.NotEqual(t, digest(t, disk), digest(t, opened(t, later)))
	assert.Equal(t, disk.Layout().Partitions[2].ID, later.Partitions[2].ID)
}

// TestResetCondition has a shell decide when 01_reset.yaml resets the system.
func TestResetCondition(t *testing.T) {
	t.Parallel()
	sh := oracle.Need(t, "sh")
	text, err := os.ReadFile("testdata/01_reset.yaml")
	require.NoError(t, err)
	_, condition, _ := strings.Cut(string(text), "if: '")
	condition, _, _ = strings.Cut(condition, "'\n")
	for _, test := range []struct {
		files []string
		want  bool
	}{
		{[]string{"run/cos/recovery_mode"}, true},
		{[]string{"run/cos/recovery_mode", "oem/.autoreset.skip"}, false},
		{[]string{"oem/.autoreset.skip"}, false},
		{nil, false},
	} {
		dir := t.TempDir()
		for _, name := range test.files {
			name = filepath.Join(dir, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
			require.NoError(t, os.WriteFile(name, nil, 0o600))
		}
		moved := strings.NewReplacer(" /run/", " "+dir+"/run/", " /oem/", " "+dir+"/oem/").Replace(condition)
		require.Equal(t, 2, strings.Count(moved, dir), moved)
		err := exec.CommandContext(t.Context(), sh, "-c", moved).Run()
		assert.Equal(t, test.want, err == nil, "%v: %v", test.files, err)
	}
}

func TestDefaultCloudConfig(t *testing.T) {
	t.Parallel()
	text := string(diskimage.DefaultCloudConfig())
	assert.True(t, strings.HasPrefix(text, "#cloud-config\n"))
	assert.Contains(t, text, "passwd: kairos")
}
