package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

// A lab is a folder with root file systems.
type lab struct {
	dir string
}

// newLab makes a plain root file system, one of a Kairos, and an empty one.
func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t.TempDir()}
	for name, text := range map[string]string{
		"plain/boot/vmlinuz-6.1.0":     "the kernel",
		"plain/boot/initrd.img-6.1.0":  "the initrd",
		"plain/etc/os-release":         "ID=debian\nVERSION_ID=12\nARCH=amd64\n",
		"kairos/boot/vmlinuz-6.1.0":    "the kernel",
		"kairos/boot/initrd.img-6.1.0": "the initrd",
		"kairos/etc/cos/grub.cfg":      "# the menu\n",
		"kairos/etc/kairos-release": "KAIROS_FLAVOR=debian\nKAIROS_FLAVOR_RELEASE=12\nKAIROS_VARIANT=core\n" +
			"KAIROS_ARCH=amd64\nKAIROS_MODEL=generic\nKAIROS_VERSION=v1.2.3\n",
		"empty/x":     "",
		"config.yaml": "#cloud-config\nhostname: [[ .name ]]\n",
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
	oracle.File(t, "/usr/lib/grub/i386-pc/boot.img")
	oracle.File(t, "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed")
	return []string{"-grub", "/usr/lib/grub", "-no-fetch"}
}
