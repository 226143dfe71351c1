package oci_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts/oci"
)

// noise returns n bytes that do not compress.
func noise(n int) string {
	var b strings.Builder
	x := uint64(1)
	for b.Len() < n {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		fmt.Fprintf(&b, "%016x", x)
	}
	return b.String()[:n]
}

func TestRegistryKnowsCompressions(t *testing.T) {
	t.Parallel()

	gzipped := layerOf(t, layerTar(t, "gzip", "1"), tarball.WithCompression(compression.GZip))
	zstd := layerOf(t, layerTar(t, "zstd", "2"), tarball.WithCompression(compression.ZStd), tarball.WithMediaType(types.OCILayerZStd))
	none := static.NewLayer(layerTar(t, "none", "3"), types.OCIUncompressedLayer)
	lies := static.NewLayer(layerTar(t, "lies", "4"), types.OCILayer) // Plain, called gzip.
	reg := newFakeRegistry(t, (*httptest.Server).Start)
	ref := reg.push(t, "a:1", imageOf(t, "linux/amd64", gzipped, zstd, none, lies))
	tree, err := rootfs(t, openStore(t), ref, oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64"))
	require.NoError(t, err)
	assert.Equal(t, "1234", text(t, tree, "gzip")+text(t, tree, "zstd")+text(t, tree, "none")+text(t, tree, "lies"))
}

func TestRegistryResumesBlobs(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).Start)
	big := noise(3 << 20)
	ref := reg.push(t, "a:1", imageOf(t, "linux/amd64", layerOf(t, layerTar(t, "big", big))))
	var sent, breaks atomic.Int64
	plain := &http.Client{}
	reg.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/blobs/") || r.Header.Get("X-Inner") != "" {
			return false
		}
		// The registry of go-containerregistry knows no ranges: ask it for all.
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, reg.URL+r.URL.Path, nil)
		req.Header.Set("X-Inner", "1")
		resp, err := plain.Do(req)
		if err != nil {
			return true
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		rec := httptest.NewRecorder()
		http.ServeContent(rec, r, "", time.Time{}, bytes.NewReader(body))
		w.Header().Set("Content-Length", rec.Header().Get("Content-Length"))
		if v := rec.Header().Get("Content-Range"); v != "" {
			w.Header().Set("Content-Range", v)
		}
		w.WriteHeader(rec.Code)
		out := rec.Body.Bytes()
		if len(out) > 600_000 && breaks.Add(1) > 0 { // Each connection breaks after 500 kB.
			n, _ := w.Write(out[:500_000])
			sent.Add(int64(n))
			panic(http.ErrAbortHandler)
		}
		n, _ := w.Write(out)
		sent.Add(int64(n))
		return true
	})
	tree, err := rootfs(t, openStore(t), ref, oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64"))
	require.NoError(t, err)
	assert.Equal(t, big, text(t, tree, "big"))
	assert.Greater(t, breaks.Load(), int64(2))
	assert.Less(t, sent.Load(), int64(2<<20), "of a blob of 1.6 MB, each byte came about once")
}

func TestRegistryRefusesChangedBlob(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).Start)
	ref := reg.push(t, "a:1", sample(t, "linux/amd64"))
	reg.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		rec := httptest.NewRecorder()
		rec.WriteString(strings.Repeat("x", 200))
		w.Write(rec.Body.Bytes())
		return true
	})
	_, err := rootfs(t, openStore(t), ref, oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64"))
	require.ErrorContains(t, err, "size is 200 bytes, want")
}

func TestRegistryFetchesForeignLayers(t *testing.T) {
	t.Parallel()

	l := layerOf(t, layerTar(t, "foreign", "yes"))
	rc, err := l.Compressed()
	require.NoError(t, err)
	body, err := io.ReadAll(rc)
	require.NoError(t, err)
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if assert.Empty(t, r.Header.Get("Authorization")); r.URL.Path == "/there" {
			w.Write(body)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(elsewhere.Close)
	im, err := mutate.Append(sample(t, "linux/amd64"), mutate.Addendum{
		Layer: l, MediaType: types.DockerForeignLayer, URLs: []string{elsewhere.URL + "/gone", elsewhere.URL + "/there"},
	})
	require.NoError(t, err)
	reg := newFakeRegistry(t, (*httptest.Server).Start)
	tree, err := rootfs(t, openStore(t), reg.push(t, "a:1", im), oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64"))
	require.NoError(t, err)
	assert.Equal(t, "yes", text(t, tree, "foreign"))
}

func TestRegistryFetchesSideBySide(t *testing.T) {
	t.Parallel()

	var layers []v1.Layer
	for i := range 6 {
		layers = append(layers, layerOf(t, layerTar(t, fmt.Sprint(i), noise(1000+i))))
	}
	reg := newFakeRegistry(t, (*httptest.Server).Start)
	ref := reg.push(t, "a:1", imageOf(t, "linux/amd64", layers...))
	var running, most atomic.Int64
	full := make(chan struct{})
	reg.intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || !strings.Contains(r.URL.Path, "/blobs/") {
			return false
		}
		n := running.Add(1)
		defer running.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n >= 3 {
			select {
			case <-full:
			default:
				close(full)
			}
		}
		select { // The configuration comes alone.
		case <-full:
		case <-time.After(200 * time.Millisecond):
		}
		return false
	})
	_, err := rootfs(t, openStore(t), ref, oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64"), oci.WithParallel(3))
	require.NoError(t, err)
	assert.Equal(t, int64(3), most.Load())
}

func TestRootfsStopsAtOnce(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).Start)
	ref := reg.push(t, "a:1", sample(t, "linux/amd64"))
	store := openStore(t)
	im, err := oci.Registry(t.Context(), store, ref, oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64"))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	reg.intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		cancel()
		<-r.Context().Done() // Never answers.
		return true
	})
	_, err = oci.Rootfs(ctx, store, im)
	require.ErrorIs(t, err, context.Canceled)
}

