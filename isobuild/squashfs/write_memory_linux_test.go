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

// TestWriteMemory writes images in processes of their own: of 2 GiB with
// NETBOOTKIT_TEST_ALL=1, else of 256 and 512 MiB.
func TestWriteMemory(t *testing.T) {
	if mib := os.Getenv("NETBOOTKIT_TEST_MIB"); mib != "" {
		writeLarge(t, mib)
		return
	}
	if race {
		t.Skip("the race detector takes memory for itself")
	}
	for _, tt := range []struct{ cores, mib, limit int }{ // the limit is for what is resident, in MiB
		{2, 256, 100}, {16, 512, 150},
	} {
		if os.Getenv("NETBOOTKIT_TEST_ALL") == "1" {
			tt.mib = 2048
		}
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestWriteMemory$")
		child.Env = append(os.Environ(), fmt.Sprint("NETBOOTKIT_TEST_MIB=", tt.mib), fmt.Sprint("GOMAXPROCS=", tt.cores))
		out, err := child.CombinedOutput()
		require.NoError(t, err, string(out))
		used := child.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10
		t.Logf("%d MiB resident for a tree of %d MiB and %d cores", used, tt.mib, tt.cores)
		assert.Less(t, used, int64(tt.limit))
	}
}

// writeLarge writes so many MiB, eight tenths of them in long files, every
// third of which cannot be packed.
func writeLarge(t *testing.T, size string) {
	t.Helper()
	mib, err := strconv.Atoi(size)
	require.NoError(t, err)
	long, full, short := text(4<<20+1, 1), noise(4<<20+1, 3), noise(20<<10, 2)
	root := fstest.MapFS{}
	for i := range mib / 5 {
		root[fmt.Sprintf("long/%d", i)] = &fstest.MapFile{Data: long[i:], Mode: fs.FileMode(0o644)}
		if i%3 == 0 {
			root[fmt.Sprintf("long/%d", i)].Data = full[i:]
		}
	}
	for i := range mib * 5 {
		root[fmt.Sprintf("short/%d/%d", i/100, i)] = &fstest.MapFile{Data: short[i%10000:], Mode: fs.FileMode(0o644)}
	}
	_, err = squashfs.Write(t.Context(), failing{1 << 60}, root)
	require.NoError(t, err)
}
