package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/labtest"
	"github.com/netbootkit/netbootkit/isobuild"
)

// newLab has a root file system with all but boot loaders, and what goes into an
// image.
func newLab(t *testing.T) *labtest.Lab {
	t.Helper()
	return labtest.New(t, run, map[string]string{
		"root/boot/vmlinuz-6.1.0":    "the kernel",
		"root/boot/initrd.img-6.1.0": "the initrd",
		"root/etc/kairos-release":    labtest.KairosRelease,
		"root/usr/bin/program":       strings.Repeat("all the same ", 10_000),
		"config.yaml":                "#cloud-config\nhostname: [[ .name ]]\n",
		"overlay/hello":              "an overlay",
		"script.ipxe":                "#!ipxe\necho hello\n",
		"empty/x":                    "",
	})
}

// grub returns the flags that name the distribution's boot loaders.
func grub(t *testing.T) []string {
	t.Helper()
	return labtest.Grub(t, "i386-pc/boot_hybrid.img", "x86_64-efi-signed/gcdx64.efi.signed")
}

// open opens an image.
func open(t *testing.T, name string) *isobuild.Image {
	t.Helper()
	f, err := os.Open(name)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.Close() })
	info, err := f.Stat()
	require.NoError(t, err)
	image, err := isobuild.Open(io.NewSectionReader(f, 0, info.Size()))
	require.NoError(t, err)
	return image
}

// digest returns the SHA-256 of a file.
func digest(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	return fmt.Sprintf("%x", sha256.Sum256(data))
}
