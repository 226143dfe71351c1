//go:build linux && !race

package isobuild_test

import (
	"archive/tar"
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/resident"
	"github.com/netbootkit/netbootkit/isobuild"
)

// TestStreamMemory makes an image of 100000 files.
func TestStreamMemory(t *testing.T) {
	t.Parallel()
	resident.Below(t, 150, func() {
		name := filepath.Join(t.TempDir(), "files.tar")
		packFiles(t, name, 100_000)
		streamTar(t, name)
	})
}

// packFiles writes a tar with n small files.
func packFiles(t *testing.T, name string, n int) {
	t.Helper()
	f, err := os.Create(name)
	require.NoError(t, err)
	defer f.Close()
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := tar.NewWriter(buffered)
	for i := range n {
		h := &tar.Header{Name: fmt.Sprintf("package-%d/a file called %d.html", i/100, i), Mode: 0o644, Size: 10, ModTime: labFile(nil).ModTime}
		require.NoError(t, w.WriteHeader(h))
		_, err := io.WriteString(w, "0123456789")
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	require.NoError(t, buffered.Flush())
}

// streamTar makes an image with the files of a tar.
func streamTar(t *testing.T, name string) {
	t.Helper()
	packed := section(t, name)
	tree, err := artifacts.OpenTar(packed, packed.Size())
	require.NoError(t, err)
	start := time.Now()
	size, err := isobuild.Stream(t.Context(), struct{ io.Writer }{io.Discard}, liveRoot(), strings.NewReader("hsqs"),
		isobuild.WithFirmware(isobuild.UEFI), isobuild.WithFiles(tree))
	require.NoError(t, err)
	t.Logf("%d bytes in %v", size, time.Since(start))
}
