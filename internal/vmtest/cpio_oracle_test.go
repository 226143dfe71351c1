package vmtest_test

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// TestNewGuest has busybox's cpio read the initramfs back.
func TestNewGuest(t *testing.T) {
	t.Parallel()

	busybox := oracle.Need(t, "busybox")
	guest, err := vmtest.NewGuest(t.Context())
	if err != nil {
		oracle.Skip(t, err.Error())
	}

	cmd := exec.CommandContext(t.Context(), busybox, "cpio", "-t")
	cmd.Stdin = bytes.NewReader(guest.Initrd)
	list, err := cmd.Output()
	require.NoError(t, err)
	assert.Contains(t, string(list), "init\nlease.sh\n")
	assert.NotContains(t, string(list), "TRAILER")

	dir := t.TempDir()
	cmd = exec.CommandContext(t.Context(), busybox, "cpio", "-i")
	cmd.Stdin, cmd.Dir = bytes.NewReader(guest.Initrd), dir
	require.NoError(t, cmd.Run())
	out, err := exec.CommandContext(t.Context(), dir+"/bin/busybox", "sh", "-n", dir+"/init").CombinedOutput()
	require.NoError(t, err, string(out))
}
