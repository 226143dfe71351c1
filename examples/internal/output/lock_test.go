//go:build linux || darwin

package output_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/output"
)

// TestCreateTwice has two programs make one file: the second waits for nothing,
// and spoils nothing.
func TestCreateTwice(t *testing.T) {
	t.Parallel()

	name := filepath.Join(t.TempDir(), "x.iso")
	require.NoError(t, os.WriteFile(name+".partial", []byte("what a program left that was killed"), 0o600))
	f, err := output.Create(name, 4)
	require.NoError(t, err)
	_, err = output.Create(name, 4)
	require.ErrorContains(t, err, "x.iso.partial is being written by another program")
	_, err = io.WriteString(f.Writer(), "foo\n")
	require.NoError(t, f.Finish(t.Context(), err))
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "foo\n", string(data))

	f, err = output.Create(name, 4)
	require.NoError(t, err, "the first one is done")
	require.ErrorIs(t, f.Finish(t.Context(), io.EOF), io.EOF)
	f, err = output.Create(name, 4)
	require.NoError(t, err)
	require.NoError(t, f.Finish(t.Context(), nil))
}
