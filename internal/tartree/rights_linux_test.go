package tartree_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestFlattenNeedsNoRights runs TestFlatten, which has owners, devices and
// attributes, as a user who may do nothing.
func TestFlattenNeedsNoRights(t *testing.T) {
	t.Parallel()
	oracle.Root(t) // Others have no rights as it is.

	folder, err := os.MkdirTemp("", "netbootkit-") //nolint:usetesting // Nobody else may enter that of t.TempDir.
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o777))
	program, err := os.ReadFile(os.Args[0])
	require.NoError(t, err)
	name := filepath.Join(folder, "test")
	require.NoError(t, os.WriteFile(name, program, 0o755))

	child := exec.CommandContext(t.Context(), name, "-test.run=^TestFlatten$", "-test.v")
	child.Dir, child.Env = folder, append(os.Environ(), "TMPDIR="+folder)
	child.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "--- PASS: TestFlatten/devices")
}
