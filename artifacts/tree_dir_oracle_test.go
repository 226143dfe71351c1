package artifacts_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestOpenDirWhenAFolderCannotBeRead names the whole path of it.
func TestOpenDirWhenAFolderCannotBeRead(t *testing.T) {
	if !oracle.AsNobody(t) {
		return
	}
	dir := t.TempDir()
	write(t, dir, "var/lib/private/file")
	require.NoError(t, os.Chmod(filepath.Join(dir, "var/lib/private"), 0))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	_, err = artifacts.OpenDir(t.Context(), root)
	require.ErrorIs(t, err, fs.ErrPermission)
	require.ErrorContains(t, err, "artifacts: directory "+dir+": var/lib/private: ")
	require.NoError(t, os.Chmod(filepath.Join(dir, "var/lib/private"), 0o700))
}
