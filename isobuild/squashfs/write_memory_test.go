//go:build linux && !race

package squashfs_test

import (
	"fmt"
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/resident"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// TestWriteMemory writes images: of 2 GiB with NETBOOTKIT_TEST_ALL=1, else of 256
// and 512 MiB.
func TestWriteMemory(t *testing.T) {
	for _, tt := range []struct{ cores, mib, limit int }{{2, 256, 100}, {16, 512, 150}} {
		if os.Getenv("NETBOOTKIT_TEST_ALL") == "1" {
			tt.mib = 2048
		}
		t.Run(fmt.Sprint(tt.cores, " cores"), func(t *testing.T) {
			resident.Below(t, int64(tt.limit), func() { writeLarge(t, tt.mib) }, fmt.Sprint("GOMAXPROCS=", tt.cores))
		})
	}
}

// writeLarge writes so many MiB, eight tenths of them in long files, every
// third of which cannot be packed.
func writeLarge(t *testing.T, mib int) {
	t.Helper()
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
	_, err := squashfs.Write(t.Context(), failing{1 << 60}, root)
	require.NoError(t, err)
}
