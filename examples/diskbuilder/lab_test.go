package main

import (
	"testing"

	"github.com/netbootkit/netbootkit/examples/internal/labtest"
)

// newLab has a plain root file system, one of a Kairos, and an empty one.
func newLab(t *testing.T) *labtest.Lab {
	t.Helper()
	return labtest.New(t, run, map[string]string{
		"plain/boot/vmlinuz-6.1.0":     "the kernel",
		"plain/boot/initrd.img-6.1.0":  "the initrd",
		"plain/etc/os-release":         "ID=debian\nVERSION_ID=12\nARCH=amd64\n",
		"kairos/boot/vmlinuz-6.1.0":    "the kernel",
		"kairos/boot/initrd.img-6.1.0": "the initrd",
		"kairos/etc/cos/grub.cfg":      "# the menu\n",
		"kairos/etc/kairos-release":    labtest.KairosRelease,
		"empty/x":                      "",
		"config.yaml":                  "#cloud-config\nhostname: [[ .name ]]\n",
	})
}

// grub returns the flags that name the distribution's boot loaders.
func grub(t *testing.T) []string {
	t.Helper()
	return labtest.Grub(t, "i386-pc/boot.img", "x86_64-efi-signed/grubx64.efi.signed")
}
