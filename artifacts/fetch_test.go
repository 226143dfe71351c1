package artifacts_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
)

// whole answers with all of body, whatever the range.
func whole(body []byte) fault {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		_, _ = w.Write(body)
		return true
	}
}

func TestStoreGetResumes(t *testing.T) {
	t.Parallel()

	body := bytes.Repeat([]byte("0123456789abcdef"), 1000)
	changed := bytes.ToUpper(body)
	tests := map[string]struct {
		faults []fault
		ranges []string // of the requests for the file
	}{
		"where it broke":                    {[]fault{cut(body, 4000)}, []string{"", "bytes=4000-"}},
		"twice":                             {[]fault{cut(body, 4000), cut(body, 1)}, []string{"", "bytes=4000-", "bytes=4001-"}},
		"after errors of the server":        {[]fault{cut(body, 9), status(503), status(500)}, []string{"", "bytes=9-", "bytes=9-", "bytes=9-"}},
		"from the start, without ranges":    {[]fault{cut(body, 4000), whole(body)}, []string{"", "bytes=4000-"}},
		"from the start, of another":        {[]fault{cut(changed, 4000)}, []string{"", "bytes=4000-"}},
		"from the start, at a wrong offset": {[]fault{cut(body, 5), lie(body, "bytes 6-15999/16000")}, []string{"", "bytes=5-", ""}},
		"from the start, after nonsense":    {[]fault{cut(body, 5), lie(body, "bytes 5")}, []string{"", "bytes=5-", ""}},
		"from the start, past the end":      {[]fault{cut(body, 5), status(416)}, []string{"", "bytes=5-", ""}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web := newSite(t, map[string][]byte{"/kernel": body})
			dir := t.TempDir()
			var log bytes.Buffer
			s := openStore(t, dir, artifacts.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
			web.fail(test.faults...)
			var ranges []string
			client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				ranges = append(ranges, r.Header.Get("Range"))
				return web.Client().Transport.RoundTrip(r)
			})}

			f, err := s.Fetch(t.Context(), artifacts.HTTP(client), artifacts.Info{
				Name: web.URL + "/kernel", Size: -1, Digest: digestOf(body),
			})
			assert.Equal(t, string(body), content(t, f, err))
			assert.Equal(t, test.ranges, ranges)
			assert.Equal(t, []string{"blobs/sha256/" + digestOf(body).Hex()}, stored(t, dir))
		})
	}
}

type roundTripper func(r *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// lie answers a range with the wrong one.
func lie(body []byte, contentRange string) fault {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Range", contentRange)
		w.Header().Set("ETag", etagOf(body))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(body[:10])
		return true
	}
}

// TestStoreGetFails checks that each failure says what, from where, and
// expected against got, is worth further attempts or not, and leaves nothing
// behind.
func TestStoreGetFails(t *testing.T) {
	t.Parallel()

	body := []byte("ten bytes.")
	other := []byte("ten BYTES.")
	tests := map[string]struct {
		files  map[string][]byte
		faults []fault
		opts   []artifacts.Option
		is     error
		says   []string
		asked  int // requests for the file itself
	}{
		"not found": {
			files: map[string][]byte{}, is: fs.ErrNotExist, asked: 0,
			says: []string{`artifacts: get "URL/kernel" from http: HEAD URL/kernel: 404 Not Found`},
		},
		"wrong digest": {
			files: map[string][]byte{"/kernel": other, "/kernel.sha256": sums("kernel", body)}, asked: 1,
			says: []string{string(digestOf(body)), string(digestOf(other)), "URL/kernel.sha256", "want"},
		},
		"no digest": {
			files: map[string][]byte{"/kernel": body}, is: artifacts.ErrUnverified, asked: 0,
			says: []string{"no digest is known"},
		},
		"list without a digest": {
			files: map[string][]byte{"/kernel": body, "/kernel.sha256": []byte("<html>")}, asked: 0,
			says: []string{"URL/kernel.sha256: artifacts: checksums: no SHA-256"},
		},
		"truncated": {
			files:  map[string][]byte{"/kernel": body, "/kernel.sha256": sums("kernel", body)},
			faults: []fault{pass, cut(body, 0), cut(body, 0), cut(body, 0), cut(body, 0), cut(body, 0)}, asked: 5,
			is: io.ErrUnexpectedEOF, says: []string{"after 0 of 10 bytes"},
		},
		"too much": {
			files:  map[string][]byte{"/kernel": body, "/kernel.sha256": sums("kernel", body)},
			faults: []fault{pass, endless}, asked: 1,
			says: []string{"URL/kernel: size is ", " bytes, want 10"},
		},
		"too large": {
			files: map[string][]byte{"/kernel": body, "/kernel.sha256": sums("kernel", body)},
			opts:  []artifacts.Option{artifacts.WithMaxSize(9)}, asked: 0,
			says: []string{"10 bytes or more, at most 9 are allowed"},
		},
		"forbidden": {
			files:  map[string][]byte{"/kernel": body, "/kernel.sha256": sums("kernel", body)},
			faults: []fault{pass, status(403)}, asked: 1,
			is: fs.ErrPermission, says: []string{"GET URL/kernel: 403 Forbidden", "told to fail"},
		},
		"broken server": {
			files:  map[string][]byte{"/kernel": body, "/kernel.sha256": sums("kernel", body)},
			faults: []fault{pass, status(500), status(502), status(503), status(504), status(429)}, asked: 5,
			says: []string{"429 Too Many Requests"},
		},
		"asked to wait too long": {
			files:  map[string][]byte{"/kernel": body, "/kernel.sha256": sums("kernel", body)},
			faults: []fault{pass, status(429, "Retry-After", "3600")}, asked: 1,
			says: []string{"retry after 1h0m0s"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			web := newSite(t, test.files)
			dir := t.TempDir()
			s := openStore(t, dir, test.opts...)
			web.fail(test.faults...)

			_, err := s.Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/kernel")
			require.Error(t, err)
			if test.is != nil {
				require.ErrorIs(t, err, test.is)
			}
			for _, want := range test.says {
				assert.Contains(t, strings.ReplaceAll(err.Error(), web.URL, "URL"), want)
			}
			asked := 0
			for _, r := range web.requests() {
				if r == "GET /kernel" {
					asked++
				}
			}
			assert.Equal(t, test.asked, asked, "attempts")
			assert.Empty(t, stored(t, dir))
		})
	}
}

