package isomaster_test

import (
	"fmt"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// run runs a program and returns what it prints.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), oracle.Need(t, name), args...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}

// unpacked lists a folder that a program has filled.
func unpacked(t *testing.T, dir string) manifest.Manifest {
	t.Helper()
	m, err := manifest.Dir(dir)
	require.NoError(t, err)
	return m
}

func TestXorriso(t *testing.T) {
	t.Parallel()

	oracle.Root(t)
	d := oddDisc(t, limits{name: 253, target: 1023, minor: 255, whole: true})
	d.finish()
	iso, dir := d.save(), filepath.Join(t.TempDir(), "tree")
	out := run(t, "xorriso", "-osirrox", "device_files", "-hardlinks", "on", "-indev", iso, "-extract", "/", dir)
	assert.NotContains(t, out, "SORRY")
	seen := func(_ string, e *manifest.Entry) {
		switch {
		case e.Mode&fs.ModeSymlink != 0: // Xorriso leaves them to whom it runs as.
			e.UID, e.GID, e.ModTime = 0, 0, modified
		case e.Mode&fs.ModeSocket != 0:
			*e = manifest.Entry{}
		}
		e.Target = strings.ReplaceAll(e.Target, "//", "/")
	}
	got := unpacked(t, dir)
	got["dev/socket"] = manifest.Entry{} // It cannot make one.
	assert.Empty(t, manifest.Diff(d.want.Edit(seen), got.Edit(seen)))
}

func TestBsdtar(t *testing.T) {
	t.Parallel()

	oracle.Root(t)
	d := oddDisc(t, limits{name: 127, target: 4095, minor: 255, whole: true})
	d.finish()
	iso, dir := d.save(), t.TempDir()
	run(t, "bsdtar", "-xpf", iso, "-C", dir)
	seen := func(p string, e *manifest.Entry) {
		e.Links, e.Same = 0, "" // It takes only neighbours for one file.
		if p == "." || e.ModTime.Unix() <= 0 {
			e.ModTime = modified // The folder was there before; and it has no second before 1970.
		}
	}
	assert.Empty(t, manifest.Diff(d.want.Edit(seen).Edit(asRead), unpacked(t, dir).Edit(seen).Edit(asRead)))
}

// TestIsoinfo lists all trees: it knows other mistakes than the others.
func TestIsoinfo(t *testing.T) {
	t.Parallel()

	d := oddDisc(t, limits{name: 127, target: 200, whole: true})
	d.boot("block", "boot/uefi.img")
	d.finish()
	iso := d.save()
	count := func(m manifest.Manifest) (n int) {
		for p, e := range m {
			if strings.HasPrefix(p, "many/") && e.Mode.IsRegular() {
				n++
			}
		}
		return n
	}
	for _, option := range []string{"-f", "-fR", "-fJ"} {
		out := run(t, "isoinfo", option, "-i", iso)
		assert.Equal(t, count(d.want), strings.Count(strings.ToLower(out), "/many/file"), option)
	}
	out := run(t, "isoinfo", "-d", "-i", iso)
	for _, line := range []string{
		"Volume id: " + d.volume.ID, "Joliet with UCS level 3 found", "Rock Ridge signatures version 1 found",
		"Eltorito validation header:", "Bootoff",
	} {
		assert.Contains(t, out, line)
	}
	assert.Equal(t, "deep", run(t, "isoinfo", "-i", iso, "-R", "-x", "/"+strings.Repeat("deep/", 20)+"file"))
	assert.Equal(t, "deep", run(t, "isoinfo", "-i", iso, "-x", "/"+strings.Repeat("DEEP/", 20)+"FILE.;1"))
}

// TestElTorito asks xorriso for what it finds in the catalogue and elsewhere.
func TestElTorito(t *testing.T) {
	t.Parallel()

	d := newDisc(t)
	d.file("boot/eltorito.img", strings.Repeat("b", 2048), 0o644)
	d.outside("boot/uefi.img", strings.Repeat("e", 1440<<10))
	d.boot("boot/eltorito.img", "boot/uefi.img")
	d.finish()
	out := run(t, "xorriso", "-indev", d.save(), "-report_el_torito", "plain", "-pvd_info")
	for _, line := range []string{
		"El Torito catalog  : 49  1",
		"El Torito cat path : /boot/boot.catalog",
		"El Torito images   :   N  Pltf  B   Emul  Ld_seg  Hdpt  Ldsiz         LBA",
		"El Torito boot img :   1  BIOS  y   none  0x0000  0x00      4          48",
		fmt.Sprintf("El Torito boot img :   2  UEFI  y   none  0x0000  0x00   2880  %10d", d.dirs["boot/uefi.img"].Extents[0].Block),
		"El Torito img path :   1  /boot/eltorito.img",
		"El Torito img path :   2  /boot/uefi.img",
		"Volume Id    : Disc 1",
		"Creation Time: 2026030405060700",
	} {
		assert.Contains(t, out, line)
	}
}

// TestGRUB reads with the boot loader's own code, which has to find kernels.
func TestGRUB(t *testing.T) {
	t.Parallel()

	most := linux
	most.few = true
	d := oddDisc(t, most)
	d.symlink("link", strings.Repeat("./", 300)+strings.Repeat("deep/", 20)+"file")
	d.finish()
	iso := d.save()
	for name, want := range map[string]string{
		"scattered":                         d.want["scattered"].Sum,
		"ümläut-日本語-😀":                      d.want["ümläut-日本語-😀"].Sum,
		"link":                              d.want[strings.Repeat("deep/", 20)+"file"].Sum,
		"names/" + strings.Repeat("q", 253): d.want["names/"+strings.Repeat("q", 253)].Sum,
		"boot/uefi.img":                     d.want["boot/uefi.img"].Sum,
		"many/file number 29.txt":           d.want["many/file number 29.txt"].Sum,
	} {
		out := run(t, "grub-fstest", iso, "cat", "(loop0)/"+name)
		got, _, err := manifest.Sum(strings.NewReader(out))
		require.NoError(t, err)
		assert.Equal(t, want, got, name)
	}
}
