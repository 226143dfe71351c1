package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestUnprivileged makes all formats of a disk of a container image, whose files
// are root's, as nobody, without any capability.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	if !oracle.AsNobody(t) {
		return
	}
	l := newLab(t)
	_, _, err := l.Run(t.Context(), append(grub(t), "-efi", "-bios", "-vhd", "-gce", "-qcow2", "-vmdk", "-size", "128",
		"-o", l.Path("disk.raw"), l.Packed(t, "plain")["archive"])...)
	require.NoError(t, err)
	for _, f := range formats() {
		assert.FileExists(t, l.Path("disk"+f.suffix))
	}
	assert.Contains(t, oracle.Run(t, "sgdisk", "-v", l.Path("disk.raw")), "No problems found")
	assert.Equal(t, "the kernel", cat(t, partition(t, l.Path("disk.raw"), 3), "boot/vmlinuz-6.1.0"))
}
