package ipxe_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/ipxe"
)

// upstream runs an API server, and counts the requests for each path.
type upstream struct {
	*httptest.Server
	mu     sync.Mutex
	counts map[string]int
}

func newUpstream(t *testing.T, h http.HandlerFunc) *upstream {
	t.Helper()
	u := &upstream{counts: make(map[string]int)}
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.counts[r.URL.Path]++
		u.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(u.Close)
	return u
}

func (u *upstream) count(path string) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.counts[path]
}

// answers returns a handler that gives every machine the answer json.
func answers(json string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, json) }
}

func newAPI(t *testing.T, prefix string, opts ...ipxe.APIOption) *ipxe.API {
	t.Helper()
	api, err := ipxe.NewAPI(prefix, append([]ipxe.APIOption{ipxe.WithAPIDir(t.TempDir())}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, api.Close()) })
	return api
}

func TestAPIBootSpec(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name   string
		answer string
		want   *ipxe.Spec
		err    string
	}{
		{"kernel", `{"kernel": "http://a.example/k"}`, &ipxe.Spec{Kernel: "api:http://a.example/k"}, ""},
		{"relative", `{"kernel": "k", "initrd": ["/i", "../j", "//b.example/x"]}`, &ipxe.Spec{
			Kernel: "api:{prefix}/pre/k", Initrd: []string{"api:{prefix}/i", "api:{prefix}/j", "api:http://b.example/x"},
		}, ""},
		{"cmdline", `{"kernel": "k", "cmdline": "quiet root={{ URL \"r s\" }}"}`, &ipxe.Spec{
			Kernel: "api:{prefix}/pre/k", Cmdline: `quiet root={{ ID "api:{prefix}/pre/r%20s" }}`,
		}, ""},
		{"object", `{"kernel": "k", "cmdline": {"z": true, "b": false, "a": "x y", "u": {"url": "f"}}}`, &ipxe.Spec{
			Kernel: "api:{prefix}/pre/k", Cmdline: `a="x y" b u={{ ID "api:{prefix}/pre/f" }} z`,
		}, ""},
		{"null", `{"kernel": "k", "cmdline": null, "initrd": null}`, &ipxe.Spec{Kernel: "api:{prefix}/pre/k"}, ""},
		{"message", `{"kernel": "k", "message": "hi"}`, &ipxe.Spec{Kernel: "api:{prefix}/pre/k", Message: "hi"}, ""},
		{"odd message", `{"kernel": "k", "message": "a\nb"}`, &ipxe.Spec{Kernel: "api:{prefix}/pre/k"}, ""},
		{"script", `{"ipxe-script": "#!ipxe\nshell", "kernel": "file:///k"}`, &ipxe.Spec{Script: "#!ipxe\nshell"}, ""},
		{"unknown members", `{"kernel": "k", "forced-version": 3}`, &ipxe.Spec{Kernel: "api:{prefix}/pre/k"}, ""},

		{"no kernel", `{}`, nil, "answer has no kernel"},
		{"no JSON", `hello`, nil, "answer: invalid character"},
		{"list", `{"kernel": "k", "cmdline": ["a"]}`, nil, "command line is neither a string nor an object"},
		{"number", `{"kernel": "k", "cmdline": {"a": 1}}`, nil, `command line argument "a" is neither`},
		{"null argument", `{"kernel": "k", "cmdline": {"a": null}}`, nil, `command line argument "a" is neither`},
		{"empty object", `{"kernel": "k", "cmdline": {"a": {}}}`, nil, `command line argument "a" is neither`},
		{"other function", `{"kernel": "k", "cmdline": "{{ ID \"x\" }}"}`, nil, "an API server writes URL"},
		{"template", `{"kernel": "k", "cmdline": "{{ range 99 }}x{{ end }}"}`, nil, "want {{ ID"},
		{"file", `{"kernel": "file:///etc/passwd"}`, nil, "file addresses are not allowed"},
		{"file initrd", `{"kernel": "k", "initrd": ["file:///etc/passwd"]}`, nil, "file addresses are not allowed"},
		{"file in cmdline", `{"kernel": "k", "cmdline": "{{ URL \"file:///etc/passwd\" }}"}`, nil, "file addresses are not allowed"},
		{"gopher", `{"kernel": "gopher://a/b"}`, nil, "scheme not supported"},
		{"bad address", `{"kernel": "http://a b/"}`, nil, "address"},
		{"large", `{"kernel": "` + strings.Repeat("k", 1<<20) + `"}`, nil, "answer is longer than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			u := newUpstream(t, answers(tt.answer))
			spec, err := newAPI(t, u.URL+"/pre/").BootSpec(t.Context(), &ipxe.Machine{MAC: mac(t)})
			assert.Equal(t, 1, u.count("/pre/v1/boot/"+testMAC))
			if tt.err != "" {
				var failed *ipxe.Error
				require.ErrorAs(t, err, &failed)
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			put := func(s string) string { return strings.ReplaceAll(s, "{prefix}", u.URL) }
			tt.want.Kernel, tt.want.Cmdline = put(tt.want.Kernel), put(tt.want.Cmdline)
			for i := range tt.want.Initrd {
				tt.want.Initrd[i] = put(tt.want.Initrd[i])
			}
			assert.Equal(t, tt.want, spec)
		})
	}
}

