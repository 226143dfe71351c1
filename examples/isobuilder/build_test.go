package main

import (
	"archive/tar"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/examples/internal/labtest"
	"github.com/netbootkit/netbootkit/examples/internal/releasetest"
	"github.com/netbootkit/netbootkit/isobuild"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// build makes an image of the lab's root file system.
func build(t *testing.T, l *labtest.Lab, name string, args ...string) string {
	t.Helper()
	iso := l.Path(name)
	_, _, err := l.Run(t.Context(), append(append(grub(t), "-o", iso, l.Path("root")), args...)...)
	require.NoError(t, err)
	return iso
}

func TestBuild(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	iso := l.Path("kairos.iso")
	out, diag, err := l.Run(t.Context(), append(grub(t), "-o", iso, "-cloud-config", l.Path("config.yaml"), "-set", "name=node7",
		"-overlay", l.Path("overlay"), "-cmdline", "quiet", l.Path("root"))...)
	require.NoError(t, err)

	image := open(t, iso)
	assert.Equal(t, "COS_LIVE", image.VolumeID())
	for name, want := range map[string]string{
		"config.yaml": "#cloud-config\nhostname: node7\n", "hello": "an overlay", "boot/kernel": "the kernel", "boot/initrd": "the initrd",
	} {
		got, err := fs.ReadFile(image, name)
		require.NoError(t, err)
		assert.Equal(t, want, string(got), name)
	}
	menu, err := fs.ReadFile(image, "boot/grub2/grub.cfg")
	require.NoError(t, err)
	assert.Contains(t, string(menu), " quiet\n")

	sum := digest(t, iso)
	line, err := os.ReadFile(iso + ".sha256")
	require.NoError(t, err)
	assert.Equal(t, sum+" kairos.iso\n", string(line))
	assert.Len(t, line, 76, "as AuroraBoot's documents show it")
	assert.Contains(t, out, sum)
	assert.Contains(t, out, "dd if="+iso)
	assert.Contains(t, out, "qemu-system-x86_64")
	assert.Contains(t, diag, "squashfs     [##############################] 100 %")
	assert.Contains(t, diag, "iso          [##############################] 100 %")
	assert.NoFileExists(t, iso+".partial")
}

// TestSummary shows command lines that can be pasted, for the image's machine.
func TestSummary(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	kernel := make([]byte, 0x210)
	copy(kernel[0x38:], "ARM\x64")
	require.NoError(t, os.WriteFile(l.Path("root/boot/vmlinuz-6.1.0"), kernel, 0o600))
	program := make([]byte, 0x200) // An EFI program that does nothing, on arm64.
	copy(program, "MZ")
	copy(program[0x3C:], "\x80\x00\x00\x00")
	copy(program[0x80:], "PE\x00\x00\x64\xAA")
	require.NoError(t, os.MkdirAll(l.Path("loaders/EFI/BOOT"), 0o700))
	require.NoError(t, os.WriteFile(l.Path("loaders/EFI/BOOT/grubaa64.efi"), program, 0o600))
	iso := l.Path("my image.iso")
	for _, args := range [][]string{{"-grub", l.Path("loaders"), "-o", iso, l.Path("root")}, {"-o", iso, l.Path("live.iso")}} {
		out, _, err := l.Run(t.Context(), append(args, "-no-fetch")...)
		require.NoError(t, err)
		assert.Contains(t, out, "\n  dd if='"+iso+"' of=/dev/sdX ")
		assert.Contains(t, out, "\n  qemu-system-aarch64 -M virt ")
		assert.Contains(t, out, " -cdrom '"+iso+"'\n")
		require.NoError(t, os.Rename(iso, l.Path("live.iso")))
	}
	out, _, err := l.Run(t.Context(), "-ipxe-wait", "-firmware", "uefi", "-o", iso)
	require.NoError(t, err)
	assert.Contains(t, out, "qemu-system-x86_64 -m 2048 -accel kvm -accel tcg -bios /usr/share/ovmf/OVMF.fd -cdrom '"+iso+"'\n")
}

// TestBuildForFirmware leaves out what boots the firmware that is not asked for.
func TestBuildForFirmware(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	for firmware, want := range map[string][]bool{"bios": {true, false}, "uefi": {false, true}, "BIOS,efi": {true, true}, "": {true, true}} {
		image := open(t, build(t, l, firmware+".iso", "-firmware", firmware))
		for i, name := range []string{"boot/eltorito.img", "boot/uefi.img"} {
			_, err := fs.Stat(image, name)
			assert.Equal(t, want[i], err == nil, "%s of %q", name, firmware)
		}
	}
}

func TestBuildIsReproducible(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	assert.Equal(t, digest(t, build(t, l, "a.iso")), digest(t, build(t, l, "b.iso")))
}

// TestBuildOfAllSources makes the same image of a folder, a tar and a container
// image, but for the times of files.
func TestBuildOfAllSources(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	for name, packed := range l.Packed(t, "root") {
		_, _, err := l.Run(t.Context(), append(grub(t), "-o", l.Path(name+".iso"), packed)...)
		require.NoError(t, err, name)
		boot, err := open(t, l.Path(name+".iso")).Boot()
		require.NoError(t, err, name)
		root, err := squashfs.Open(boot.RootFS, boot.RootFS.Size())
		require.NoError(t, err, name)
		for _, file := range []string{"boot/vmlinuz-6.1.0", "etc/kairos-release", "usr/bin/program"} {
			want, err := os.ReadFile(filepath.Join(l.Path("root"), file))
			require.NoError(t, err)
			got, err := fs.ReadFile(root, file)
			require.NoError(t, err, name)
			assert.Equal(t, string(want), string(got), name)
		}
	}
}

// TestBuildNamesTheImage is in the folder where it runs, so it is not parallel.
func TestBuildNamesTheImage(t *testing.T) {
	l := newLab(t)
	t.Chdir(l.Dir)
	_, _, err := l.Run(t.Context(), append(grub(t), "root")...)
	require.NoError(t, err)
	assert.FileExists(t, l.Path("kairos-debian-12-core-amd64-generic-v1.2.3.iso"))
}

// TestBuildTakesItsTimeFromTheEnvironment changes it, so it is not parallel.
func TestBuildTakesItsTimeFromTheEnvironment(t *testing.T) {
	l := newLab(t)
	before := digest(t, build(t, l, "a.iso"))
	t.Setenv("SOURCE_DATE_EPOCH", "1700000000")
	iso := build(t, l, "b.iso")
	assert.NotEqual(t, before, digest(t, iso))
	info, err := fs.Stat(open(t, iso), "boot/grub2/grub.cfg")
	require.NoError(t, err)
	assert.EqualValues(t, 1_700_000_000, info.ModTime().Unix())

	t.Setenv("SOURCE_DATE_EPOCH", "yesterday")
	_, _, err = l.Run(t.Context(), l.Path("root"))
	require.ErrorContains(t, err, `SOURCE_DATE_EPOCH "yesterday" is not a number`)
}

func TestRemaster(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	iso := build(t, l, "kairos.iso", "-cloud-config", l.Path("config.yaml"), "-set", "name=old")
	before := digest(t, iso)
	_, _, err := l.Run(t.Context(), "-cloud-config", l.Path("config.yaml"), "-set", "name=new",
		"-overlay", l.Path("overlay"), "-remove", "boot/boot_hybrid.img", "-volume-id", "OTHER", "-o", iso+".custom.iso", iso)
	require.NoError(t, err)
	image := open(t, iso+".custom.iso")
	assert.Equal(t, "OTHER", image.VolumeID())
	config, err := fs.ReadFile(image, "config.yaml")
	require.NoError(t, err)
	assert.Equal(t, "#cloud-config\nhostname: new\n", string(config))
	menu, err := fs.ReadFile(image, "boot/grub2/grub.cfg")
	require.NoError(t, err)
	assert.Contains(t, string(menu), "root=live:CDLABEL=OTHER ")
	assert.NotContains(t, string(menu), "COS_LIVE", "the menu follows the volume identifier")
	hello, err := fs.ReadFile(image, "hello")
	require.NoError(t, err)
	assert.Equal(t, "an overlay", string(hello))
	_, err = fs.Stat(image, "boot/boot_hybrid.img")
	require.ErrorIs(t, err, fs.ErrNotExist)
	raw, err := os.ReadFile(iso + ".custom.iso")
	require.NoError(t, err)
	assert.NotContains(t, string(raw), "hostname: old", "what was replaced is gone")
	assert.Equal(t, before, digest(t, iso), "the input stays as it is")
	line, err := os.ReadFile(iso + ".custom.iso.sha256")
	require.NoError(t, err)
	assert.Equal(t, digest(t, iso+".custom.iso")+" kairos.iso.custom.iso\n", string(line))
}

// TestBuildSparesItsInput refuses to write over it, by whatever path.
func TestBuildSparesItsInput(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	iso := build(t, l, "x.iso")
	before := digest(t, iso)
	require.NoError(t, os.Symlink(l.Dir, l.Path("link")))
	for _, name := range []string{iso, l.Path("link/x.iso")} {
		_, _, err := l.Run(t.Context(), "-overlay", l.Path("overlay"), "-o", name, iso)
		require.ErrorContains(t, err, name+" would be written over "+iso)
	}
	_, _, err := l.Run(t.Context(), "-ipxe-script", l.Path("script.ipxe"), "-o", l.Path("script.ipxe"))
	require.ErrorContains(t, err, "would be written over")
	assert.Equal(t, before, digest(t, iso))
}

func TestRemasterOfARelease(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	data, err := os.ReadFile(build(t, l, "kairos.iso"))
	require.NoError(t, err)
	hub := releasetest.Serve(t, "v4.0.0", map[string][]byte{"kairos-debian-12-core-amd64-generic-v4.0.0.iso": data})
	_, _, err = l.Run(t.Context(), "-github", hub, "-repository", releasetest.Repository, "-flavor", "debian", "-flavor-release", "12",
		"-overlay", l.Path("overlay"), "-o", l.Path("custom.iso"))
	require.NoError(t, err)
	_, err = fs.Stat(open(t, l.Path("custom.iso")), "hello")
	require.NoError(t, err)
}

func TestIPXE(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	args := append(grub(t), "-ipxe", "/usr/lib/ipxe", "-o", l.Path("ipxe.iso"))
	_, _, err := l.Run(t.Context(), append(args, "-ipxe-script", l.Path("script.ipxe"))...)
	require.NoError(t, err)
	script, err := fs.ReadFile(open(t, l.Path("ipxe.iso")), "boot/script.ipxe")
	require.NoError(t, err)
	assert.Equal(t, "#!ipxe\necho hello\n", string(script))
	first := digest(t, l.Path("ipxe.iso"))

	long := "#!ipxe\n" + strings.Repeat("# one of many lines\n", 1000)
	require.NoError(t, os.WriteFile(l.Path("long.ipxe"), []byte(long), 0o600))
	_, _, err = l.Run(t.Context(), append(args, "-ipxe-script", l.Path("long.ipxe"))...)
	require.ErrorContains(t, err, "iPXE for a")
	require.ErrorContains(t, err, "script of 20007 bytes: the program has room for 1713")
	_, _, err = l.Run(t.Context(), append(args, "-ipxe-script", l.Path("long.ipxe"), "-firmware", "bios")...)
	require.NoError(t, err, "on a BIOS it is a file of its own")
	script, err = fs.ReadFile(open(t, l.Path("ipxe.iso")), "boot/script.ipxe")
	require.NoError(t, err)
	assert.Equal(t, long, string(script))

	_, _, err = l.Run(t.Context(), append(args, "-ipxe-wait")...)
	require.NoError(t, err)
	assert.NotEqual(t, first, digest(t, l.Path("ipxe.iso")))
	script, err = fs.ReadFile(open(t, l.Path("ipxe.iso")), "boot/script.ipxe")
	require.NoError(t, err)
	assert.Equal(t, string(isobuild.IPXEWaitScript()), string(script))
}

// TestBuildFetchesLoaders asks an archive that has nothing, and says for what.
func TestBuildFetchesLoaders(t *testing.T) {
	t.Parallel()

	var mu sync.Mutex
	var asked []string
	archive := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.URL.Path)
		http.NotFound(w, r)
	}))
	t.Cleanup(archive.Close)
	l := newLab(t)
	_, _, err := l.Run(t.Context(), "-debian", archive.URL+"/debian", "-o", l.Path("x.iso"), l.Path("root"))
	require.ErrorContains(t, err, "no boot loader for BIOS")
	require.ErrorContains(t, err, "fetching Debian's did not work either")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "-grub, which is / after apt install grub-pc-bin grub-efi-amd64-signed shim-signed, or another archive with -debian")
	require.NotEmpty(t, asked)
	assert.Regexp(t, `^/debian/pool/main/.*\.deb$`, asked[0])
	assert.NoFileExists(t, l.Path("x.iso"))
}

