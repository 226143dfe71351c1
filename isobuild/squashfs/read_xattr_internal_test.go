package squashfs

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestXattrReaderCountsNames reads the attribute user.x of 100 bytes with room
// for that, and with a byte less.
func TestXattrReaderCountsNames(t *testing.T) {
	t.Parallel()

	b, err := os.ReadFile("testdata/mksquashfs/stored.img")
	require.NoError(t, err)
	im, err := readSuperblock(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	s, err := newStore(im, defaultCacheSize)
	require.NoError(t, err)
	x, err := newXattrReader(s)
	require.NoError(t, err)
	for left, want := range map[int]error{102: nil, 101: errXattrs} {
		list, outside := cursor{store: s}, cursor{store: s}
		require.NoError(t, list.seekRef(x.start, 0))
		name, _, err := x.readXattr(&list, &outside, &left)
		require.Equal(t, "user.x", name)
		assert.Equal(t, want, err)
	}
}
