package oracle

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// nobody is the variable of a process that [AsNobody] started.
const nobody = "NETBOOTKIT_TEST_NOBODY"

// AsNobody runs the rest of a test, which has not run subtests yet, in a process of
// its own as the user nobody, who has no capability, with a folder for temporary
// files. It returns true in that process, once it has made sure of that, and false
// in this one, when that has passed.
func AsNobody(t *testing.T) bool {
	t.Helper()
	const id = "65534"
	if os.Getenv(nobody) != "" {
		status, err := os.ReadFile("/proc/self/status")
		require.NoError(t, err)
		require.Regexp(t, `(?m)^Uid:\t65534\t65534\t65534\t65534$`, string(status))
		require.Regexp(t, `(?m)^CapEff:\t0{16}$`, string(status))
		_, err = os.ReadFile("/etc/shadow")
		require.ErrorIs(t, err, os.ErrPermission)
		return true
	}
	Root(t)
	setpriv, folder := Need(t, "setpriv"), t.TempDir()
	require.NoError(t, os.Chmod(filepath.Dir(folder), 0o755)) //nolint:gosec // Nobody has to get there,
	require.NoError(t, os.Chmod(folder, 0o777))               //nolint:gosec // and to write there.
	self, err := os.ReadFile(os.Args[0])                      //nolint:gosec // It is this program.
	require.NoError(t, err)
	program := filepath.Join(folder, "test")
	require.NoError(t, os.WriteFile(program, self, 0o755)) //nolint:gosec // It is run.
	//nolint:gosec // It is this program.
	cmd := exec.CommandContext(t.Context(), setpriv, "--reuid", id, "--regid", id, "--clear-groups", "--bounding-set", "-all",
		"--inh-caps", "-all", "--no-new-privs", program, "-test.run", "^"+t.Name()+"$", "-test.v")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "TMPDIR="+folder, "HOME="+folder, nobody+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	return false
}