// TestUnusedFlags checks that no flag is ignored silently.
func TestUnusedFlags(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	require.NoError(t, os.WriteFile(l.Path("x.iso"), append(make([]byte, 16*2048), "\x01CD001\x01"...), 0o600))
	live := []string{"-cmdline=a", "-console=tty0", "-compression=xz", "-overlay-rootfs=" + l.Path("root"), "-platform=linux/arm64", "-insecure"}
	loaders := []string{"-firmware=uefi", "-grub=" + l.Path("root"), "-debian=http://127.0.0.1/"}
	ipxe := []string{"-ipxe=" + l.Path("root")}
	release := []string{"-flavor=debian", "-arch=arm64", "-release-version=v1", "-github=http://127.0.0.1/"}
	files := []string{"-cloud-config=" + l.Path("config.yaml"), "-set=name=a", "-overlay=" + l.Path("root")}
	for mode, tt := range map[string]struct {
		source []string
		unused []string
	}{
		"an ISO, ":                  {[]string{l.Path("x.iso")}, slices.Concat(live, loaders, ipxe, release)},
		"the ISO of a release":      {[]string{"-repository", "a/b"}, slices.Concat(live, loaders, ipxe)},
		"a live image":              {[]string{l.Path("root")}, slices.Concat(ipxe, release, []string{"-remove=x"})},
		"an image that starts iPXE": {[]string{"-ipxe-wait"}, slices.Concat(live, release, files, []string{"-remove=x"})},
	} {
		_, _, err := l.Run(t.Context(), slices.Concat(tt.source, tt.unused)...)
		var usage *cli.UsageError
		require.ErrorAs(t, err, &usage, mode)
		for _, flag := range tt.unused {
			name, _, _ := strings.Cut(flag, "=")
			require.ErrorContains(t, err, name+" has no effect on "+mode)
		}
	}
}

