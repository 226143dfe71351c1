package isobuild_test

import (
	"archive/tar"
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/isobuild"
)

// maxResident is what a process may take that makes an image of 100000 files,
// in KiB.
const maxResident = 150 << 10

// TestStreamMemory makes an image in a process of its own.
func TestStreamMemory(t *testing.T) {
	const variable = "NETBOOTKIT_TEST_CHILD"
	if name := os.Getenv(variable); name != "" {
		streamTar(t, name)
		used := peak(t)
		t.Logf("%d KiB resident", used)
		if !race { // It takes memory for itself.
			assert.Less(t, used, int64(maxResident))
		}
		return
	}
	t.Parallel()
	name := filepath.Join(t.TempDir(), "files.tar")
	packFiles(t, name, 100_000)
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStreamMemory$", "-test.v")
	child.Env = append(os.Environ(), variable+"="+name)
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	t.Logf("%s", out)
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

// peak returns the most that this process has ever had in memory, in KiB. What
// its parent is told of it is not less than what the parent itself had.
func peak(t *testing.T) (kib int64) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	_, err = fmt.Sscan(rest, &kib)
	require.NoError(t, err)
	return kib
}
