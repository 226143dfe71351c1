package isomaster_test

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// TestPieces reads parts of all trees in any order, from several goroutines.
func TestPieces(t *testing.T) {
	t.Parallel()

	d := oddDisc(t, linux)
	image := d.finish()
	want := make([]byte, image.Size())
	_, err := image.ReadAt(want, 0)
	require.NoError(t, err)
	var readers sync.WaitGroup
	for seed := range uint64(4) {
		readers.Go(func() {
			random := rand.New(rand.NewPCG(1, seed))
			for range 100 {
				off := random.IntN(len(want))
				got := make([]byte, random.IntN(min(64<<10, len(want)-off)+1))
				_, err := image.ReadAt(got, int64(off))
				assert.NoError(t, err)
				assert.True(t, bytes.Equal(want[off:off+len(got)], got), "%d bytes at %d", len(got), off)
			}
		})
	}
	readers.Wait()
}

// TestPiecesWhenNodesChange must not give a directory that reaches into another.
func TestPiecesWhenNodesChange(t *testing.T) {
	t.Parallel()

	root := &isomaster.Node{Children: []*isomaster.Node{{Name: "file"}}}
	pieces, err := isomaster.Metadata(root, &isomaster.Volume{ID: "A", Size: 1 << 20, NoJoliet: true}, 20)
	require.NoError(t, err)
	for i := range 100 {
		root.Children = append(root.Children, &isomaster.Node{Name: string(rune('a' + i))})
	}
	_, err = pieces[1].ReadAt(make([]byte, 5*iso9660.BlockSize), 0)
	require.EqualError(t, err, "isomaster: the nodes are not those that were measured")
	root.Children = append(root.Children, root.Children[0])
	_, err = pieces[1].ReadAt(make([]byte, 5*iso9660.BlockSize), 0)
	require.EqualError(t, err, "isomaster: /file: two files with this name")
}

// TestLinkInAnotherFolder has names of a file before and behind its own folder.
func TestLinkInAnotherFolder(t *testing.T) {
	t.Parallel()

	d := newDisc(t)
	d.file("middle/file", "several names", 0o640)
	d.link("late/link", "middle/file")
	d.link("zero/deep/link", "middle/file")
	d.file("only/file", "two names", 0o640)
	d.link("third/link", "only/file")
	d.outside("beyond/file", "outside")
	d.link("reach/link", "beyond/file")
	image := d.finish()
	tree, err := iso9660.Open(image, image.Size())
	require.NoError(t, err)
	got, err := manifest.FS(tree)
	require.NoError(t, err)
	assert.Empty(t, manifest.Diff(d.want.Edit(asRead), got.Edit(asRead)))
}