// TestErrors checks that each fault names itself, before any file is made.
func TestErrors(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	require.NoError(t, os.WriteFile(l.Path("bad.yaml"), []byte("no header"), 0o600))
	require.NoError(t, os.WriteFile(l.Path("bad.iso"), append(make([]byte, 16*2048), "\x01CD001\x01 cut off"...), 0o600))
	require.NoError(t, os.WriteFile(l.Path("huge.iso"), append(make([]byte, 16*2048), "\x01CD001\x01"...), 0o600))
	require.NoError(t, os.Truncate(l.Path("huge.iso"), 8<<40)) // It has a large hole.
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"nothing":          {nil, "nothing to make an image of"},
		"two sources":      {[]string{"-ipxe-wait", l.Path("root")}, "SOURCE and -ipxe-wait exclude one another"},
		"two words":        {[]string{"a", "b"}, "want one source, got 2"},
		"no kernel":        {[]string{l.Path("empty")}, "kernel"},
		"no loader":        {[]string{"-no-fetch", l.Path("root")}, "no boot loader for BIOS: searched in the root file system"},
		"no cloud config":  {[]string{"-cloud-config", l.Path("absent"), l.Path("root")}, "absent"},
		"bad cloud config": {[]string{"-cloud-config", l.Path("bad.yaml"), l.Path("root")}, "#cloud-config"},
		"set alone":        {[]string{"-set", "a=b", l.Path("root")}, "-set is for -cloud-config"},
		"compression":      {[]string{"-compression", "lzo", l.Path("root")}, `-compression "lzo" is not gzip`},
		"firmware":         {[]string{"-firmware", "uboot", l.Path("root")}, `"uboot" is neither bios nor uefi`},
		"no BIOS":          {[]string{"-ipxe-wait", "-firmware", "uefi", "-ipxe", l.Path("empty")}, "-ipxe is for BIOS, which -firmware uefi leaves out"},
		"overlay":          {[]string{"-overlay", l.Path("config.yaml"), l.Path("root")}, "config.yaml is not a folder"},
		"ISO that is cut":  {[]string{l.Path("bad.iso")}, "bad.iso: isobuild: remaster"},
		"ISO on a device":  {[]string{os.DevNull}, os.DevNull + " is not a file"},
		"no such ISO":      {[]string{l.Path("absent.iso")}, "it is no file or folder: stat " + l.Path("absent.iso")},
		"no iPXE":          {[]string{"-ipxe-wait", "-ipxe", l.Path("empty")}, l.Path("empty/ipxe.lkrn")},
		"no iPXE script":   {[]string{"-ipxe-script", l.Path("config.yaml")}, `config.yaml: iPXE for amd64: script does not begin with the line "#!ipxe"`},
		"endless script":   {[]string{"-ipxe-script", "/dev/zero"}, "/dev/zero has more than 1048576 bytes"},
		"no room":          {[]string{l.Path("huge.iso")}, "left, the image takes 8.0 TiB or more"},
		"no room to build": {[]string{"-no-fetch", hugeTar(t, l)}, "left, the image takes 2.7 TiB or more"},
		"no script":        {[]string{"-ipxe-script", l.Path("absent")}, "absent"},
		"remove":           {[]string{"-no-fetch", "-remove", "x", l.Path("root")}, "-remove has no effect on a live image"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			iso := filepath.Join(t.TempDir(), "out.iso")
			_, _, err := l.Run(t.Context(), append(tt.args, "-o", iso)...)
			require.ErrorContains(t, err, tt.want)
			assert.NoFileExists(t, iso)
			assert.NoFileExists(t, iso+".partial")
			assert.NoFileExists(t, iso+".sha256")
		})
	}
}