func TestAPIBootSpecWhenRefused(t *testing.T) {
	t.Parallel()

	for _, status := range []int{201, 204, 400, 401, 404, 500, 503} {
		u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })
		spec, err := newAPI(t, u.URL).BootSpec(t.Context(), &ipxe.Machine{MAC: mac(t)})
		require.NoError(t, err)
		assert.Nil(t, spec, status)
	}
}

func TestAPIBootSpecWhenAway(t *testing.T) {
	t.Parallel()

	u := newUpstream(t, answers("{}"))
	u.Close()
	_, err := newAPI(t, u.URL).BootSpec(t.Context(), &ipxe.Machine{MAC: mac(t)})
	require.Error(t, err)

	slow := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	_, err = newAPI(t, slow.URL, ipxe.WithAPITimeout(50*time.Millisecond)).BootSpec(t.Context(), &ipxe.Machine{MAC: mac(t)})
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestAPICache(t *testing.T) {
	t.Parallel()

	u := newUpstream(t, answers(`{"kernel": "k"}`))
	path := "/v1/boot/" + testMAC
	ask := func(api *ipxe.API) {
		_, err := api.BootSpec(t.Context(), &ipxe.Machine{MAC: mac(t)})
		require.NoError(t, err)
	}
	api := newAPI(t, u.URL)
	for range 5 {
		ask(api)
	}
	assert.Equal(t, 1, u.count(path))
	api = newAPI(t, u.URL, ipxe.WithAPICache(0))
	ask(api)
	ask(api)
	assert.Equal(t, 3, u.count(path))
	api = newAPI(t, u.URL, ipxe.WithAPICache(time.Nanosecond))
	ask(api)
	ask(api)
	assert.Equal(t, 5, u.count(path))
}

func TestAPIOnceForAllWhoWait(t *testing.T) {
	t.Parallel()

	content := make([]byte, 8<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(content)
	release := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/k" {
			io.WriteString(w, `{"kernel": "k"}`)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		w.Write(content[:1<<20])
		http.NewResponseController(w).Flush()
		<-release
		w.Write(content[1<<20:])
	})
	srv := newServer(t, newAPI(t, u.URL))
	link := links(t, srv.URL)[0]
	var wg sync.WaitGroup
	var early atomic.Int32
	var tags sync.Map
	for range 10 {
		wg.Go(func() {
			resp, err := http.Get(link)
			if !assert.NoError(t, err) {
				return
			}
			defer resp.Body.Close()
			first := make([]byte, 1<<19)
			_, err = io.ReadFull(resp.Body, first)
			assert.NoError(t, err)
			if early.Add(1) == 10 {
				close(release) // All have the start before the server has the end.
			}
			rest, err := io.ReadAll(resp.Body)
			assert.NoError(t, err)
			assert.True(t, bytes.Equal(content, append(first, rest...)))
			tags.Store(resp.Header.Get("ETag"), true)
		})
	}
	wg.Wait()
	assert.Equal(t, 1, u.count("/k"))

	resp, body := fetch(t, http.MethodGet, link, "Range", "bytes=-10")
	assert.Equal(t, http.StatusPartialContent, resp.StatusCode)
	assert.Equal(t, string(content[len(content)-10:]), body)
	assert.Equal(t, 1, u.count("/k"), "it is kept")
	tags.Store(resp.Header.Get("ETag"), true)
	n := 0
	tags.Range(func(any, any) bool { n++; return true })
	assert.Equal(t, 1, n, "the tag is the same while the file arrives and after")
}

