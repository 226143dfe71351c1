//go:build linux && !race

package tartree_test

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/resident"
	"github.com/netbootkit/netbootkit/internal/tartree"
)

// TestFlattenMemory flattens an image: 2 GiB in 100000 files with
// NETBOOTKIT_TEST_ALL=1, else 256 MiB in 20000.
func TestFlattenMemory(t *testing.T) {
	t.Parallel()
	mib := 256
	if os.Getenv("NETBOOTKIT_TEST_ALL") == "1" {
		mib = 2048
	}
	resident.Below(t, 150, func() { flattenLarge(t, mib) })
}

// flattenLarge flattens eight layers with so many MiB together, and opens the
// result.
func flattenLarge(t *testing.T, mib int) {
	t.Helper()
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