// pass leaves the request, for the list of checksums, to the server.
func pass(http.ResponseWriter, *http.Request) bool { return false }

// endless sends more and more.
func endless(w http.ResponseWriter, r *http.Request) bool {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 256<<10)); err != nil {
			break
		}
	}
	return true
}

func TestStoreGetWithUnverified(t *testing.T) {
	t.Parallel()

	web := newSite(t, map[string][]byte{"/kernel": []byte("a kernel")})
	dir := t.TempDir()
	src, name := artifacts.HTTP(web.Client()), web.URL+"/kernel"
	f, err := openStore(t, dir, artifacts.WithUnverified()).Get(t.Context(), src, name)
	assert.Equal(t, "a kernel", content(t, f, err))

	_, err = openStore(t, dir).Get(t.Context(), src, name)
	require.ErrorIs(t, err, artifacts.ErrUnverified, "a stricter store does not take what was not verified")
	f, err = openStore(t, dir, artifacts.WithUnverified()).Get(t.Context(), src, name)
	assert.Equal(t, "a kernel", content(t, f, err))

	web.set("/kernel", []byte("another"))
	f, err = openStore(t, dir, artifacts.WithUnverified()).Get(t.Context(), src, name)
	assert.Equal(t, "another", content(t, f, err))
}

func TestStoreGetWithoutNetwork(t *testing.T) {
	t.Parallel()

	body := []byte("a kernel")
	web := newSite(t, map[string][]byte{"/kernel": body, "/kernel.sha256": sums("kernel", body)})
	dir := t.TempDir()
	src, name := artifacts.HTTP(web.Client()), web.URL+"/kernel?token=SECRET"
	f, err := openStore(t, dir).Get(t.Context(), src, name)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	web.Close()
	var log bytes.Buffer
	s := openStore(t, dir, artifacts.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	f, err = s.Get(t.Context(), src, name)
	assert.Equal(t, "a kernel", content(t, f, err))
	assert.Contains(t, log.String(), "level=WARN msg=\"source cannot be reached, using what it had when seen last\"")
	assert.Contains(t, log.String(), string(digestOf(body)))

	_, err = s.Get(t.Context(), src, web.URL+"/initrd?token=SECRET")
	require.Error(t, err, "what was never seen cannot be had")

	everything := log.String() + err.Error()
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			data, _ := os.ReadFile(filepath.Join(dir, p))
			everything += string(data)
		}
		return err
	}))
	assert.NotContains(t, everything, "SECRET", "neither errors nor the log nor the store hold what authorizes")
}

