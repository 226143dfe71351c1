package ipxe_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/pxemodel"
	"github.com/netbootkit/netbootkit/ipxe"
)

// httpPrograms are boot programs as UEFI's HTTP boot takes them.
func httpPrograms() fstest.MapFS {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return fstest.MapFS{
		"ipxe.efi":     {Data: bytes.Repeat([]byte("efi program "), 50_000), ModTime: at},
		"x64/snp.efi":  {Data: bytes.Repeat([]byte("second one"), 50_000), ModTime: at},
		"live.iso":     {Data: bytes.Repeat([]byte("iso image "), 80_000), ModTime: at},
		"disk.img":     {Data: bytes.Repeat([]byte("disk image "), 80_000), ModTime: at},
		"empty.efi":    {ModTime: at},
		"firmware.bin": {Data: []byte("not for HTTP boot"), ModTime: at},
	}
}

// TestHandlerHTTPBoot downloads each program as EDK2's HTTP boot driver does,
// and again over connections that break, which it resumes.
func TestHandlerHTTPBoot(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, kind string
	}{
		{"ipxe.efi", "efi"}, {"x64/snp.efi", "efi"}, {"live.iso", "iso"}, {"disk.img", "img"}, {"empty.efi", "efi"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			for _, cuts := range []int32{0, 3} {
				srv := httptest.NewServer(cut(cuts, bootHandler(t)))
				t.Cleanup(srv.Close)
				got, err := new(pxemodel.HTTPBoot).Fetch(t.Context(), srv.Client().Transport.(*http.Transport),
					srv.URL+"/_/boot/52:54:00:12:34:56/"+tt.name, time.Millisecond)
				require.NoError(t, err)
				assert.Equal(t, tt.kind, got.Kind)
				assert.True(t, bytes.Equal(httpPrograms()[tt.name].Data, got.Data), "content differs")
				if len(got.Data) > 0 {
					assert.Equal(t, int(cuts), got.Resumed)
				}
			}
		})
	}
}

// TestHandlerHTTPBootResumesElsewhere breaks the first connection and lets a
// second server with the same files, from another folder, finish the download.
func TestHandlerHTTPBootResumesElsewhere(t *testing.T) {
	t.Parallel()

	data := bytes.Repeat([]byte("efi program "), 50_000)
	var handlers []http.Handler
	for range 2 {
		dir := t.TempDir()
		file := filepath.Join(dir, "ipxe.efi")
		require.NoError(t, os.WriteFile(file, data, 0o600))
		at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		require.NoError(t, os.Chtimes(file, at, at))
		h, err := ipxe.NewHandler(ipxe.Static(&ipxe.Spec{Kernel: "k"}, fstest.MapFS{}), ipxe.WithPrograms(os.DirFS(dir)))
		require.NoError(t, err)
		handlers = append(handlers, h)
	}
	first := cut(1, handlers[0])
	var once sync.Once
	served := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != "" {
			once.Do(func() { served++ })
			handlers[1].ServeHTTP(w, r)
			return
		}
		first.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	got, err := new(pxemodel.HTTPBoot).Fetch(t.Context(), srv.Client().Transport.(*http.Transport),
		srv.URL+"/_/boot/52:54:00:12:34:56/ipxe.efi", time.Millisecond)
	require.NoError(t, err)
	assert.Equal(t, 1, got.Resumed)
	assert.Equal(t, 1, served)
	assert.True(t, bytes.Equal(data, got.Data), "content differs")
}

// TestHandlerHTTPBootRefuses: what is missing, or of no known type, ends the
// boot at once instead of looking like a program.
func TestHandlerHTTPBootRefuses(t *testing.T) {
	t.Parallel()

	srv := httptest.NewServer(bootHandler(t))
	t.Cleanup(srv.Close)
	for name, want := range map[string]string{"gone.efi": "404", "firmware.bin": "is not known", "../../_/ipxe": "404"} {
		_, err := new(pxemodel.HTTPBoot).Fetch(t.Context(), srv.Client().Transport.(*http.Transport),
			srv.URL+"/_/boot/52:54:00:12:34:56/"+name, time.Millisecond)
		assert.ErrorContains(t, err, want, name)
	}
}

func bootHandler(t *testing.T) http.Handler {
	t.Helper()
	h, err := ipxe.NewHandler(ipxe.Static(&ipxe.Spec{Kernel: "k"}, fstest.MapFS{}), ipxe.WithPrograms(httpPrograms()))
	require.NoError(t, err)
	return h
}

// cut breaks the connection in the middle of the first n bodies.
func cut(n int32, next http.Handler) http.Handler {
	var gets atomic.Int32
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && gets.Add(1) <= n {
			w = &cutWriter{ResponseWriter: w, left: 100_000}
		}
		next.ServeHTTP(w, r)
	})
}

// A cutWriter ends the connection after some bytes.
type cutWriter struct {
	http.ResponseWriter

	left int
}

func (w *cutWriter) Write(b []byte) (int, error) {
	if len(b) <= w.left {
		w.left -= len(b)
		return w.ResponseWriter.Write(b)
	}
	n, _ := w.ResponseWriter.Write(b[:w.left])
	w.ResponseWriter.(http.Flusher).Flush()
	w.left = 0
	conn, _, err := w.ResponseWriter.(http.Hijacker).Hijack()
	if err == nil {
		err = conn.Close()
	}
	if err == nil {
		err = http.ErrAbortHandler
	}
	return n, err
}

// Unwrap lets the handler set deadlines.
func (w *cutWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