func TestAPIOpenBootFile(t *testing.T) {
	t.Parallel()

	const modified = "Fri, 02 Jan 2026 03:04:05 GMT"
	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/tagged":
			w.Header().Set("ETag", `"v1"`)
		case "/weak":
			w.Header().Set("ETag", `W/"v1"`)
			w.Header().Set("Last-Modified", modified)
		case "/chunked":
			http.NewResponseController(w).Flush()
		case "/plain":
		case "/gzip":
			assert.Equal(t, "identity", r.Header.Get("Accept-Encoding"))
		case "/busy":
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case "/short":
			w.Header().Set("Content-Length", "100")
		case "/broken":
			w.WriteHeader(http.StatusBadGateway)
			return
		case "/large":
			w.Header().Set("Content-Length", "1001")
			io.WriteString(w, strings.Repeat("x", 1001))
			return
		case "/large-chunked":
			http.NewResponseController(w).Flush()
			io.WriteString(w, strings.Repeat("x", 1001))
			return
		default:
			w.WriteHeader(http.StatusNotFound)
			return
		}
		io.WriteString(w, "content")
	})
	read := func(api *ipxe.API, path string) (string, string, error) {
		f, err := api.OpenBootFile(t.Context(), "api:"+u.URL+path)
		if err != nil {
			return "", "", err
		}
		defer f.(io.Closer).Close()
		body, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
		return string(body), f.(interface{ ETag() string }).ETag(), err
	}
	one, two := newAPI(t, u.URL, ipxe.WithAPILimits(1000, 1000)), newAPI(t, u.URL, ipxe.WithAPILimits(1000, 1000))
	for _, path := range []string{"/tagged", "/weak", "/chunked", "/gzip"} {
		body, tag, err := read(one, path)
		require.NoError(t, err, path)
		assert.Equal(t, "content", body, path)
		_, other, err := read(two, path)
		require.NoError(t, err, path)
		if path != "/gzip" { // Its tag is that of the content, once all is there.
			assert.Regexp(t, `^"[0-9a-f]+"$`, tag, path)
			assert.Equal(t, tag, other, path)
		}
	}
	_, _, err := read(one, "/gone")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, _, err = read(one, "/busy")
	var wait *ipxe.NotReadyError
	require.ErrorAs(t, err, &wait)
	assert.Equal(t, 7*time.Second, wait.RetryAfter)
	_, _, err = read(one, "/short")
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, _, err = read(one, "/broken")
	require.ErrorContains(t, err, "server answered 502")
	_, _, err = read(one, "/large")
	require.ErrorContains(t, err, "1001 bytes, more than 1000")
	_, _, err = read(one, "/large-chunked")
	require.ErrorContains(t, err, "larger than 1000 bytes")
	for _, name := range []string{"vmlinuz", "http://a/b", "", "api:file:///etc/passwd"} {
		_, err = one.OpenBootFile(t.Context(), name)
		require.Error(t, err, name)
	}
}

func TestAPIStalledUpstream(t *testing.T) {
	t.Parallel()

	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "start")
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	api := newAPI(t, u.URL, ipxe.WithAPIIdleTimeout(100*time.Millisecond))
	f, err := api.OpenBootFile(t.Context(), "api:"+u.URL+"/k")
	require.NoError(t, err)
	defer f.(io.Closer).Close()
	_, err = f.ReadAt(make([]byte, 100), 0)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAPIReaderGone(t *testing.T) {
	t.Parallel()

	done := make(chan struct{})
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		http.NewResponseController(w).Flush()
		<-done
	})
	defer close(done)
	ctx, cancel := context.WithCancel(t.Context())
	f, err := newAPI(t, u.URL).OpenBootFile(ctx, "api:"+u.URL+"/k")
	require.NoError(t, err)
	defer f.(io.Closer).Close()
	cancel()
	_, err = f.ReadAt(make([]byte, 1), 0)
	require.ErrorIs(t, err, context.Canceled)
}

