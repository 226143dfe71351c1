package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestUnprivileged runs the program as nobody, without any capability.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	oracle.Root(t)
	setpriv := oracle.Need(t, "setpriv")
	folder := t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(folder), 0o755))
	require.NoError(t, os.Chmod(folder, 0o777))
	program := filepath.Join(folder, "test")
	self, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, self, 0o755))
	cmd := exec.CommandContext(t.Context(), setpriv, "--reuid", "65534", "--regid", "65534", "--clear-groups",
		"--bounding-set", "-all", "--inh-caps", "-all", "--no-new-privs", program, "-test.run", "^TestAsNobody$", "-test.v")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "TMPDIR="+folder, "HOME="+folder, "NETBOOTKIT_TEST_NOBODY=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: TestAsNobody")
}

// TestAsNobody is the other half of [TestUnprivileged]: it makes all formats of a
// disk of a container image, whose files are root's.
func TestAsNobody(t *testing.T) {
	t.Parallel()
	if os.Getenv("NETBOOTKIT_TEST_NOBODY") == "" {
		t.Skip("is run by TestUnprivileged")
	}
	require.Equal(t, 65534, os.Geteuid())
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	require.Regexp(t, `(?m)^CapEff:\t0{16}$`, string(status))
	_, err = os.ReadFile("/etc/shadow")
	require.ErrorIs(t, err, fs.ErrPermission)

	l := newLab(t)
	_, _, err = l.Run(t.Context(), append(grub(t), "-efi", "-bios", "-vhd", "-gce", "-qcow2", "-vmdk", "-size", "128",
		"-o", l.Path("disk.raw"), l.Packed(t, "plain")["archive"])...)
	require.NoError(t, err)
	for _, f := range formats() {
		assert.FileExists(t, l.Path("disk"+f.suffix))
	}
	assert.Contains(t, oracle.Run(t, "sgdisk", "-v", l.Path("disk.raw")), "No problems found")
	assert.Equal(t, "the kernel", cat(t, partition(t, l.Path("disk.raw"), 3), "boot/vmlinuz-6.1.0"))
}
