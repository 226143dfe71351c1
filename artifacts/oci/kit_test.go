package oci_test

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
)

// layerTar returns an uncompressed layer: pairs of names and contents.
func layerTar(t *testing.T, pairs ...string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for i := 0; i < len(pairs); i += 2 {
		h := &tar.Header{Name: pairs[i], Mode: 0o644, Size: int64(len(pairs[i+1])), ModTime: time.Unix(1e9, 0), Format: tar.FormatPAX}
		if strings.HasSuffix(h.Name, "/") {
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		}
		require.NoError(t, w.WriteHeader(h))
		_, err := io.WriteString(w, pairs[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return buf.Bytes()
}

// layerOf returns a layer of go-containerregistry, compressed by gzip.
func layerOf(t *testing.T, text []byte, opts ...tarball.LayerOption) v1.Layer {
	t.Helper()
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }, opts...)
	require.NoError(t, err)
	return l
}

// imageOf returns an image for the platform with the given layers.
func imageOf(t *testing.T, platform string, layers ...v1.Layer) v1.Image {
	t.Helper()
	im, err := mutate.AppendLayers(empty.Image, layers...)
	require.NoError(t, err)
	config, err := im.ConfigFile()
	require.NoError(t, err)
	p, err := v1.ParsePlatform(platform)
	require.NoError(t, err)
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Variant = p.OS, p.Architecture, p.Variant
	im, err = mutate.ConfigFile(im, config)
	require.NoError(t, err)
	return im
}

// sample is an image, with OCI's media types, of three layers that remove a
// file. Images of imageOf have Docker's.
func sample(t *testing.T, platform string) v1.Image {
	t.Helper()
	kind := tarball.WithMediaType(types.OCILayer)
	im := imageOf(t, platform,
		layerOf(t, layerTar(t, "etc/", "", "etc/os-release", "ID=test\n", "etc/gone", "x"), kind),
		layerOf(t, layerTar(t, "etc/.wh.gone", "", "boot/", "", "boot/vmlinuz", strings.Repeat("kernel", 1000)), kind),
		layerOf(t, layerTar(t, "arch", platform), kind),
	)
	return mutate.ConfigMediaType(mutate.MediaType(im, types.OCIManifestSchema1), types.OCIConfigJSON)
}

// A fakeRegistry is a registry of go-containerregistry, on a port of its own,
// that counts requests.
type fakeRegistry struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string
	before   func(w http.ResponseWriter, r *http.Request) (done bool)
}

func newFakeRegistry(t *testing.T, start func(*httptest.Server)) *fakeRegistry {
	t.Helper()
	f := &fakeRegistry{}
	inner := registry.New(registry.Logger(slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)))
	f.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		f.requests = append(f.requests, r.Method+" "+r.URL.Path)
		before := f.before
		f.mu.Unlock()
		if before == nil || !before(w, r) {
			inner.ServeHTTP(w, r)
		}
	}))
	start(f.Server)
	t.Cleanup(f.Close)
	return f
}

// host returns the address without a scheme.
func (f *fakeRegistry) host() string { _, host, _ := strings.Cut(f.URL, "://"); return host }

// intercept sets what sees requests first.
func (f *fakeRegistry) intercept(fn func(w http.ResponseWriter, r *http.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before = fn
}

// seen returns the requests since the last call.
func (f *fakeRegistry) seen() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer func() { f.requests = nil }()
	return f.requests
}

// push writes an image or index to the registry under a name such as a/b:c.
func (f *fakeRegistry) push(t *testing.T, ref string, what remote.Taggable) string {
	t.Helper()
	full := f.host() + "/" + ref
	parsed, err := name.ParseReference(full, name.Insecure)
	require.NoError(t, err)
	opts := []remote.Option{remote.WithTransport(f.Client().Transport)}
	switch what := what.(type) {
	case v1.Image:
		require.NoError(t, remote.Write(parsed, what, opts...))
	case v1.ImageIndex:
		require.NoError(t, remote.WriteIndex(parsed, what, opts...))
	}
	f.seen()
	return full
}

// openStore opens a store in a folder of its own that gives up at once.
func openStore(t *testing.T, opts ...artifacts.Option) *artifacts.Store {
	t.Helper()
	return storeIn(t, t.TempDir(), opts...)
}

func storeIn(t *testing.T, dir string, opts ...artifacts.Option) *artifacts.Store {
	t.Helper()
	s, err := artifacts.OpenStore(dir, append([]artifacts.Option{artifacts.WithRetry(2, time.Millisecond)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// text returns the content of a file of the tree.
func text(t *testing.T, fsys fs.FS, name string) string {
	t.Helper()
	b, err := fs.ReadFile(fsys, name)
	require.NoError(t, err)
	return string(b)
}

// A logBook keeps log messages.
type logBook struct {
	slog.Handler
	mu    sync.Mutex
	lines []string
}

func newLogBook() *logBook { return &logBook{Handler: slog.DiscardHandler} }

func (l *logBook) Enabled(context.Context, slog.Level) bool { return true }

func (l *logBook) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, r.Level.String()+" "+r.Message)
	return nil
}
