package dentry_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

func TestReadLink(t *testing.T) {
	t.Parallel()

	tree := fstest.MapFS{"link": {Data: []byte("target"), Mode: fs.ModeSymlink}}
	target, err := dentry.ReadLink(tree, "link")
	require.NoError(t, err)
	assert.Equal(t, "target", target)
	_, err = dentry.ReadLink(struct{ fs.FS }{tree}, "link")
	assert.EqualError(t, err, "readlink link: the tree is no fs.ReadLinkFS, so symbolic links in it cannot be read")
}
