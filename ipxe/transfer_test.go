package ipxe_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/ipxe"
)

// fetch sends one request with the given headers, as pairs.
func fetch(t *testing.T, method, url string, headers ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func TestTransferConditions(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.Static(testSpec(), tree()))
	link := links(t, srv.URL)[0] // "the kernel", 10 bytes
	const tag = `"a-1886caf21c963206"`
	const modified = "Fri, 02 Jan 2026 03:04:05 GMT"
	const later, earlier = "Sat, 03 Jan 2026 00:00:00 GMT", "Thu, 01 Jan 2026 00:00:00 GMT"
	tests := []struct {
		name    string
		method  string
		headers []string
		status  int
		length  string
		body    string
	}{
		{"all", "GET", nil, 200, "10", "the kernel"},
		{"head", "HEAD", nil, 200, "10", ""},
		{"range", "GET", []string{"Range", "bytes=4-6"}, 206, "3", "ker"},
		{"open range", "GET", []string{"Range", "bytes=4-"}, 206, "6", "kernel"},
		{"suffix", "GET", []string{"Range", "bytes=-3"}, 206, "3", "nel"},
		{"range beyond", "GET", []string{"Range", "bytes=10-"}, 416, "", "invalid range: failed to overlap\n"},
		{"head of range", "HEAD", []string{"Range", "bytes=4-6"}, 206, "3", ""},
		{"if-match", "GET", []string{"If-Match", tag, "Range", "bytes=4-"}, 206, "6", "kernel"},
		{"if-match other", "GET", []string{"If-Match", `"x"`, "Range", "bytes=4-"}, 412, "", ""},
		{"if-none-match", "GET", []string{"If-None-Match", tag}, 304, "", ""},
		{"if-none-match other", "GET", []string{"If-None-Match", `"x"`}, 200, "10", "the kernel"},
		{"if-range tag", "GET", []string{"If-Range", tag, "Range", "bytes=4-"}, 206, "6", "kernel"},
		{"if-range other tag", "GET", []string{"If-Range", `"x"`, "Range", "bytes=4-"}, 200, "10", "the kernel"},
		{"if-range date", "GET", []string{"If-Range", modified, "Range", "bytes=4-"}, 206, "6", "kernel"},
		{"if-range other date", "GET", []string{"If-Range", later, "Range", "bytes=4-"}, 200, "10", "the kernel"},
		{"if-modified-since", "GET", []string{"If-Modified-Since", modified}, 304, "", ""},
		{"if-unmodified-since", "GET", []string{"If-Unmodified-Since", modified, "Range", "bytes=4-"}, 206, "6", "kernel"},
		{"if-unmodified-since earlier", "GET", []string{"If-Unmodified-Since", earlier}, 412, "", ""},
		{"compression", "GET", []string{"Accept-Encoding", "gzip, br"}, 200, "10", "the kernel"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			resp, body := fetch(t, tt.method, link, tt.headers...)
			assert.Equal(t, tt.status, resp.StatusCode)
			assert.Equal(t, tt.body, body)
			assert.Empty(t, resp.TransferEncoding)
			assert.Empty(t, resp.Header.Get("Content-Encoding"))
			if tt.length == "" {
				return
			}
			assert.Equal(t, tt.length, resp.Header.Get("Content-Length"))
			assert.Equal(t, tag, resp.Header.Get("ETag"))
			assert.Equal(t, modified, resp.Header.Get("Last-Modified"))
			assert.Equal(t, "bytes", resp.Header.Get("Accept-Ranges"))
			assert.Equal(t, "application/octet-stream", resp.Header.Get("Content-Type"))
		})
	}
}

func TestTransferManyRanges(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.Static(testSpec(), tree()))
	resp, body := fetch(t, http.MethodGet, links(t, srv.URL)[0], "Range", "bytes=0-2,4-6")
	assert.Equal(t, http.StatusPartialContent, resp.StatusCode)
	assert.Contains(t, resp.Header.Get("Content-Type"), "multipart/byteranges")
	assert.Contains(t, body, "\r\nthe\r\n")
	assert.Contains(t, body, "\r\nker\r\n")
}

func serving(f func() (ipxe.File, error)) *booter {
	return &booter{
		spec: func(context.Context, *ipxe.Machine) (*ipxe.Spec, error) { return &ipxe.Spec{Kernel: "k"}, nil },
		open: func(context.Context, string) (ipxe.File, error) { return f() },
	}
}

func TestTransferETagOfContent(t *testing.T) {
	t.Parallel()

	tag := func(content string) string {
		srv := newServer(t, serving(func() (ipxe.File, error) { return bytes.NewReader([]byte(content)), nil }))
		resp, body := fetch(t, http.MethodGet, links(t, srv.URL)[0])
		assert.Equal(t, content, body)
		return resp.Header.Get("ETag")
	}
	assert.Equal(t, tag("one"), tag("one"))
	assert.NotEqual(t, tag("one"), tag("two"))
}

