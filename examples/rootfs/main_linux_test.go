package main

import (
	"archive/tar"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestRunKeepsWhatIsThere has a run that fails halfway leave the tar of an
// earlier one, and nothing of its own.
func TestRunKeepsWhatIsThere(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	file := filepath.Join(folder, "out.tar")
	args := []string{"-platform", "linux/amd64", "-store", t.TempDir(), writeImage(t, 1<<20), file}
	require.NoError(t, run(t.Context(), args, nil, io.Discard, io.Discard))
	oracle.Run(t, "sh", "-c", `cd "$0" && sha256sum --check --strict out.tar.sha256`, folder)
	old, err := os.ReadFile(file)
	require.NoError(t, err)

	// Files that say that they are empty, and are not.
	err = run(t.Context(), []string{"-store", t.TempDir(), "/proc/sys/kernel/random", file}, nil, io.Discard, io.Discard)
	require.ErrorIs(t, err, tar.ErrWriteTooLong)
	require.ErrorContains(t, err, "boot_id: ", "the file is named")
	now, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, old, now)
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Len(t, entries, 2)
}
