package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild"
)

func TestBuild(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name, tree string
		flags      []string
		labels     []string // of partitions
	}{
		{"plain for UEFI", "plain", []string{"-efi"}, []string{"EF00"}},
		{"plain for BIOS", "plain", []string{"-bios"}, []string{"EF02"}},
		{"plain for both", "plain", []string{"-efi", "-bios"}, []string{"EF00", "EF02"}},
		{"Kairos for UEFI", "kairos", []string{"-efi"}, []string{"efi", "oem", "recovery"}},
		{"Kairos for BIOS", "kairos", []string{"-bios"}, []string{"bios", "oem", "recovery"}},
		{"Kairos as a plain one", "kairos", []string{"-efi", "-plain"}, []string{"EF00"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			l := newLab(t)
			raw := l.Path("disk.raw")
			out, diag, err := l.Run(t.Context(), append(append(grub(t), tt.flags...), "-o", raw,
				"-cloud-config", l.Path("config.yaml"), "-set", "name=node7", l.Path(tt.tree))...)
			require.NoError(t, err)
			assert.Contains(t, oracle.Run(t, "sgdisk", "-v", raw), "No problems found")
			table := oracle.Run(t, "sgdisk", "-p", raw)
			for _, label := range tt.labels {
				assert.Contains(t, table, label)
			}
			assert.Contains(t, out, raw)
			assert.Contains(t, out, "qemu-system-x86_64")
			assert.Equal(t, slices.Contains(tt.labels, "recovery"), strings.Contains(out, "\n  truncate -s 8G "+raw+"\n"), out)
			assert.Contains(t, out, "aws ec2 import-snapshot")
			assert.Contains(t, diag, "100 %")
			assert.FileExists(t, raw+".sha256")
			number := len(tt.labels) + 1 // of the root
			file := "var/lib/cloud/seed/nocloud/user-data"
			if slices.Contains(tt.labels, "oem") {
				number, file = 2, "90_custom.yaml"
			}
			assert.Equal(t, "#cloud-config\nhostname: node7\n", cat(t, partition(t, raw, number), file))
		})
	}
}

// TestBuildFormats makes all formats of one disk, which all hold the same. That it
// be written raw as well is in the name that it is given.
func TestBuildFormats(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	out, _, err := l.Run(t.Context(), append(grub(t), "-efi", "-vhd", "-gce", "-qcow2", "-vmdk", "-size", "1024",
		"-o", l.Path("disk.raw"), l.Path("plain"))...)
	require.NoError(t, err)
	for suffix, format := range map[string]string{".vhd": "vpc", ".qcow2": "qcow2", ".vmdk": "vmdk"} {
		assert.Contains(t, oracle.Run(t, "qemu-img", "compare", "-f", "raw", "-F", format, l.Path("disk.raw"), l.Path("disk")+suffix), "identical")
	}
	assert.Contains(t, oracle.Run(t, "tar", "tvf", l.Path("disk.gce.tar.gz")), "1073741824")
	for _, hint := range []string{"az storage blob upload", "gcloud compute images create", "aws ec2 import-snapshot"} {
		assert.Contains(t, out, hint)
	}
}

// TestNames says which files a command line makes.
func TestNames(t *testing.T) {
	t.Parallel()

	for flags, want := range map[string]string{
		"":                  "base.raw",
		"-vhd -raw":         "base.raw base.vhd",
		"-o d.raw -vhd":     "d.raw d.vhd",
		"-o d.vhd -vhd":     "d.vhd",
		"-o d.vhd -raw":     "d.raw d.vhd",
		"-o d.gce.tar.gz":   "d.gce.tar.gz",
		"-o d.img":          "d.img",
		"-o d.img -raw":     "d.img",
		"-o d.img -qcow2":   "d.img.qcow2",
		"-o d -vmdk -qcow2": "d.qcow2 d.vmdk",
	} {
		c, err := parseConfig(append(strings.Fields(flags), "-efi", "source"), io.Discard)
		require.NoError(t, err)
		var names []string
		for _, f := range c.formats() {
			names = append(names, c.name(f, "base"))
		}
		assert.Equal(t, want, strings.Join(names, " "), flags)
	}
}

