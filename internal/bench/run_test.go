//go:build linux

package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestRun does the short comparisons once, each for a moment, with the real
// programs. It says that everything works, not how fast.
func TestRun(t *testing.T) {
	t.Parallel()

	oracle.Root(t)
	for _, tool := range []string{"ip", "dnsmasq", "atftpd", "curl", "busybox", "go", "docker-registry", "skopeo", "umoci", "time"} {
		oracle.Need(t, tool)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir := t.TempDir()
	self, netboot, rootfs := filepath.Join(dir, "bench"), filepath.Join(dir, "netboot"), filepath.Join(dir, "rootfs")
	build(ctx, t, self, "./internal/bench")
	build(ctx, t, netboot, "./examples/netboot")
	build(ctx, t, rootfs, "./examples/rootfs")

	results := filepath.Join(dir, "results.md")
	cmd := exec.CommandContext(ctx, self, "-netboot", netboot, "-rootfs", rootfs,
		"-run", "offers|tftp|window|image", "-n", "1", "-seconds", "0.2", "-mib", "8", "-o", results)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	table, err := os.ReadFile(results)
	require.NoError(t, err)
	assert.Contains(t, string(out), string(table), "the file has what is printed")
	assert.Regexp(t, `ProxyDHCP offers per second.*dnsmasq`, string(table))
	assert.Regexp(t, `clients: 50 .*atftpd`, string(table))
	assert.Regexp(t, `windowsize 16.*lock-step`, string(table))
	assert.Regexp(t, `pull and flatten, seconds, 8 MiB.*skopeo and umoci`, string(table))
}

// build builds a program of this module.
func build(ctx context.Context, t *testing.T, output, pkg string) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "go", "build", "-o", output, pkg)
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func TestRunRefusesNonsense(t *testing.T) {
	t.Parallel()

	for name, args := range map[string][]string{
		"flag":        {"-wrong"},
		"pattern":     {"-run", "("},
		"rounds":      {"-n", "0"},
		"comparison":  {"-run", "nothing"},
		"no protocol": {"load"},
		"protocol":    {"load", "gopher"},
		"window":      {"load", "dhcp", "-window", "65"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Error(t, run(t.Context(), args, io.Discard, new(bytes.Buffer)))
		})
	}
}