// hugeTar makes a tar of 8 TiB, most of it one file, that takes no room.
func hugeTar(t *testing.T, l *labtest.Lab) string {
	t.Helper()
	const size = 8 << 40
	f, err := os.Create(l.Path("huge.tar"))
	require.NoError(t, err)
	defer f.Close()
	w := tar.NewWriter(f)
	for name, content := range map[string]string{"boot/vmlinuz-6.1.0": "the kernel", "boot/initrd.img-6.1.0": "the initrd"} {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
		_, err := w.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "large", Mode: 0o644, Size: size}))
	start, err := f.Seek(0, io.SeekCurrent)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(start+size+1024))
	return f.Name()
}

// TestBuildWithoutNetwork names what could not be fetched, from where, and what to
// do about it.
func TestBuildWithoutNetwork(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	const archive = "http://archive.invalid/debian" // There is no such name (RFC 6761 §6.4).
	for name, tt := range map[string]struct {
		args []string
		want []string
	}{
		"live image":    {[]string{l.Path("root")}, []string{"package grub-pc-bin 2.06", "/pool/main/g/grub2/grub-pc-bin_2.06", "-grub, which is / after apt install grub-pc-bin"}},
		"iPXE":          {[]string{"-ipxe-wait"}, []string{"package ipxe 1.0", "/pool/main/i/ipxe/ipxe_1.0", "-ipxe, which is /usr/lib/ipxe after apt install ipxe"}},
		"GRUB for iPXE": {[]string{"-ipxe-wait", "-ipxe", "/usr/lib/ipxe"}, []string{"package grub-pc-bin 2.06", "-grub, which is / after"}},
	} {
		_, _, err := l.Run(t.Context(), append(tt.args, "-debian", archive, "-o", l.Path("x.iso"))...)
		for _, want := range append(tt.want, " from "+archive, "archive.invalid") {
			require.ErrorContains(t, err, want, name)
		}
		assert.Equal(t, 1, strings.Count(err.Error(), archive), name)
		t.Log(err)
	}
}
