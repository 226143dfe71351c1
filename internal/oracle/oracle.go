// Package oracle finds the programs and privileges that tests of the upper
// rungs need. A test that lacks one skips and says why; with
// NETBOOTKIT_TEST_NOSKIP=1 in the environment it fails instead, so that a
// build machine cannot lose a rung unnoticed.
package oracle

import (
	"os"
	"os/exec"
	"testing"
)

// Need returns the path of the program called name, or skips t. The folders
// for system programs are searched even when they are not in PATH.
func Need(t testing.TB, name string) string {
	t.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if p, err := exec.LookPath(candidate); err == nil {
			return p
		}
	}
	Skip(t, "needs the program "+name)
	return ""
}

// File returns the first of the named files that exists, or skips t.
func File(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	Skip(t, "needs the file "+names[0])
	return ""
}

// Root skips t unless the process may create network namespaces and raw
// sockets, which on Linux is taken to mean that it runs as root.
func Root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		Skip(t, "needs root")
	}
}

// Skip skips t for reason, or fails it where no skip is allowed.
func Skip(t testing.TB, reason string) {
	t.Helper()
	if os.Getenv("NETBOOTKIT_TEST_NOSKIP") == "1" {
		t.Fatal("skip not allowed: " + reason)
	}
	t.Skip(reason)
}
