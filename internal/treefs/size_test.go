package treefs_test

import (
	"archive/tar"
	"context"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/overlay"
	"github.com/netbootkit/netbootkit/internal/treefs"
)

func TestDataSize(t *testing.T) {
	t.Parallel()

	holes := mosaic.New()
	holes.AddBytes(5<<20, []byte("data"))
	holes.AddBytes(1<<30, []byte("more"))
	b := overlay.New()
	require.NoError(t, b.AddFile(&tar.Header{Typeflag: tar.TypeReg, Name: "sparse", Size: 1 << 40}, holes))
	require.NoError(t, b.AddTree(fstest.MapFS{
		"large": {Data: make([]byte, 100<<10)}, "small": {Data: []byte("12345")},
		"further name": {Sys: &tar.Header{Typeflag: tar.TypeLink, Linkname: "sparse"}},
		"link":         {Data: []byte("small"), Mode: fs.ModeSymlink},
	}))
	size, err := treefs.DataSize(t.Context(), b.Tree())
	require.NoError(t, err)
	assert.EqualValues(t, 100<<10+5+8, size)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = treefs.DataSize(ctx, b.Tree())
	require.ErrorIs(t, err, context.Canceled)
	_, err = treefs.DataSize(t.Context(), locked{fstest.MapFS{"large": {Data: make([]byte, 100<<10)}}})
	require.ErrorIs(t, err, fs.ErrPermission)
}

// locked is a tree whose files cannot be opened.
type locked struct{ fstest.MapFS }

func (l locked) Open(name string) (fs.File, error) {
	if name == "." {
		return l.MapFS.Open(name)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}