func TestTransferLargeFileWithoutTag(t *testing.T) {
	t.Parallel()

	srv := newServer(t, serving(func() (ipxe.File, error) { return bytes.NewReader(make([]byte, 16<<20+1)), nil }))
	resp, body := fetch(t, http.MethodGet, links(t, srv.URL)[0])
	assert.Empty(t, resp.Header.Get("ETag"))
	assert.Len(t, body, 16<<20+1)
}

// brokenFile fails in its middle, or panics there.
type brokenFile struct {
	err error
}

func (f brokenFile) Size() int64 { return 4 << 20 }

func (f brokenFile) ModTime() time.Time { return time.Unix(1, 0) }

func (f brokenFile) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > 2<<20 {
		if f.err == nil {
			panic("broken")
		}
		return 0, f.err
	}
	return len(p), nil
}

func TestTransferBrokenFile(t *testing.T) {
	t.Parallel()

	for _, broken := range []brokenFile{{}, {err: io.ErrUnexpectedEOF}} {
		srv := newServer(t, serving(func() (ipxe.File, error) { return broken, nil }))
		resp, err := http.Get(links(t, srv.URL)[0])
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		require.Error(t, err, "a short file must not look whole")
		assert.Less(t, n, int64(4<<20))
	}
}

// onDisk returns a booter of a file of size bytes, and where it lies.
func onDisk(t *testing.T, size int64) (ipxe.Booter, string) {
	t.Helper()
	dir := t.TempDir()
	name := filepath.Join(dir, "large")
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	require.NoError(t, os.Truncate(name, size))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	t.Cleanup(func() { root.Close() })
	return ipxe.Static(&ipxe.Spec{Kernel: "large"}, root.FS()), name
}

// dial sends a request for link, and returns the connection with a
// receive buffer of that many bytes.
func dial(t *testing.T, link string, buffer int) net.Conn {
	t.Helper()
	host, path, _ := strings.Cut(strings.TrimPrefix(link, "http://"), "/")
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", host)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.(*net.TCPConn).SetReadBuffer(buffer))
	_, err = io.WriteString(conn, "GET /"+path+" HTTP/1.0\r\n\r\n")
	require.NoError(t, err)
	return conn
}

func TestTransferStalledClient(t *testing.T) {
	t.Parallel()

	b, _ := onDisk(t, 256<<20)
	events := make(chan ipxe.Event, 2)
	srv := newServer(t, b, ipxe.WithIdleTimeout(time.Second), ipxe.WithEventFunc(func(e ipxe.Event) { events <- e }))
	link := links(t, srv.URL)[0]
	<-events
	dial(t, link, 4096) // And never read.
	select {
	case e := <-events:
		require.ErrorIs(t, e.Err, os.ErrDeadlineExceeded)
		assert.GreaterOrEqual(t, e.Duration, time.Second)
	case <-time.After(30 * time.Second):
		t.Fatal("the client was not cut off")
	}
}

func TestTransferSlowClient(t *testing.T) {
	t.Parallel()

	const size = 16 << 20
	b, name := onDisk(t, size)
	want := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(want) // Never fails.
	require.NoError(t, os.WriteFile(name, want, 0o600))
	events := make(chan ipxe.Event, 2)
	srv := newServer(t, b, ipxe.WithIdleTimeout(time.Second), ipxe.WithEventFunc(func(e ipxe.Event) { events <- e }))
	link := links(t, srv.URL)[0]
	<-events
	resp, err := http.ReadResponse(bufio.NewReader(&slowReader{conn: dial(t, link, 256<<10), left: 40}), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got))
	e := <-events
	require.NoError(t, e.Err)
	assert.Greater(t, e.Duration, 2*time.Second, "a chunk took longer than the idle timeout")
}

// slowReader reads a little at a time at first, with pauses.
type slowReader struct {
	conn net.Conn
	left int
}

func (r *slowReader) Read(p []byte) (int, error) {
	if r.left > 0 {
		r.left--
		time.Sleep(80 * time.Millisecond) // The kernel's buffers know no other time.
		p = p[:min(len(p), 32<<10)]
	}
	return r.conn.Read(p)
}

func TestTransferKeepsConnection(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.Static(testSpec(), tree()), ipxe.WithIdleTimeout(time.Second))
	link := links(t, srv.URL)[0]
	local := make(map[string]bool)
	for range 3 {
		client := &http.Client{Transport: http.DefaultTransport}
		resp, err := client.Get(link)
		require.NoError(t, err)
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		local[resp.Request.RemoteAddr] = true
		time.Sleep(1100 * time.Millisecond) // A deadline that stayed would end the connection.
	}
	assert.Len(t, local, 1)
}
