package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild"
)

// A lab is a folder with a root file system and what goes into an image.
type lab struct {
	dir string
}

// newLab makes a root file system that has all but boot loaders.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t.TempDir()}
	for name, text := range map[string]string{
		"root/boot/vmlinuz-6.1.0":    "the kernel",
		"root/boot/initrd.img-6.1.0": "the initrd",
		"root/etc/kairos-release": "KAIROS_FLAVOR=debian\nKAIROS_FLAVOR_RELEASE=12\nKAIROS_VARIANT=core\n" +
			"KAIROS_ARCH=amd64\nKAIROS_MODEL=generic\nKAIROS_VERSION=v1.2.3\n",
		"root/usr/bin/program": strings.Repeat("all the same ", 10_000),
		"config.yaml":          "#cloud-config\nhostname: [[ .name ]]\n",
		"overlay/hello":        "an overlay",
		"script.ipxe":          "#!ipxe\necho hello\n",
		"empty/x":              "",
	} {
		file := filepath.Join(l.dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	return l
}

// path returns the name of a file of the lab.
func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// run runs the program with a store of the lab's.
func (l *lab) run(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	var out, diag bytes.Buffer
	err = run(ctx, append([]string{"-store", l.path("store")}, args...), strings.NewReader(""), &out, &diag)
	return out.String(), diag.String(), err
}

// grub returns the flags that name the distribution's boot loaders.
func grub(t *testing.T) []string {
	t.Helper()
	oracle.File(t, "/usr/lib/grub/i386-pc/boot_hybrid.img")
	oracle.File(t, "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed")
	return []string{"-grub", "/usr/lib/grub", "-no-fetch"}
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
