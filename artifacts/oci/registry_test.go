package oci_test

import (
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/oci"
)

// rootfs opens an image and makes its root file system.
func rootfs(t *testing.T, store *artifacts.Store, ref string, opts ...oci.Option) (*artifacts.Tree, error) {
	t.Helper()
	im, err := oci.Open(t.Context(), store, ref, opts...)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { im.Close() })
	tree, err := oci.Rootfs(t.Context(), store, im)
	if err == nil {
		t.Cleanup(func() { tree.Close() })
	}
	return tree, err
}

func TestRegistryTransfersNothingTwice(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).Start)
	ref := reg.push(t, "a/b:v1", sample(t, "linux/amd64"))
	opts := []oci.Option{oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64")}
	book := newLogBook()
	store := openStore(t, artifacts.WithLogger(slog.New(book)))

	im, err := oci.Registry(t.Context(), store, ref, opts...)
	require.NoError(t, err)
	tree, err := oci.Rootfs(t.Context(), store, im)
	require.NoError(t, err)
	assert.Equal(t, "linux/amd64", text(t, tree, "arch"))
	assert.Equal(t, "ID=test\n", text(t, tree, "etc/os-release"))
	_, err = fs.Stat(tree, "etc/gone")
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, tree.Close())
	first := reg.seen()
	assert.Len(t, first, 6, "a HEAD, the manifest, the configuration and three layers: %q", first)

	_, err = rootfs(t, store, ref, opts...)
	require.NoError(t, err)
	assert.Equal(t, []string{"HEAD /v2/a/b/manifests/v1"}, reg.seen(), "a tag costs one HEAD")

	pinned := strings.TrimSuffix(ref, ":v1") + "@" + string(im.Digest())
	_, err = rootfs(t, store, pinned, opts...)
	require.NoError(t, err)
	assert.Empty(t, reg.seen(), "a digest costs nothing")

	reg.Close()
	assert.Empty(t, book.lines)
	_, err = rootfs(t, store, ref, opts...)
	require.NoError(t, err, "the digest last seen")
	assert.Equal(t, []string{"WARN source cannot be reached, using what it had when seen last"}, book.lines)
}

func TestRegistryOverTLS(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).StartTLS)
	ref := reg.push(t, "a/b:v1", sample(t, "linux/amd64"))
	amd64 := oci.WithPlatform("linux/amd64")

	_, err := rootfs(t, openStore(t), ref, amd64)
	require.ErrorContains(t, err, "certificate")
	_, err = rootfs(t, openStore(t), ref, amd64, oci.WithPlainHTTP())
	require.ErrorContains(t, err, "certificate", "permission for plain HTTP is none for bad certificates")

	_, err = rootfs(t, openStore(t), ref, amd64, oci.WithUntrustedTLS())
	require.NoError(t, err)
	_, err = rootfs(t, openStore(t), ref, amd64, oci.WithHTTPClient(reg.Client()))
	require.NoError(t, err)
}

func TestRegistryRefusesPlainHTTP(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).Start)
	ref := reg.push(t, "a/b:v1", sample(t, "linux/amd64"))
	_, err := rootfs(t, openStore(t), ref)
	require.ErrorContains(t, err, "WithPlainHTTP")
	assert.Empty(t, reg.seen(), "not even one request")

	secure := newFakeRegistry(t, (*httptest.Server).StartTLS)
	ref = secure.push(t, "a/b:v1", sample(t, "linux/amd64"))
	secure.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		http.Redirect(w, r, reg.URL+r.URL.Path, http.StatusTemporaryRedirect)
		return true
	})
	_, err = rootfs(t, openStore(t), ref, oci.WithUntrustedTLS(), oci.WithPlatform("linux/amd64"))
	require.ErrorContains(t, err, "redirect to plain HTTP")
	assert.Empty(t, reg.seen())
}

func TestImageCloseEndsConnections(t *testing.T) {
	t.Parallel()

	var open atomic.Int64
	ended := make(chan struct{}, 100)
	reg := newFakeRegistry(t, func(s *httptest.Server) {
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed:
				open.Add(-1)
				ended <- struct{}{}
			}
		}
		s.Start()
	})
	ref := reg.push(t, "a/b:v1", sample(t, "linux/amd64"))
	reg.Client().CloseIdleConnections()
	store := openStore(t)
	im, err := oci.Registry(t.Context(), store, ref, oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64"))
	require.NoError(t, err)
	tree, err := oci.Rootfs(t.Context(), store, im)
	require.NoError(t, err)
	defer tree.Close()
	require.NoError(t, im.Close())
	for open.Load() > 0 {
		<-ended
	}
	assert.Equal(t, "linux/amd64", text(t, tree, "arch"), "the tree is from the store")
}
