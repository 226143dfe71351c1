package isobuild

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// menus are the menus that a golden file shows.
func menus() map[string]*menu {
	return map[string]*menu{
		"kairos-amd64": {title: "Kairos", kairos: true, volumeID: "COS_LIVE", arch: "amd64", consoles: []string{"ttyS0", "tty1"}},
		"kairos-arm64": {title: "Kairos", kairos: true, volumeID: "COS_LIVE", arch: "arm64", consoles: []string{"tty1"}, extra: []string{"ip=dhcp"}},
		"other": {
			title: "Bob's Linux", volumeID: "MY-LIVE.1", arch: "amd64", consoles: []string{"tty0", "ttyS1,115200n8", "ttyS2"},
			extra: []string{"dyndbg=file a +p", "a=$b", ""},
		},
		"no-console": {title: "Debian", volumeID: "D", arch: "riscv64"},
	}
}

func TestMenuConfig(t *testing.T) {
	t.Parallel()
	for name, m := range menus() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden.Check(t, "menu-"+name+".cfg", m.config())
		})
	}
}

// TestMenuConfigWords holds the command lines against what Kairos's own images
// have.
func TestMenuConfigWords(t *testing.T) {
	t.Parallel()
	m := menus()["kairos-amd64"]
	m.extra = []string{"extra"}
	const start = "cdroot root=live:CDLABEL=COS_LIVE rd.live.dir=/ rd.live.squashimg=rootfs.squashfs net.ifnames=1 "
	const consoles = "console=ttyS0 console=tty1 "
	const end = "selinux=0 rd.live.overlay.overlayfs extra"
	want := map[string]string{
		"Kairos":                               start + consoles + "rd.cos.disable vga=795 nomodeset install-mode " + end,
		"Kairos (manual)":                      start + consoles + "rd.cos.disable vga=795 nomodeset " + end,
		"kairos (interactive install)":         start + consoles + "rd.cos.disable vga=795 nomodeset install-mode-interactive " + end,
		"Kairos (remote recovery mode)":        start + consoles + "rd.cos.disable vga=795 nomodeset kairos.remote_recovery_mode " + end,
		"Kairos (boot local node from livecd)": start + consoles + "vga=795 nomodeset kairos.boot_live_mode " + end,
		"Kairos (debug)":                       start + "console=tty0 rd.cos.disable vga=795 nomodeset rd.debug rd.shell rd.immucore.debug " + end,
	}
	got := make(map[string]string)
	for _, e := range m.entries() {
		front, back := m.words(e)
		got[e.title] = strings.Join(append(front, back...), " ")
	}
	assert.Equal(t, want, got)
}

func TestMenuConfigAsGRUBReadsIt(t *testing.T) {
	t.Parallel()
	check := oracle.Need(t, "grub-script-check")
	for name, m := range menus() {
		file := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(file, m.config(), 0o600))
		out, err := exec.CommandContext(t.Context(), check, file).CombinedOutput()
		require.NoError(t, err, "%s: %s", name, out)
	}
}

func TestKernelWords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                           nil,
		" \t ":                       nil,
		"a":                          {"a"},
		"  a=1\tb=2 ":                {"a=1", "b=2"},
		`dyndbg="file a +p" quiet`:   {"dyndbg=file a +p", "quiet"},
		`"root=live:CDLABEL=A B" ""`: {"root=live:CDLABEL=A B", ""},
	} {
		words, err := kernelWords(text)
		require.NoError(t, err, text)
		assert.Equal(t, want, words, text)
	}
	for _, bad := range []string{`a"`, `it's`, `a\b`} {
		_, err := kernelWords(bad)
		assert.Error(t, err, bad)
	}
}
