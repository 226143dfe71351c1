package isomaster_test

import (
	"archive/tar"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
)

// maxResident is what a process may take that makes all four trees of 100000
// files and reads them, the nodes included, in KiB.
const maxResident = 128 << 10

// TestMemory makes the metadata in a process of its own.
func TestMemory(t *testing.T) {
	if os.Getenv("NETBOOTKIT_TEST_CHILD") != "" {
		manyFiles(t, 100_000)
		used := peak(t)
		t.Logf("%d KiB resident", used)
		if !race { // It takes memory for itself.
			assert.Less(t, used, int64(maxResident))
		}
		return
	}
	t.Parallel()

	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMemory$", "-test.v")
	child.Env = append(os.Environ(), "NETBOOTKIT_TEST_CHILD=1")
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Logf("%s", out)
}

// manyFiles makes the metadata of a tree of n files.
func manyFiles(t *testing.T, n int) {
	t.Helper()
	root := &isomaster.Node{Children: make([]*isomaster.Node, n/100)}
	for i := range root.Children {
		dir := &isomaster.Node{Name: fmt.Sprintf("package-%d", i), Children: make([]*isomaster.Node, 100)}
		for k := range dir.Children {
			dir.Children[k] = &isomaster.Node{
				Name:    fmt.Sprintf("a file called %d of %d.html", k, i),
				Header:  &tar.Header{Typeflag: tar.TypeReg, Mode: 0o644, ModTime: modified},
				Extents: []iso9660.Extent{{Block: firstData, Size: 1000}},
			}
		}
		root.Children[i] = dir
	}
	v := &isomaster.Volume{ID: "MANY", Time: pressed, Size: 1 << 30, Partition: isomaster.Partition{Block: 16, Size: 1<<30 - 32768}}
	start := time.Now()
	blocks, err := isomaster.Measure(root, v)
	require.NoError(t, err)
	measured := time.Since(start)
	pieces, err := isomaster.Metadata(root, v, 1000)
	require.NoError(t, err)
	planned := time.Since(start) - measured
	size, buf := int64(0), make([]byte, 1<<20)
	for _, p := range pieces {
		n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{p}, buf)
		require.NoError(t, err)
		size += n
	}
	require.Greater(t, size, int64(blocks)*iso9660.BlockSize)
	t.Logf("%d bytes; Measure took %v, Metadata %v, reading %v", size, measured, planned, time.Since(start)-measured-planned)
}

// peak returns the most that this process has ever had in memory, in KiB. What
// its parent is told of it is not less than what the parent itself had.
func peak(t *testing.T) (kib int64) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(rest, &kib)
	require.NoError(t, err)
	return kib
}
