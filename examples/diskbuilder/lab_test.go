package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/labtest"
	"github.com/netbootkit/netbootkit/internal/oracle"
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
		"overlay/etc/cos/grub.cfg":     "# the menu\n",
		"empty/x":                      "",
		"config.yaml":                  "#cloud-config\nhostname: [[ .name ]]\n",
	})
}

// grub returns the flags that name the distribution's boot loaders.
func grub(t *testing.T) []string {
	t.Helper()
	return labtest.Grub(t, "i386-pc/boot.img", "x86_64-efi-signed/grubx64.efi.signed")
}

// partition returns a file with what is in a partition of a disk, counted from 1.
func partition(t *testing.T, disk string, number int) string {
	t.Helper()
	where := make(map[string]int64) // in sectors
	for line := range strings.Lines(oracle.Run(t, "sgdisk", "-i", strconv.Itoa(number), disk)) {
		what, value, _ := strings.Cut(line, ": ")
		where[what], _ = strconv.ParseInt(strings.Fields(value + " -")[0], 10, 64)
	}
	require.Positive(t, where["Partition size"])
	name := filepath.Join(t.TempDir(), "partition")
	oracle.Run(t, "dd", "if="+disk, "of="+name, "bs=512", "conv=sparse", "status=none",
		"skip="+strconv.FormatInt(where["First sector"], 10), "count="+strconv.FormatInt(where["Partition size"], 10))
	require.NoError(t, os.Truncate(name, where["Partition size"]*512))
	return name
}

// cat returns a file of an ext2 or ext4 file system.
func cat(t *testing.T, image, name string) string {
	t.Helper()
	text, err := exec.CommandContext(t.Context(), oracle.Need(t, "debugfs"), "-R", "cat "+name, image).Output()
	require.NoError(t, err)
	return string(text)
}