func TestStoreGetWhenGone(t *testing.T) {
	t.Parallel()

	body := []byte("a kernel")
	web := newSite(t, map[string][]byte{"/kernel": body, "/kernel.sha256": sums("kernel", body)})
	s := openStore(t, t.TempDir())
	src, name := artifacts.HTTP(web.Client()), web.URL+"/kernel"
	f, err := s.Get(t.Context(), src, name)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	web.mu.Lock()
	delete(web.files, "/kernel")
	web.mu.Unlock()
	_, err = s.Get(t.Context(), src, name)
	require.ErrorIs(t, err, fs.ErrNotExist, "a source that can be reached has the last word")
}

func TestStoreFetchAsksNothing(t *testing.T) {
	t.Parallel()

	body := []byte("a layer")
	web := newSite(t, map[string][]byte{"/layer": body})
	s := openStore(t, t.TempDir())
	info := artifacts.Info{Name: web.URL + "/layer", Size: 7, Digest: digestOf(body)}
	f, err := s.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
	assert.Equal(t, "a layer", content(t, f, err))
	assert.Equal(t, []string{"GET /layer"}, web.requests())

	f, err = s.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
	assert.Equal(t, "a layer", content(t, f, err))
	f, err = s.Lookup(info.Digest)
	assert.Equal(t, "a layer", content(t, f, err))
	assert.Empty(t, web.requests())

	info.Size = 8
	info.Digest = digestOf([]byte("8 bytes."))
	_, err = s.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
	var size *artifacts.SizeError
	require.ErrorAs(t, err, &size)
	assert.Equal(t, int64(8), size.Want)
	assert.Equal(t, int64(7), size.Got)
}

func TestStoreGetWithSHA512(t *testing.T) {
	t.Parallel()

	list := []byte("81381f1dacd4824a6c503fd07057763099c12b8309d0abcec4000c9060cbbfa67988b2ada669ab4837fcd3d4ea6e2b8db2b9da9197d5112fb369fd006da545de  word\n")
	body := []byte("The quick brown fox")
	web := newSite(t, map[string][]byte{"/word": body, "/SHA512SUMS": list})
	s := openStore(t, t.TempDir())
	_, err := s.Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/word")
	var digest *artifacts.DigestError
	require.ErrorAs(t, err, &digest)
	assert.Equal(t, artifacts.SHA512, digest.Got.Algorithm())

	web.set("/SHA512SUMS", fmt.Appendf(nil, "%s *word\n", digest.Got.Hex()))
	for range 2 {
		f, err := s.Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/word")
		assert.Equal(t, string(body), content(t, f, err))
	}
	f, err := s.Lookup(digest.Got)
	assert.Equal(t, string(body), content(t, f, err))
}

func TestStoreGetOnceForAll(t *testing.T) {
	t.Parallel()

	body := bytes.Repeat([]byte("x"), 1<<20)
	web := newSite(t, map[string][]byte{"/kernel": body, "/SHA256SUMS": sums("kernel", body)})
	dir := t.TempDir()
	stores := []*artifacts.Store{openStore(t, dir), openStore(t, dir)}
	var work sync.WaitGroup
	for i := range 20 {
		work.Go(func() {
			f, err := stores[i%2].Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/kernel")
			if assert.NoError(t, err) {
				assert.Equal(t, int64(1<<20), f.Size())
				assert.NoError(t, f.Close())
			}
		})
	}
	work.Wait()
	fetched := 0
	for _, r := range web.requests() {
		if r == "GET /kernel" {
			fetched++
		}
	}
	assert.Equal(t, 1, fetched)
}

