package oracle_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

func TestRun(t *testing.T) {
	t.Parallel()

	assert.Equal(t, "a b\n", oracle.Run(t, "echo", "a", "b"))
}

func TestFolders(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a"), []byte("text"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "none of these"), 0o700))
	name := filepath.ToSlash(dir)[1:]
	tree := oracle.Folders(t, name)
	require.Len(t, tree, 1)
	assert.Equal(t, "text", string(tree[name+"/a"].Data))
}
