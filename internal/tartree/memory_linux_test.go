package tartree_test

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

// maxResident is what an image of 2 GiB may take, in KiB.
const maxResident = 150 << 10

// TestFlattenMemory flattens an image in a process of its own: 2 GiB in 100000
// files with NETBOOTKIT_TEST_ALL=1, else 256 MiB in 20000.
func TestFlattenMemory(t *testing.T) {
	if size := os.Getenv("NETBOOTKIT_TEST_MIB"); size != "" {
		flattenLarge(t, size)
		return
	}
	t.Parallel()

	size, limit := "256", int64(maxResident)
	if os.Getenv("NETBOOTKIT_TEST_ALL") == "1" {
		size = "2048"
	}
	if race {
		limit *= 2
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFlattenMemory$")
	child.Env = append(os.Environ(), "NETBOOTKIT_TEST_MIB="+size)
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	used := child.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	t.Logf("%d KiB resident for an image of %s MiB", used, size)
	assert.Less(t, used, limit)
}

// flattenLarge flattens eight layers with so many MiB together, and opens the
// result.
func flattenLarge(t *testing.T, size string) {
	t.Helper()
	mib, err := strconv.Atoi(size)
	require.NoError(t, err)
	files := 20_000 / 8
	if mib > 1024 {
		files *= 5
	}
	var all []tartree.Layer
	for i := range 8 {
		all = append(all, func(context.Context) (io.ReadCloser, error) {
			r, w := io.Pipe()
			go func() { w.CloseWithError(writeLarge(w, i, files, int64(mib<<20/8/files))) }()
			return r, nil
		})
	}
	out, err := os.Create(filepath.Join(t.TempDir(), "flat.tar"))
	require.NoError(t, err)
	defer out.Close()
	require.NoError(t, tartree.Flatten(t.Context(), out, tartree.Flattening{
		Layers: all, Dir: t.TempDir(), MaxBytes: math.MaxInt64, Progress: func(int64) {},
	}))
	info, err := out.Stat()
	require.NoError(t, err)
	tree, err := tartree.Scan(out, info.Size())
	require.NoError(t, err)
	_, err = tree.Lookup(fmt.Sprintf("usr/share/package-7/file-%d", files-1), false)
	require.NoError(t, err)
}

func writeLarge(w io.Writer, layer, files int, each int64) error {
	tw, content := tar.NewWriter(w), make([]byte, each)
	for i := range files {
		h := &tar.Header{Name: fmt.Sprintf("usr/share/package-%d/file-%d", layer, i), Size: each}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		if _, err := tw.Write(content); err != nil {
			return err
		}
	}
	return tw.Close()
}