func TestWithProgress(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).Start)
	ref := reg.push(t, "a:1", sample(t, "linux/amd64"))
	seen := map[string][][2]int64{}
	report := func(name string, done, total int64) { seen[name] = append(seen[name], [2]int64{done, total}) }
	store := openStore(t)
	_, err := rootfs(t, store, ref, oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64"), oci.WithProgress(report))
	require.NoError(t, err)
	require.Len(t, seen, 2)
	for _, name := range []string{ref, ref + " rootfs"} {
		calls := seen[name]
		require.NotEmpty(t, calls, name)
		total := calls[0][1]
		assert.Positive(t, total)
		assert.Equal(t, [2]int64{0, total}, calls[0])
		assert.Equal(t, [2]int64{total, total}, calls[len(calls)-1])
	}
	clear(seen)
	_, err = rootfs(t, store, ref, oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64"), oci.WithProgress(report))
	require.NoError(t, err)
	assert.Empty(t, seen, "nothing is made twice")
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()

	_, err := oci.Open(t.Context(), openStore(t), "x",
		oci.WithLogger(nil), oci.WithProgress(nil), oci.WithPlatform("linux"), oci.WithKeychain(nil),
		oci.WithDaemonHost("ssh://x"), oci.WithParallel(0), oci.WithMaxSize(0),
		oci.WithHTTPClient(&http.Client{Transport: http.NewFileTransport(http.Dir("."))}), oci.WithUntrustedTLS())
	for _, want := range []string{
		"logger is nil", "progress function is nil", `platform "linux": want os/arch`, "keychain is nil",
		`daemon host "ssh://x": want unix`, "0 transfers at once, not in 1..64", "maximum size of 0 bytes", "untrusted TLS needs",
	} {
		require.ErrorContains(t, err, want)
	}
}

// A tokenServer hands out tokens for a registry (Distribution's token protocol).
func tokenServer(t *testing.T, reg *fakeRegistry) {
	t.Helper()
	reg.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/token" {
			user, secret, _ := r.BasicAuth()
			if user != "me" || secret != "right" {
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
			assert.Equal(t, []string{"repository:a/b:pull"}, r.URL.Query()["scope"])
			fmt.Fprint(w, `{"token":"t0"}`)
			return true
		}
		if r.Header.Get("Authorization") == "Bearer t0" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+reg.URL+`/token",service="x"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
}

func TestWithCredentials(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).StartTLS)
	ref := reg.push(t, "a/b:1", sample(t, "linux/amd64"))
	tokenServer(t, reg)
	opts := []oci.Option{oci.WithHTTPClient(reg.Client()), oci.WithPlatform("linux/amd64")}
	login := func(secret string, err error) oci.Option {
		return oci.WithCredentials(func(_ context.Context, host string) (string, string, error) {
			assert.Equal(t, reg.host(), host)
			return "me", secret, err
		})
	}
	store := openStore(t)
	_, err := rootfs(t, store, ref, append(opts, login("right", nil))...)
	require.NoError(t, err)
	_, err = rootfs(t, openStore(t), ref, append(opts, oci.WithKeychain(keychain{"me", "right"}))...)
	require.NoError(t, err)

	_, err = rootfs(t, openStore(t), ref, append(opts, login("wrong", nil))...)
	require.ErrorContains(t, err, "401")
	assert.NotContains(t, err.Error(), "wrong", "secrets are not in errors")
	_, err = rootfs(t, store, ref, append(opts, login("wrong", nil))...)
	require.ErrorContains(t, err, "401", "what is stored is no way around a refusal")
	_, err = rootfs(t, openStore(t), ref, opts...)
	require.ErrorContains(t, err, "401")
	_, err = rootfs(t, openStore(t), ref, append(opts, login("", errors.New("no helper")))...)
	require.ErrorContains(t, err, "no helper")
}

func TestRegistryKeepsCredentialsToItself(t *testing.T) {
	t.Parallel()

	reg := newFakeRegistry(t, (*httptest.Server).StartTLS)
	ref := reg.push(t, "a/b:1", sample(t, "linux/amd64"))
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Empty(t, r.Header.Get("Authorization"))
		rec := httptest.NewRecorder()
		r.Header.Set("Authorization", "Basic bWU6cmlnaHQ=")
		reg.Config.Handler.ServeHTTP(rec, r)
		w.Write(rec.Body.Bytes())
	}))
	t.Cleanup(other.Close)
	reg.intercept(func(w http.ResponseWriter, r *http.Request) bool {
		user, _, _ := r.BasicAuth()
		if user != "me" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		if strings.Contains(r.URL.Path, "/blobs/") && r.Host == reg.host() {
			http.Redirect(w, r, other.URL+r.URL.Path+"?signature=secret", http.StatusTemporaryRedirect)
			return true
		}
		return false
	})
	_, err := rootfs(t, openStore(t), ref, oci.WithUntrustedTLS(), oci.WithPlatform("linux/amd64"), oci.WithKeychain(keychain{"me", "right"}))
	require.NoError(t, err)

	other.Close()
	_, err = rootfs(t, openStore(t), ref, oci.WithUntrustedTLS(), oci.WithPlatform("linux/amd64"), oci.WithKeychain(keychain{"me", "right"}))
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "signature", "nor are signed addresses in errors")
}

// keychain has one user and secret for all.
type keychain [2]string

func (k keychain) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig{Username: k[0], Password: k[1]}), nil
}
