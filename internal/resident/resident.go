package resident

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// child is the variable that says which test a process was started for.
const child = "NETBOOTKIT_TEST_CHILD"

// Below does work in a process of its own, and fails the test if more than so many
// MiB were resident at once. The process runs the test's program with that test
// alone, as far as to this call, of which a test has one; env is added to its
// environment. It works on Linux, and means little with the race detector, which
// takes memory for itself: files with such tests are built without it.
func Below(t *testing.T, mebibytes int64, work func(), env ...string) {
	t.Helper()
	if os.Getenv(child) == t.Name() {
		work()
		kibibytes, err := peak()
		require.NoError(t, err)
		t.Logf("%d MiB resident, of at most %d", kibibytes>>10, mebibytes)
		assert.Less(t, kibibytes, mebibytes<<10)
		return
	}
	out, err := again(t, env)
	require.NoError(t, err, out)
	t.Log(out)
}

// again runs the test in another process, and returns what it said.
func again(t *testing.T, env []string) (string, error) {
	t.Helper()
	var names []string
	for name := range strings.SplitSeq(t.Name(), "/") {
		names = append(names, "^"+regexp.QuoteMeta(name)+"$")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run="+strings.Join(names, "/"), "-test.v") //nolint:gosec // It is this program.
	cmd.Env = append(append(os.Environ(), child+"="+t.Name()), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// peak returns the most that this process has had resident, in KiB. What its
// parent is told of that, when it ends, is never less than what the parent itself
// had.
func peak() (kibibytes int64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(rest, &kibibytes)
	return kibibytes, err
}
