package oci_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts/oci"
)

// TestOpenWhenItIsAPipe does not wait for somebody to write it.
func TestOpenWhenItIsAPipe(t *testing.T) {
	t.Parallel()

	name := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(name, 0o600))
	_, err := oci.Open(t.Context(), openStore(t), "ocifile:"+name)
	require.ErrorContains(t, err, "want a file")
}
