package main

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
)

// TestSystem says which of several trees wins.
func TestSystem(t *testing.T) {
	t.Parallel()

	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	source := fstest.MapFS{
		"boot/vmlinuz-6.1": text(strings.Repeat("\x00", 0x202) + "HdrS"), "boot/initrd.img-6.1": text("x"),
		"etc/os-release": text("ID=debian\nVERSION_ID=12\n"),
	}
	arm := fstest.MapFS{
		"boot/vmlinuz-6.2": text(strings.Repeat("\x00", 0x38) + "ARM\x64"), "boot/initrd.img-6.2": text("x"),
		"etc/os-release": text("ID=debian\nVERSION_ID=13\n"),
	}
	menu := fstest.MapFS{"etc/cos/grub.cfg": text("")}
	for _, tt := range []struct {
		tree       fs.FS
		overlays   []fs.FS
		name, arch string
		kairos     bool
	}{
		{fstest.MapFS{}, nil, "disk", "amd64", false},
		{fstest.MapFS{"etc/os-release": text("ARCH=arm64\n")}, []fs.FS{menu}, "kairos-arm64", "arm64", true},
		{source, nil, "debian-12", "amd64", false},
		{source, []fs.FS{menu}, "kairos-debian-12", "amd64", true},
		{source, []fs.FS{menu, arm}, "kairos-debian-13", "arm64", true},
		{arm, []fs.FS{source}, "debian-12", "amd64", false},
	} {
		s := newSystem(tt.tree, tt.overlays)
		assert.Equal(t, tt.name, s.name())
		assert.Equal(t, tt.arch, s.arch())
		assert.Equal(t, tt.kairos, s.isKairos())
	}
}
