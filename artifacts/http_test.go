package artifacts_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
)

func TestHTTPStat(t *testing.T) {
	t.Parallel()

	mod := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead && r.URL.Path != "/plain" {
			w.WriteHeader(http.StatusForbidden) // As for an address that is signed for GET.
			return
		}
		assert.Equal(t, "identity", r.Header.Get("Accept-Encoding"))
		assert.Equal(t, "netbootkit", r.UserAgent())
		w.Header().Set("ETag", `"tag"`)
		http.ServeContent(w, r, "", mod, strings.NewReader("12345"))
	}))
	defer web.Close()
	for _, path := range []string{"/plain", "/signed"} {
		info, err := artifacts.HTTP(nil).Stat(t.Context(), web.URL+path)
		require.NoError(t, err)
		assert.Equal(t, artifacts.Info{Name: web.URL + path, Size: 5, ModTime: mod, ETag: `"tag"`}, info)
	}
}

func TestHTTPErrorsHideSecrets(t *testing.T) {
	t.Parallel()

	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/binary" {
			w.WriteHeader(http.StatusTeapot)
			_, _ = w.Write([]byte{0, 1, 2})
			return
		}
		http.Error(w, strings.Repeat("ä", 5000), http.StatusTeapot)
	}))
	src := artifacts.HTTP(web.Client())
	name := strings.Replace(web.URL, "http://", "http://user:SECRET@", 1) + "/kernel?X-Signature=SECRET"
	_, err := src.Open(t.Context(), name)
	var answer *artifacts.HTTPError
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, http.StatusTeapot, answer.Status)
	assert.Equal(t, web.URL+"/kernel", answer.URL)
	assert.Equal(t, strings.Repeat("ä", 100), answer.Snippet)
	assert.NotContains(t, err.Error(), "SECRET")
	_, err = src.Open(t.Context(), web.URL+"/binary")
	require.ErrorAs(t, err, &answer)
	assert.Empty(t, answer.Snippet)

	web.Close()
	for _, name := range []string{name, "ftp://user:SECRET@host/", "http://us er:SECRET@h/%zz", "https://SECRET@:x:y/"} {
		_, err = src.Open(t.Context(), name)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "SECRET")
	}
}

func TestHTTPRefusesDowngrade(t *testing.T) {
	t.Parallel()

	plain := newSite(t, map[string][]byte{"/kernel": []byte("x")})
	secure := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/kernel", http.StatusFound))
	defer secure.Close()
	client := artifacts.NewHTTPClient()
	client.Transport = secure.Client().Transport
	_, err := artifacts.HTTP(client).Open(t.Context(), secure.URL)
	require.ErrorContains(t, err, "redirect from https to http")
	assert.Empty(t, plain.requests())

	circle := httptest.NewServer(http.RedirectHandler("/", http.StatusFound))
	defer circle.Close()
	_, err = artifacts.HTTP(nil).Open(t.Context(), circle.URL)
	require.ErrorContains(t, err, "more than 10 redirects")
}

func TestStoreGetOfUntrustedServer(t *testing.T) {
	t.Parallel()

	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	var connections atomic.Int32
	secure.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	secure.StartTLS()
	defer secure.Close()
	_, err := openStore(t, t.TempDir()).Get(t.Context(), artifacts.HTTP(nil), secure.URL+"/kernel")
	require.ErrorContains(t, err, "certificate")
	assert.Equal(t, int32(1), connections.Load(), "trying again would be in vain")
}

func TestStoreGetOfPartOfAnother(t *testing.T) {
	t.Parallel()

	src := &deriver{iso: "the kernel, and more"}
	dir := t.TempDir()
	var reported []string
	s := openStore(t, dir, artifacts.WithProgress(func(name string, done, total int64) { reported = append(reported, name) }))
	for range 2 {
		f, err := s.Get(t.Context(), src, "kernel")
		assert.Equal(t, "the kernel", content(t, f, err))
		assert.Equal(t, "kernel", f.Info().Name)
	}
	assert.Equal(t, int32(1), src.extracted.Load())
	assert.Contains(t, reported, "kernel")

	src.gone = true
	f, err := s.Get(t.Context(), src, "kernel")
	assert.Equal(t, "the kernel", content(t, f, err), "without the source")
	_, err = s.Get(t.Context(), src, "initrd")
	require.ErrorIs(t, err, errGone)

	var opened []string
	verified := openStore(t, dir, artifacts.WithVerifier(signedBy("good", &opened)))
	_, err = verified.Get(t.Context(), src, "kernel")
	require.Error(t, err, "nobody vouched for what it is made of")
	src.gone, src.signature = false, "good"
	f, err = verified.Get(t.Context(), src, "kernel")
	assert.Equal(t, "the kernel", content(t, f, err))
	src.gone, opened = true, nil
	f, err = verified.Get(t.Context(), src, "kernel")
	assert.Equal(t, "the kernel", content(t, f, err))
	assert.Equal(t, []string{"good"}, opened, "what it is made of is verified each time")

	// Another ISO comes, and a store without verifiers takes its kernel;
	// then the first ISO is back, and signed.
	first := src.iso
	src.gone, src.iso = false, "EVIL kernel, and more"
	f, err = s.Get(t.Context(), src, "kernel")
	assert.Equal(t, "EVIL kerne", content(t, f, err))
	src.iso = first
	f, err = verified.Get(t.Context(), src, "iso")
	assert.Equal(t, first, content(t, f, err))
	src.gone = true
	_, err = verified.Get(t.Context(), src, "kernel")
	require.ErrorIs(t, err, artifacts.ErrUnverified, "the kernel seen last is not of the ISO seen last")
}

// A deriver has an ISO, and a kernel in it.
type deriver struct {
	iso, signature string
	gone           bool
	extracted      atomic.Int32
}

var errGone = errors.New("network is unreachable")

func (d *deriver) ID() string { return "deriver" }

func (d *deriver) Stat(context.Context, string) (artifacts.Info, error) {
	if d.gone {
		return artifacts.Info{}, errGone
	}
	return artifacts.Info{Name: "image.iso", Size: int64(len(d.iso)), Digest: digestOf([]byte(d.iso))}, nil
}

func (d *deriver) Open(_ context.Context, name string) (io.ReadCloser, error) {
	switch {
	case d.gone:
		return nil, errGone
	case name == "image.iso":
		return io.NopCloser(strings.NewReader(d.iso)), nil
	case name == "image.iso.sig" && d.signature != "":
		return io.NopCloser(strings.NewReader(d.signature)), nil
	default:
		return nil, fs.ErrNotExist
	}
}

func (d *deriver) Derive(_ context.Context, name string) (*artifacts.Derivation, error) {
	if name != "kernel" {
		return nil, nil
	}
	if d.gone {
		return nil, errGone
	}
	return &artifacts.Derivation{From: "iso", Part: "boot/kernel", Extract: func(_ context.Context, w io.Writer, r io.ReaderAt, size int64) error {
		d.extracted.Add(1)
		_, err := io.Copy(w, io.NewSectionReader(r, 0, min(size, 10)))
		return err
	}}, nil
}
