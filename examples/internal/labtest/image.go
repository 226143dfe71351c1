package labtest

import (
	"archive/tar"
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"
)

// Packed packs a folder of the lab in all ways that a source may be, and returns
// the names of what it made by what they are: a tar, an OCI layout and a tar of
// docker save.
func (l *Lab) Packed(t *testing.T, folder string) map[string]string {
	t.Helper()
	at := l.Path(folder)
	all := map[string]string{"tar": at + ".tar", "layout": at + ".layout", "archive": at + ".docker.tar"}

	file, err := os.Create(all["tar"])
	require.NoError(t, err)
	w := tar.NewWriter(file)
	require.NoError(t, errors.Join(w.AddFS(os.DirFS(at)), w.Close(), file.Close()))

	layer, err := tarball.LayerFromFile(all["tar"])
	require.NoError(t, err)
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers"}})
	require.NoError(t, err)
	image, err = mutate.AppendLayers(image, layer)
	require.NoError(t, err)
	to, err := layout.Write(all["layout"], empty.Index)
	require.NoError(t, err)
	require.NoError(t, to.AppendImage(image))
	require.NoError(t, tarball.WriteToFile(all["archive"], name.MustParseReference("localhost/lab:1"), image))
	return all
}
