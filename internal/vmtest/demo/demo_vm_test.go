package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// TestRun shows netboot as make demo does.
func TestRun(t *testing.T) {
	t.Parallel()

	vmtest.NewNetworkT(t) // It skips where run could not make one.
	netboot := filepath.Join(t.TempDir(), "netboot")
	build := exec.CommandContext(t.Context(), oracle.Need(t, "go"), "build", "-o", netboot, "../../../examples/netboot")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))

	var b bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-netboot", netboot}, &b))
	assert.Regexp(t, `(?s)>>Start PXE over IPv4.*guest: config:\n#cloud-config\n.*\n  +\d+\.\d s  kernel starts\n.*`+
		`\nbooted 02:00:00:00:00:01 in \d+\.\d s: DHCP offer → answer on port 4011 → ipxe\.efi over TFTP → `+
		`boot script over HTTP → kernel over HTTP → initrd over HTTP → kernel starts → cloud config over HTTP → guest\n$`, b.String())
}

// TestRunWhenNetbootFails ends at once, with what netboot said.
func TestRunWhenNetbootFails(t *testing.T) {
	t.Parallel()

	vmtest.NewNetworkT(t)
	var b bytes.Buffer
	require.ErrorContains(t, run(t.Context(), []string{"-netboot", oracle.Need(t, "false")}, &b), "ended without printing Ready:")
}
