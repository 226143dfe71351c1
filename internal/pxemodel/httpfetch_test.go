package pxemodel_test

import (
	"bufio"
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHTTPBootFetch shows which servers HTTP boot gets along with.
func TestHTTPBootFetch(t *testing.T) {
	t.Parallel()

	image := bytes.Repeat([]byte("0123456789abcdef"), 20_000)
	content := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Unix(1_000_000_000, 0), bytes.NewReader(image))
	}
	set := func(header, value string, next http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(header, value)
			next(w, r)
		}
	}
	chunked := func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(image[:1000])
		w.(http.Flusher).Flush()
		_, _ = w.Write(image[1000:])
	}
	tests := []struct {
		name, path string
		handler    http.HandlerFunc
		kind, err  string
		resumed    int
	}{
		{"extension", "/a.efi", set("Content-Type", "text/plain", content), "efi", "", 0},
		{"type", "/a", set("Content-Type", "application/efi", content), "efi", "", 0},
		{"ISO type", "/a", set("Content-Type", "application/vnd.efi-iso", content), "iso", "", 0},
		{"disk image", "/a.IMG", set("Content-Type", "application/octet-stream", content), "img", "", 0},
		{"unknown", "/a", set("Content-Type", "application/octet-stream", content), "", "is not known", 0},
		{"no HEAD", "/a.efi", func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				http.Error(w, "no", http.StatusMethodNotAllowed)
				return
			}
			content(w, r)
		}, "efi", "", 0},
		{"not found", "/a.efi", http.NotFound, "", "404", 0},
		{"redirect", "/a.efi", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/b.efi", http.StatusFound)
		}, "", "302", 0},
		{"chunked", "/a.efi", chunked, "efi", "", 0},
		{"chunked RAM disk", "/a.iso", chunked, "", "Content-Length", 0},
		{"breaks with ETag", "/a.efi", set("ETag", `"v1"`, breaks(3, content)), "efi", "", 3},
		{"breaks with date", "/a.efi", set("ETag", `W/"v1"`, breaks(2, content)), "efi", "", 2},
		{"breaks without", "/a.efi", breaks(2, func(w http.ResponseWriter, r *http.Request) {
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(image))
		}), "efi", "", 0},
		{"breaks too often", "/a.efi", set("ETag", `"v1"`, breaks(6, content)), "", "broke off", 0},
		{"changes meanwhile", "/a.efi", func() http.HandlerFunc {
			var n atomic.Int32
			inner := breaks(1, content)
			return func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("ETag", `"`+strings.Repeat("v", int(n.Add(1)))+`"`)
				inner(w, r)
			}
		}(), "", "412", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			srv := httptest.NewServer(tt.handler)
			t.Cleanup(srv.Close)
			got, err := httpBoot().Fetch(t.Context(), srv.Client().Transport.(*http.Transport), srv.URL+tt.path, time.Millisecond)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.kind, got.Kind)
			assert.Equal(t, tt.resumed, got.Resumed)
			assert.True(t, bytes.Equal(image, got.Data), "content differs")
		})
	}
}

// breaks cuts the connection in the middle of the first n bodies.
func breaks(n int32, next http.HandlerFunc) http.HandlerFunc {
	var gets atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && gets.Add(1) <= n {
			w = &cutWriter{ResponseWriter: w, left: 40_000}
		}
		next(w, r)
	}
}

// cutWriter aborts the response after some bytes.
type cutWriter struct {
	http.ResponseWriter

	left int
}

func (w *cutWriter) Write(b []byte) (int, error) {
	if len(b) > w.left {
		_, _ = w.ResponseWriter.Write(b[:w.left])
		w.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	w.left -= len(b)
	return w.ResponseWriter.Write(b)
}

// TestHTTPBootRequests compares requests with captured ones.
func TestHTTPBootRequests(t *testing.T) {
	t.Parallel()

	var got []http.Header
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header)
	}))
	t.Cleanup(srv.Close)
	_, err := httpBoot().Fetch(t.Context(), srv.Client().Transport.(*http.Transport), srv.URL+"/ipxe.efi", time.Millisecond)
	require.NoError(t, err)
	require.Len(t, got, 2)
	for i, name := range []string{"edk2-http-head", "edk2-http-get"} {
		want, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(readHex(t, name))))
		require.NoError(t, err)
		assert.Equal(t, want.Header, got[i], name)
	}
}