func TestStoreGetWhenCancelled(t *testing.T) {
	t.Parallel()

	body := bytes.Repeat([]byte("x"), 1<<20)
	web := newSite(t, map[string][]byte{"/kernel": body})
	dir := t.TempDir()
	s := openStore(t, dir)
	info := artifacts.Info{Name: web.URL + "/kernel", Size: -1, Digest: digestOf(body)}
	arrived := make(chan struct{})
	web.fail(func(w http.ResponseWriter, r *http.Request) bool {
		_, _ = w.Write(body[:1000])
		_ = http.NewResponseController(w).Flush()
		close(arrived)
		<-r.Context().Done()
		return true
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	began := time.Now()
	_, err := s.Fetch(ctx, artifacts.HTTP(web.Client()), info)
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, time.Since(began), 10*time.Second)

	f, err := s.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
	assert.Equal(t, string(body), content(t, f, err))
}

func TestStoreFetchWhenCancelledWhileWaiting(t *testing.T) {
	t.Parallel()

	// A fetch that waits for another one ends with its own context.
	body := []byte("x")
	web := newSite(t, map[string][]byte{"/kernel": body})
	dir := t.TempDir()
	for name, second := range map[string]*artifacts.Store{"same store": nil, "other store": openStore(t, dir)} {
		t.Run(name, func(t *testing.T) {
			first := openStore(t, dir)
			if second == nil {
				second = first
			}
			began, release := make(chan struct{}), make(chan struct{})
			web.fail(func(http.ResponseWriter, *http.Request) bool {
				close(began)
				<-release
				return false
			})
			info := artifacts.Info{Name: web.URL + "/kernel", Size: -1, Digest: digestOf([]byte(name))}
			done := make(chan error)
			go func() {
				_, err := first.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
				done <- err
			}()
			<-began
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			_, err := second.Fetch(ctx, artifacts.HTTP(web.Client()), info)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			close(release)
			var digest *artifacts.DigestError
			require.ErrorAs(t, <-done, &digest)
		})
	}
}

// A scripted source answers by functions.
type scripted struct {
	stat func() (artifacts.Info, error)
	open func(ctx context.Context) (io.ReadCloser, error)
}

func (s *scripted) ID() string { return "scripted" }

func (s *scripted) Stat(context.Context, string) (artifacts.Info, error) { return s.stat() }

func (s *scripted) Open(ctx context.Context, _ string) (io.ReadCloser, error) { return s.open(ctx) }

func TestStoreFetchBacksOff(t *testing.T) {
	t.Parallel()

	// In a bubble time passes only when all wait.
	synctest.Test(t, func(t *testing.T) {
		s, err := artifacts.OpenStore(t.TempDir())
		require.NoError(t, err)
		defer s.Close()
		began := time.Now()
		var at []time.Duration
		src := &scripted{open: func(context.Context) (io.ReadCloser, error) {
			at = append(at, time.Since(began))
			return io.NopCloser(iotest.ErrReader(errors.New("reset"))), nil
		}}
		_, err = s.Fetch(t.Context(), src, artifacts.Info{Name: "x", Size: -1, Digest: digestOf(nil)})
		require.ErrorContains(t, err, "after 0 bytes: reset")
		require.Len(t, at, 5)
		for i, most := range []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second} {
			if i > 0 {
				assert.GreaterOrEqual(t, at[i]-at[i-1], most/2)
				assert.LessOrEqual(t, at[i]-at[i-1], most)
			}
		}
	})
}

func TestStoreFetchObeysRetryAfter(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s, err := artifacts.OpenStore(t.TempDir())
		require.NoError(t, err)
		defer s.Close()
		began := time.Now()
		asked := 0
		src := &scripted{open: func(context.Context) (io.ReadCloser, error) {
			if asked++; asked == 1 {
				return nil, &artifacts.HTTPError{Status: http.StatusTooManyRequests, RetryAfter: 42 * time.Second}
			}
			return io.NopCloser(strings.NewReader("x")), nil
		}}
		f, err := s.Fetch(t.Context(), src, artifacts.Info{Name: "x", Size: -1, Digest: digestOf([]byte("x"))})
		assert.Equal(t, "x", content(t, f, err))
		assert.Equal(t, 42*time.Second, time.Since(began))
	})
}

func TestStoreFetchWhenSourceStalls(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s, err := artifacts.OpenStore(t.TempDir(), artifacts.WithIdleTimeout(10*time.Second))
		require.NoError(t, err)
		defer s.Close()
		asked := 0
		src := &scripted{open: func(ctx context.Context) (io.ReadCloser, error) {
			if asked++; asked == 1 {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return io.NopCloser(strings.NewReader("x")), nil
		}}
		f, err := s.Fetch(t.Context(), src, artifacts.Info{Name: "x", Size: -1, Digest: digestOf([]byte("x"))})
		assert.Equal(t, "x", content(t, f, err))
		assert.Equal(t, 2, asked)
	})
}

func TestStoreGetReportsProgress(t *testing.T) {
	t.Parallel()

	body := bytes.Repeat([]byte("x"), 1<<20)
	web := newSite(t, map[string][]byte{"/kernel": body})
	var calls []string
	s := openStore(t, t.TempDir(), artifacts.WithUnverified(), artifacts.WithProgress(func(name string, done, total int64) {
		calls = append(calls, fmt.Sprintf("%s %d/%d", name, done, total))
	}))
	f, err := s.Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/kernel?secret")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.GreaterOrEqual(t, len(calls), 2)
	assert.Equal(t, web.URL+"/kernel 0/1048576", calls[0])
	assert.Equal(t, web.URL+"/kernel 1048576/1048576", calls[len(calls)-1])
}

