package squashfs_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// maxResident is what writing an image may take, in KiB, with two workers.
const maxResident = 100 << 10

// TestWriteMemory writes an image in a process of its own: of 2 GiB with
// NETBOOTKIT_TEST_ALL=1, else of 256 MiB.
func TestWriteMemory(t *testing.T) {
	if size := os.Getenv("NETBOOTKIT_TEST_MIB"); size != "" {
		writeLarge(t, size)
		return
	}
	t.Parallel()

	size := "256"
	if os.Getenv("NETBOOTKIT_TEST_ALL") == "1" {
		size = "2048"
	}
	if race {
		t.Skip("the race detector takes memory for itself")
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWriteMemory$")
	child.Env = append(os.Environ(), "NETBOOTKIT_TEST_MIB="+size)
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	used := child.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	t.Logf("%d KiB resident for a tree of %s MiB", used, size)
	assert.Less(t, used, int64(maxResident))
}

// writeLarge writes so many MiB, nine tenths of them in long files.
func writeLarge(t *testing.T, size string) {
	t.Helper()
	mib, err := strconv.Atoi(size)
	require.NoError(t, err)
	long, short := text(9<<20+1, 1), noise(20<<10, 2)
	root := fstest.MapFS{}
	for i := range mib / 10 {
		root[fmt.Sprintf("long/%d", i)] = &fstest.MapFile{Data: long[i:], Mode: fs.FileMode(0o644)}
	}
	for i := range mib * 5 {
		root[fmt.Sprintf("short/%d/%d", i/100, i)] = &fstest.MapFile{Data: short[i%10000:], Mode: fs.FileMode(0o644)}
	}
	_, err = squashfs.Write(t.Context(), failing{1 << 60}, root, squashfs.WithWorkers(2))
	require.NoError(t, err)
}