// TestBuildSparesItsInput refuses to write over it in any format.
func TestBuildSparesItsInput(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	require.NoError(t, os.WriteFile(l.Path("d.vhd"), []byte("a tar, or so"), 0o600))
	require.NoError(t, os.Symlink(l.Dir, l.Path("link")))
	_, _, err := l.Run(t.Context(), "-efi", "-o", l.Path("link/d.raw"), "-vhd", "ocifile:"+l.Path("d.vhd"))
	require.ErrorContains(t, err, l.Path("link/d.vhd")+" would be written over "+l.Path("d.vhd"))
	_, _, err = l.Run(t.Context(), "-efi", "-o", l.Path("config.yaml"), "-cloud-config", l.Path("config.yaml"), l.Path("plain"))
	require.ErrorContains(t, err, "would be written over")
}

// TestBuildOfAllSources makes the same disk of a tar and of container images.
func TestBuildOfAllSources(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	for name, packed := range l.Packed(t, "plain") {
		raw := l.Path(name + ".raw")
		_, _, err := l.Run(t.Context(), append(grub(t), "-efi", "-size", "128", "-o", raw, packed)...)
		require.NoError(t, err, name)
		root := partition(t, raw, 2)
		assert.Equal(t, "the kernel", cat(t, root, "boot/vmlinuz-6.1.0"), name)
		assert.Equal(t, "ID=debian\nVERSION_ID=12\nARCH=amd64\n", cat(t, root, "etc/os-release"), name)
	}
}

// TestBuildOfALiveISO makes the same disk of a root file system and of the one in
// an ISO.
func TestBuildOfALiveISO(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	iso, err := os.Create(l.Path("live.iso"))
	require.NoError(t, err)
	_, err = isobuild.Build(t.Context(), iso, os.DirFS(l.Path("kairos")), isobuild.WithFirmware(isobuild.UEFI),
		isobuild.WithLoaders(os.DirFS("/usr/lib/grub")))
	require.NoError(t, errors.Join(err, iso.Close()))
	_, _, err = l.Run(t.Context(), append(grub(t), "-efi", "-o", l.Path("d.raw"), iso.Name())...)
	require.NoError(t, err)
	image := filepath.Join(t.TempDir(), "recovery.img")
	oracle.Run(t, "debugfs", "-R", "dump cOS/recovery.img "+image, partition(t, l.Path("d.raw"), 3))
	assert.Equal(t, "the kernel", cat(t, image, "boot/vmlinuz-6.1.0"))
}

// TestBuildOfAnOverlay makes the disk of a Kairos if what is laid over the source
// makes it one. Its first boot is told which size its state has.
func TestBuildOfAnOverlay(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	_, _, err := l.Run(t.Context(), append(grub(t), "-efi", "-overlay-rootfs", l.Path("overlay"), "-state-size", "777",
		"-o", l.Path("d.raw"), l.Path("plain"))...)
	require.NoError(t, err)
	assert.Contains(t, oracle.Run(t, "sgdisk", "-p", l.Path("d.raw")), "recovery")
	assert.Contains(t, cat(t, partition(t, l.Path("d.raw"), 2), "01_reset.yaml"), "size: 777\n")
}

// TestBuildConsoles leaves the choice to the kernel if no console is named.
func TestBuildConsoles(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	for name, tt := range map[string]struct {
		flags []string
		want  string
	}{
		"default": {nil, " ro console=tty0 console=ttyS0,115200\n"},
		"none":    {[]string{"-console", ""}, " ro\n"},
		"some":    {[]string{"-console", "ttyS1  tty1", "-cmdline", "quiet"}, " ro console=ttyS1 console=tty1 quiet\n"},
	} {
		raw := l.Path(name + ".raw")
		_, _, err := l.Run(t.Context(), slices.Concat(grub(t), tt.flags, []string{"-efi", "-size", "128", "-o", raw, l.Path("plain")})...)
		require.NoError(t, err)
		assert.Contains(t, cat(t, partition(t, raw, 2), "boot/grub/grub.cfg"), tt.want)
	}
}

