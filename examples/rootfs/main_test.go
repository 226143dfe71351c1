package main

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

// zeros is a layer with one file of size bytes.
func zeros(t *testing.T, name string, size int64) v1.Layer {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() {
			archive := tar.NewWriter(w)
			err := archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: size})
			if err == nil {
				_, err = io.CopyN(archive, nothing{}, size)
			}
			if err == nil {
				err = archive.Close()
			}
			w.CloseWithError(err)
		}()
		return r, nil
	}, tarball.WithCompressionLevel(1))
	require.NoError(t, err)
	return l
}

type nothing struct{}

func (nothing) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// writeImage writes an image of four layers of size bytes to a layout.
func writeImage(t *testing.T, size int64) string {
	t.Helper()
	im, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: "amd64", RootFS: v1.RootFS{Type: "layers"}})
	require.NoError(t, err)
	for i := range 4 {
		im, err = mutate.AppendLayers(im, zeros(t, fmt.Sprintf("folder/file%d", i), size))
		require.NoError(t, err)
	}
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, path.AppendImage(im))
	return "dir:" + dir
}

func TestRun(t *testing.T) {
	t.Parallel()

	ref := writeImage(t, 1000)
	args := []string{"-platform", "linux/amd64", "-store", t.TempDir(), ref}
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), args, nil, &out, io.Discard))
	assert.Equal(t, 6, strings.Count(out.String(), "\n"), "%s", &out)
	assert.Contains(t, out.String(), "-rw-r--r--       1000 folder/file3\n")

	file := filepath.Join(t.TempDir(), "out.tar")
	require.NoError(t, run(t.Context(), append(args, file), nil, io.Discard, io.Discard))
	var again bytes.Buffer
	require.NoError(t, run(t.Context(), []string{"-store", t.TempDir(), "ocifile:" + file}, nil, &again, io.Discard))
	assert.Equal(t, out.String(), again.String(), "a tar is a tree as well")

	err := run(t.Context(), []string{"-store", t.TempDir(), file, file}, nil, io.Discard, io.Discard)
	require.ErrorContains(t, err, "would be written over "+file+", of which it is made")
	require.NoError(t, run(t.Context(), []string{"-store", t.TempDir(), file}, nil, io.Discard, io.Discard), "it is whole")

	require.ErrorContains(t, run(t.Context(), nil, nil, io.Discard, io.Discard), "want a reference")
}

// TestRunNeedsLittleMemory says that memory does not grow with the image.
func TestRunNeedsLittleMemory(t *testing.T) {
	t.Parallel()
	needsLittle(t, 256<<20, 128)
}

func TestRunNeedsLittleMemoryFor2GiB(t *testing.T) {
	t.Parallel()
	oracle.All(t)
	needsLittle(t, 2<<30, 150)
}

// needsLittle runs the program, as it is shipped, on an image of size bytes.
func needsLittle(t *testing.T, size int64, limit float64) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "rootfs")
	oracle.Run(t, "go", "build", "-o", program, ".")
	cmd := exec.CommandContext(t.Context(), program, "-platform", "linux/amd64", "-store", t.TempDir(), writeImage(t, size/4))
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Contains(t, string(out), "folder/file3")
	if peak := peakMemory(t, cmd); peak > limit {
		t.Errorf("%.1f MiB resident for an image of %d MiB, want at most %.0f", peak, size>>20, limit)
	} else {
		t.Logf("%.1f MiB resident for an image of %d MiB", peak, size>>20)
	}
}