func TestStoreFetchAfterDamage(t *testing.T) {
	t.Parallel()

	// A computer that loses power can leave zeros where the bytes were.
	body := randomBytes(100_000)
	web := newSite(t, map[string][]byte{"/iso": body})
	dir := t.TempDir()
	s := openStore(t, dir)
	info := artifacts.Info{Name: web.URL + "/iso", Size: -1, Digest: digestOf(body)}
	web.fail(cut(body, 5000), status(404))
	_, err := s.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.Empty(t, stored(t, dir), "nothing to go on with")

	web.fail(cut(body, 5000), status(500), status(500), status(500), status(500))
	_, err = s.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
	require.ErrorContains(t, err, "500")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "partial", digestOf(body).Hex()), make([]byte, 5000), 0o600))
	web.requests()
	f, err := s.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
	require.Equal(t, string(body), content(t, f, err))
	assert.Equal(t, []string{"GET /iso", "GET /iso"}, web.requests(), "once for the rest, once for all")
}

func TestStoreGetWhenSourceHangs(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s, err := artifacts.OpenStore(t.TempDir(), artifacts.WithUnverified())
		require.NoError(t, err)
		defer s.Close()
		src := &hanging{scripted: scripted{
			stat: func() (artifacts.Info, error) { return artifacts.Info{Name: "x", Size: 1}, nil },
			open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil },
		}}
		f, err := s.Get(t.Context(), src, "x")
		assert.Equal(t, "x", content(t, f, err))
		src.hangs = true
		began := time.Now()
		f, err = s.Get(t.Context(), src, "x")
		assert.Equal(t, "x", content(t, f, err))
		assert.Equal(t, 10*time.Second, time.Since(began), "a network that swallows everything must not stop a boot server")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = s.Get(ctx, src, "x")
		require.ErrorIs(t, err, context.DeadlineExceeded, "the caller's own end is an end")
	})
}

// A hanging source does not answer any more.
type hanging struct {
	scripted
	hangs bool
}

func (h *hanging) Stat(ctx context.Context, name string) (artifacts.Info, error) {
	if h.hangs {
		<-ctx.Done()
		return artifacts.Info{}, ctx.Err()
	}
	return h.scripted.Stat(ctx, name)
}

func TestStoreFetchFromAnotherSource(t *testing.T) {
	t.Parallel()

	// A mirror goes on with what another server began: the digest is the same.
	body := randomBytes(100_000)
	one, two := newSite(t, map[string][]byte{"/iso": body}), newSite(t, map[string][]byte{"/mirror/iso": body})
	dir := t.TempDir()
	s := openStore(t, dir)
	one.fail(cut(body, 5000), status(500), status(500), status(500), status(500))
	_, err := s.Fetch(t.Context(), artifacts.HTTP(one.Client()), artifacts.Info{Name: one.URL + "/iso", Size: -1, Digest: digestOf(body)})
	require.Error(t, err)
	var span string
	two.fail(func(_ http.ResponseWriter, r *http.Request) bool {
		span = r.Header.Get("Range")
		return false
	})
	f, err := s.Fetch(t.Context(), artifacts.HTTP(two.Client()), artifacts.Info{Name: two.URL + "/mirror/iso", Size: -1, Digest: digestOf(body)})
	require.Equal(t, string(body), content(t, f, err))
	assert.Equal(t, "bytes=5000-", span)
}

func TestStoreFetchWhenFileChangesMeanwhile(t *testing.T) {
	t.Parallel()

	// Without ETag and time, only the digest tells that the pieces are of
	// two files.
	old, body := bytes.Repeat([]byte("o"), 1000), bytes.Repeat([]byte("n"), 1000)
	serve := func(body []byte, n int) fault {
		return func(w http.ResponseWriter, r *http.Request) bool {
			http.ServeContent(&cutter{ResponseWriter: w, left: n}, r, "", time.Time{}, bytes.NewReader(body))
			return true
		}
	}
	web := newSite(t, map[string][]byte{"/kernel": body})
	s := openStore(t, t.TempDir())
	web.fail(serve(old, 500), serve(body, 501), serve(body, 10), serve(body, 2000))
	info := artifacts.Info{Name: web.URL + "/kernel", Size: -1, Digest: digestOf(body)}
	f, err := s.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
	require.Equal(t, string(body), content(t, f, err))
	assert.Len(t, web.requests(), 4, "two for the mixture, two for the file")

	web.fail(serve(old, 500), serve(old, 501), serve(old, 500), serve(old, 501))
	info.Digest = digestOf([]byte("none of it"))
	_, err = s.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
	var digest *artifacts.DigestError
	require.ErrorAs(t, err, &digest, "a second time is enough")
	assert.Len(t, web.requests(), 4)
}
