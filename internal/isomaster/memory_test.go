//go:build linux && !race

package isomaster_test

import (
	"archive/tar"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/resident"
)

// TestMemory makes all four trees of 100000 files and reads them; the nodes count
// as well.
func TestMemory(t *testing.T) {
	t.Parallel()
	resident.Below(t, 128, func() { manyFiles(t, 100_000) })
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
