package artifacts_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
)

// A site is a web server whose files, answers and faults a test sets. It
// counts requests by method and path.
type site struct {
	*httptest.Server

	mu     sync.Mutex
	files  map[string][]byte
	faults []fault
	asked  []string
}

// A fault answers one request in another way; it returns false to leave it to
// the server.
type fault func(w http.ResponseWriter, r *http.Request) bool

func newSite(t *testing.T, files map[string][]byte) *site {
	t.Helper()
	s := &site{files: files}
	s.Server = httptest.NewServer(s)
	s.Config.ErrorLog = nil
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	body, ok := s.files[r.URL.Path]
	var f fault
	if r.Method == http.MethodGet && len(s.faults) > 0 {
		f, s.faults = s.faults[0], s.faults[1:]
	}
	s.mu.Unlock()
	switch {
	case f != nil && f(w, r):
	case !ok:
		http.Error(w, "no such file", http.StatusNotFound)
	default:
		w.Header().Set("ETag", etagOf(body))
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(body)))
	}
}

// requests returns what was asked since the last call.
func (s *site) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// set changes a file.
func (s *site) set(path string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = body
}

func (s *site) fail(faults ...fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, faults...)
}

func etagOf(body []byte) string { return fmt.Sprintf(`"%x"`, sha256.Sum256(body)) }

func digestOf(body []byte) artifacts.Digest {
	sum := sha256.Sum256(body)
	return artifacts.NewDigest(artifacts.SHA256, sum[:])
}

// status answers with an error.
func status(code int, header ...string) fault {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		http.Error(w, "told to fail", code)
		return true
	}
}

// cut breaks the connection after n bytes of the body.
func cut(body []byte, n int) fault {
	return func(w http.ResponseWriter, r *http.Request) bool {
		w.Header().Set("ETag", etagOf(body))
		http.ServeContent(&cutter{ResponseWriter: w, left: n}, r, "", time.Time{}, strings.NewReader(string(body)))
		return true
	}
}

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(p []byte) (int, error) {
	n, _ := c.ResponseWriter.Write(p[:min(c.left, len(p))])
	if c.left -= n; c.left == 0 {
		_ = http.NewResponseController(c.ResponseWriter).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, nil
}

func openStore(t *testing.T, dir string, opts ...artifacts.Option) *artifacts.Store {
	t.Helper()
	opts = append([]artifacts.Option{artifacts.WithRetry(5, time.Microsecond)}, opts...)
	s, err := artifacts.OpenStore(dir, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// content reads f and closes it.
func content(t *testing.T, f *artifacts.File, err error) string {
	t.Helper()
	require.NoError(t, err)
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	require.NoError(t, err)
	return string(data)
}

// stored returns the names of all regular files in the store, without what
// only remembers names.
func stored(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && !strings.HasPrefix(name, "index/") {
			names = append(names, filepath.ToSlash(name))
		}
		return err
	}))
	slices.Sort(names)
	return names
}

func sums(name string, body []byte) []byte {
	return fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(body), name)
}

// randomBytes returns n bytes, the same each time.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	random := rand.NewChaCha8([32]byte{3})
	_, _ = random.Read(b)
	return b
}

func TestStoreGet(t *testing.T) {
	t.Parallel()

	body := []byte("a kernel")
	web := newSite(t, map[string][]byte{"/kernel": body, "/kernel.sha256": sums("kernel", body)})
	dir := t.TempDir()
	s := openStore(t, dir)

	f, err := s.Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/kernel")
	assert.Equal(t, "a kernel", content(t, f, err))
	assert.Equal(t, digestOf(body), f.Info().Digest)
	assert.Equal(t, web.URL+"/kernel", f.Info().Name)
	assert.Equal(t, []string{"HEAD /kernel", "GET /kernel.sha256", "GET /kernel"}, web.requests())
	assert.Equal(t, []string{"blobs/sha256/" + digestOf(body).Hex()}, stored(t, dir))

	f, err = s.Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/kernel")
	assert.Equal(t, "a kernel", content(t, f, err))
	assert.Equal(t, []string{"HEAD /kernel"}, web.requests(), "the second time asks only whether it changed")
}
