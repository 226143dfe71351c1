// Package oracle finds the programs, files and privileges that tests of the upper
// rungs need, and runs the programs. A test that lacks one skips and says why; with
// NETBOOTKIT_TEST_NOSKIP=1 in the environment it fails instead, so that a
// build machine cannot lose a rung unnoticed.
package oracle

import (
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// Need returns the path of the program called name, or skips tb. The folders
// for system programs are searched even when they are not in PATH.
func Need(tb testing.TB, name string) string {
	tb.Helper()
	for _, candidate := range []string{name, "/usr/sbin/" + name, "/sbin/" + name} {
		if p, err := exec.LookPath(candidate); err == nil {
			return p
		}
	}
	Skip(tb, "needs the program "+name)
	return ""
}

// Run runs a program that [Need] finds, which must succeed, and returns what it
// prints.
func Run(tb testing.TB, name string, args ...string) string {
	tb.Helper()
	out, err := exec.CommandContext(tb.Context(), Need(tb, name), args...).CombinedOutput() //nolint:gosec // The test names it.
	if err != nil {
		tb.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// File returns the first of the named files that exists, or skips tb.
func File(tb testing.TB, names ...string) string {
	tb.Helper()
	for _, name := range names {
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	Skip(tb, "needs the file "+names[0])
	return ""
}

// Folders returns a tree with the regular files of folders of the host, or
// fails tb where one is not there. They are of the year 2026.
func Folders(tb testing.TB, names ...string) fstest.MapFS {
	tb.Helper()
	tree, host := make(fstest.MapFS), os.DirFS("/")
	for _, folder := range names {
		entries, err := fs.ReadDir(host, folder)
		for _, e := range entries {
			if err == nil && e.Type().IsRegular() {
				name := folder + "/" + e.Name()
				file := &fstest.MapFile{Mode: 0o644, ModTime: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
				file.Data, err = fs.ReadFile(host, name)
				tree[name] = file
			}
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return tree
}

// Root skips tb unless the process may create network namespaces and raw
// sockets, which on Linux is taken to mean that it runs as root.
func Root(tb testing.TB) {
	tb.Helper()
	if os.Geteuid() != 0 {
		Skip(tb, "needs root")
	}
}

// All skips tb, which takes minutes, unless NETBOOTKIT_TEST_ALL=1 is in the
// environment, as it is for make test-all.
func All(tb testing.TB) {
	tb.Helper()
	if os.Getenv("NETBOOTKIT_TEST_ALL") != "1" {
		tb.Skip("takes minutes: runs with NETBOOTKIT_TEST_ALL=1")
	}
}

// Skip skips tb for reason, or fails it where no skip is allowed.
func Skip(tb testing.TB, reason string) {
	tb.Helper()
	if os.Getenv("NETBOOTKIT_TEST_NOSKIP") == "1" {
		tb.Fatal("skip not allowed: " + reason)
	}
	tb.Skip(reason)
}