// TestBuildDefaultUser makes no user with a known password unless it is told to.
func TestBuildDefaultUser(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	for name, flags := range map[string][]string{"without": nil, "with": {"-default-user"}} {
		_, _, err := l.Run(t.Context(), append(append(grub(t), flags...), "-efi", "-o", l.Path(name+".raw"), l.Path("kairos"))...)
		require.NoError(t, err)
		disk, err := os.Open(l.Path(name + ".raw"))
		require.NoError(t, err)
		data := make([]byte, 64<<20) // COS_OEM, behind 64 MiB of COS_GRUB
		_, err = disk.ReadAt(data, 65<<20)
		require.NoError(t, errors.Join(err, disk.Close()))
		assert.Contains(t, string(data), "01_reset.yaml")
		assert.Equal(t, flags != nil, bytes.Contains(data, []byte("90_custom.yaml")), name)
	}
}

// TestBuildNamesTheDisk is in the folder where it runs, so it is not parallel.
func TestBuildNamesTheDisk(t *testing.T) {
	l := newLab(t)
	t.Chdir(l.Dir)
	_, _, err := l.Run(t.Context(), append(grub(t), "-efi", "-qcow2", "kairos")...)
	require.NoError(t, err)
	assert.FileExists(t, l.Path("kairos-debian-12-core-amd64-generic-v1.2.3.qcow2"))
}

// TestBuildTakesItsTimeFromTheEnvironment changes it, so it is not parallel.
func TestBuildTakesItsTimeFromTheEnvironment(t *testing.T) {
	l := newLab(t)
	digest := func(name string) string {
		_, _, err := l.Run(t.Context(), append(grub(t), "-efi", "-o", l.Path(name), l.Path("plain"))...)
		require.NoError(t, err)
		line, err := os.ReadFile(l.Path(name) + ".sha256")
		require.NoError(t, err)
		return string(line[:64])
	}
	first := digest("a.raw")
	assert.Equal(t, first, digest("b.raw"), "the same input gives the same bytes")
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	assert.NotEqual(t, first, digest("c.raw"))
}

// TestErrors checks that each fault names itself, before any file is made.
func TestErrors(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	require.NoError(t, os.WriteFile(l.Path("bad.iso"), append(make([]byte, 16*2048), "\x01CD001\x01 cut off"...), 0o600))
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"ISO":         {[]string{"-efi", l.Path("bad.iso")}, "bad.iso is an ISO image; a root file system is wanted, or the ISO of a live system: isobuild: open"},
		"platform":    {[]string{"-efi", "-platform", "linux/arm64", l.Path("bad.iso")}, "-platform and -insecure are for container images"},
		"no room":     {append(grub(t), "-efi", "-size", "128", "-o", "/proc/disk.raw", l.Path("plain")), "/proc has 0 B left, the image takes"},
		"nothing":     {nil, "want one source, got 0"},
		"no firmware": {[]string{l.Path("plain")}, "-efi or -bios"},
		"no kernel":   {[]string{"-efi", l.Path("empty")}, "kernel"},
		"no loader":   {[]string{"-efi", "-no-fetch", l.Path("plain")}, "no boot loader for UEFI"},
		"both":        {[]string{"-efi", "-bios", l.Path("kairos")}, "not for both"},
		"state size":  {append(grub(t), "-efi", "-state-size", "100", l.Path("plain")), "-state-size and -default-user are for a Kairos"},
		"too small":   {append(grub(t), "-efi", "-size", "100", l.Path("kairos")), "MiB"},
		"negative":    {[]string{"-efi", "-size", "-1", l.Path("plain")}, "must not be negative"},
		"console":     {append(grub(t), "-efi", "-console", "tty0", l.Path("kairos")), "-cmdline and -console are not for a Kairos"},
		"overlay":     {[]string{"-efi", "-overlay-rootfs", l.Path("config.yaml"), l.Path("plain")}, "config.yaml is not a folder"},
		"set alone":   {[]string{"-efi", "-set", "a=b", l.Path("plain")}, "-set is for -cloud-config"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dir := t.TempDir()
			_, _, err := l.Run(t.Context(), append([]string{"-o", filepath.Join(dir, "disk.raw")}, tt.args...)...)
			require.ErrorContains(t, err, tt.want)
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			assert.Empty(t, entries, "nothing is left behind")
		})
	}
}