func TestAPIMakesRoom(t *testing.T) {
	t.Parallel()

	u := newUpstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", strconv.Quote(r.URL.Path))
		w.Header().Set("Content-Length", "600")
		io.WriteString(w, strings.Repeat("x", 600))
	})
	dir := t.TempDir()
	api := newAPI(t, u.URL, ipxe.WithAPILimits(600, 1000), ipxe.WithAPIDir(dir))
	open := func(path string) (ipxe.File, error) {
		f, err := api.OpenBootFile(t.Context(), "api:"+u.URL+path)
		if err == nil {
			_, err = f.ReadAt(make([]byte, 600), 0)
			require.Condition(t, func() bool { return err == nil || errors.Is(err, io.EOF) })
		}
		return f, err
	}
	f, err := open("/a")
	require.NoError(t, err)
	_, err = open("/b")
	require.ErrorIs(t, err, ipxe.ErrNotReady, "a file that is read takes its room")
	f.(io.Closer).Close()
	require.Eventually(t, func() bool {
		f, err = open("/b")
		return err == nil
	}, 5*time.Second, 10*time.Millisecond)
	f.(io.Closer).Close()
	files, err := fs.Glob(os.DirFS(dir), "*/file-*")
	require.NoError(t, err)
	assert.Len(t, files, 1)
	require.NoError(t, api.Close())
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, left, "Close leaves nothing")
}

func TestAPIFiles(t *testing.T) {
	t.Parallel()

	u := newUpstream(t, answers(`{"kernel": "file:///boot/k", "cmdline": "c={{ URL \"file:///boot/c\" }}"}`))
	api := newAPI(t, u.URL, ipxe.WithAPIFiles(fstest.MapFS{"boot/k": {Data: []byte("k")}, "boot/c": {Data: []byte("c")}}))
	srv := newServer(t, api)
	all := links(t, srv.URL)
	_, body, _ := get(t, all[0])
	assert.Equal(t, "k", body)
	_, body, _ = get(t, all[2])
	assert.Equal(t, "c", body)
}

func TestNewAPIRefuses(t *testing.T) {
	t.Parallel()

	for _, prefix := range []string{"", "boot.example", "ftp://a", "http://", "http://a b"} {
		_, err := ipxe.NewAPI(prefix)
		require.ErrorContains(t, err, "API address", prefix)
	}
	for _, opt := range []ipxe.APIOption{
		ipxe.WithAPITimeout(0), ipxe.WithAPICache(-1), ipxe.WithAPILimits(0, 1), ipxe.WithAPILimits(2, 1), ipxe.WithAPIIdleTimeout(0),
	} {
		_, err := ipxe.NewAPI("http://a", opt)
		require.Error(t, err)
	}
	_, err := ipxe.NewAPI("http://a", ipxe.WithAPIDir("/does/not/exist"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// FuzzAPI checks that no answer makes a script do anything but boot, and that
// no command line is expanded to more than links.
func FuzzAPI(f *testing.F) {
	f.Add(`{"kernel": "k", "initrd": ["i"], "cmdline": "a={{ URL \"x\" }} b", "message": "m"}`)
	f.Add(`{"kernel": "k", "cmdline": {"a": true, "b": "c", "d": {"url": "e"}}}`)
	f.Add(`{"kernel": "k", "cmdline": {"a\nshell": true, "b": "${x}", "&& shell ||": false}}`)
	f.Add(`{"kernel": "k", "cmdline": "{{ URL \"}}{{\" }} {{ URL ` + "`x`" + ` }}"}`)
	f.Add(`{"ipxe-script": "x"}`)
	var answer atomic.Value
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, answer.Load().(string)) }))
	f.Cleanup(up.Close)
	api, err := ipxe.NewAPI(up.URL, ipxe.WithAPICache(0), ipxe.WithAPIDir(f.TempDir()))
	require.NoError(f, err)
	f.Cleanup(func() { api.Close() })
	h, err := ipxe.NewHandler(api, ipxe.WithBaseURL("http://192.0.2.1"))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, text string) {
		answer.Store(text)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_/ipxe?mac="+testMAC, nil))
		if w.Code != http.StatusOK || strings.Contains(text, "ipxe-script") || strings.Contains(text, `\u`) || strings.Contains(strings.ToLower(text), "script") {
			return
		}
		in := interpreter{bootable: true}
		trace, err := in.run(w.Body.String())
		require.NoError(t, err)
		for i, step := range trace {
			word, _, _ := strings.Cut(step, " ")
			switch {
			case word == "echo" && i == 0, word == "kernel", word == "initrd", word == "imgfetch", word == "boot" && i == len(trace)-1:
			default:
				t.Fatalf("%q in %q", step, w.Body)
			}
		}
	})
}
