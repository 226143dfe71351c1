package github_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/github"
)

const token = "github_pat_SECRET"

// A hub speaks as GitHub does: an API, download addresses that redirect, and
// a server of another name with signed addresses and ranges, where contents
// are.
type hub struct {
	front, storage *httptest.Server
	private        bool // the repository wants a token
	limited        bool // no further requests to the API
	noDigests      bool // as of assets uploaded before June 2025
	digests        digests

	mu    sync.Mutex
	tag   string
	files []hubFile
	asked []string // to both servers
	leaks []string // tokens seen by the storage
	cuts  []int    // after how many bytes the next answers of the storage break
}

type hubFile struct {
	name string
	body []byte
}

// digests holds those of large files, by their first byte in memory.
type digests struct{ known sync.Map }

func (d *digests) of(body []byte) string {
	if len(body) == 0 {
		return fmt.Sprintf("%x", sha256.Sum256(nil))
	}
	sum, ok := d.known.Load(&body[0])
	if !ok {
		sum, _ = d.known.LoadOrStore(&body[0], fmt.Sprintf("%x", sha256.Sum256(body)))
	}
	return sum.(string)
}

func newHub(t *testing.T, tag string) *hub {
	t.Helper()
	h := &hub{tag: tag}
	h.storage = httptest.NewServer(http.HandlerFunc(h.serveStorage))
	h.front = httptest.NewServer(http.HandlerFunc(h.serveFront))
	t.Cleanup(func() { h.front.Close(); h.storage.Close() })
	return h
}

// add uploads files, each with its .sha256 if sums is set.
func (h *hub) add(sums bool, files ...hubFile) {
	for _, f := range files {
		h.files = append(h.files, f)
		if sums {
			h.files = append(h.files, hubFile{f.name + ".sha256", fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(f.body), f.name)})
		}
	}
}

func (h *hub) source(t *testing.T, r github.Release, opts ...github.Option) *github.Source {
	t.Helper()
	r.Repository = "kairos-io/kairos"
	s, err := github.New(r, append([]github.Option{github.WithBaseURL(h.front.URL)}, opts...)...)
	require.NoError(t, err)
	return s
}

// requests returns what was asked since the last call.
func (h *hub) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	asked := h.asked
	h.asked = nil
	return asked
}

func (h *hub) note(r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, r.Method+" "+strings.SplitN(r.RequestURI, "?sig", 2)[0])
}

func (h *hub) serveFront(w http.ResponseWriter, r *http.Request) {
	h.note(r)
	const download = "/kairos-io/kairos/releases/download/"
	if rest, ok := strings.CutPrefix(r.URL.Path, download); ok {
		i := slices.IndexFunc(h.files, func(f hubFile) bool { return h.tag+"/"+f.name == rest })
		if i < 0 || h.private {
			http.NotFound(w, r)
			return
		}
		h.redirect(w, r, i)
		return
	}
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/v3/repos/kairos-io/kairos/releases/")
	switch {
	case !ok:
		http.NotFound(w, r)
	case h.limited:
		w.Header().Set("X-RateLimit-Limit", "60")
		w.Header().Set("X-RateLimit-Remaining", "0")
		w.Header().Set("X-RateLimit-Reset", "1800000000")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"API rate limit exceeded"}`)
	case h.private && r.Header.Get("Authorization") != "Bearer "+token:
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	default:
		h.serveAPI(w, r, rest)
	}
}

func (h *hub) serveAPI(w http.ResponseWriter, r *http.Request, rest string) {
	id, isAsset := strings.CutPrefix(rest, "assets/")
	switch {
	case rest == "latest", rest == "tags/"+h.tag:
		h.json(w, map[string]any{
			"id": 7, "tag_name": h.tag, "draft": false,
			"assets": h.assets(0, min(len(h.files), 30)),
		})
	case rest == "7/assets":
		size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		h.json(w, h.assets(min((n-1)*size, len(h.files)), min(n*size, len(h.files))))
	case isAsset && r.Header.Get("Accept") == "application/octet-stream":
		i, _ := strconv.Atoi(id)
		h.redirect(w, r, i)
	default:
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	}
}

func (h *hub) json(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(v)
}

func (h *hub) assets(from, to int) []any {
	list := []any{}
	for i := from; i < to; i++ {
		f := h.files[i]
		a := map[string]any{
			"id": i, "name": f.name, "size": len(f.body), "state": "uploaded", "updated_at": "2025-07-01T10:00:00Z",
			"url":                  fmt.Sprintf("%s/api/v3/repos/kairos-io/kairos/releases/assets/%d", h.front.URL, i),
			"browser_download_url": h.front.URL + "/kairos-io/kairos/releases/download/" + h.tag + "/" + strings.ReplaceAll(f.name, "+", "%2B"),
			"digest":               "sha256:" + h.digests.of(f.body),
		}
		if h.noDigests {
			a["digest"] = nil
		}
		list = append(list, a)
	}
	return list
}

// redirect sends the client to the storage, which has another host name.
func (h *hub) redirect(w http.ResponseWriter, r *http.Request, i int) {
	at := strings.Replace(h.storage.URL, "127.0.0.1", "localhost", 1)
	http.Redirect(w, r, fmt.Sprintf("%s/%d?sig=SIGNATURE", at, i), http.StatusFound)
}

func (h *hub) serveStorage(w http.ResponseWriter, r *http.Request) {
	h.note(r)
	h.mu.Lock()
	if a := r.Header.Get("Authorization"); a != "" {
		h.leaks = append(h.leaks, a)
	}
	i, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	f := h.files[i]
	cut := -1
	if r.Method == http.MethodGet && len(h.cuts) > 0 && !strings.HasSuffix(f.name, ".sha256") {
		cut, h.cuts = h.cuts[0], h.cuts[1:]
	}
	h.mu.Unlock()
	if r.URL.Query().Get("sig") != "SIGNATURE" {
		http.Error(w, "<Code>AuthenticationFailed</Code>", http.StatusForbidden)
		return
	}
	w.Header().Set("ETag", `"`+h.digests.of(f.body)+`"`)
	if cut >= 0 {
		w = &cutter{ResponseWriter: w, left: cut}
	}
	http.ServeContent(w, r, "", time.Date(2025, 7, 1, 9, 0, 0, 0, time.UTC), bytes.NewReader(f.body))
}

// A cutter breaks the connection after some bytes of the body.
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
	s, err := artifacts.OpenStore(dir, append([]artifacts.Option{artifacts.WithRetry(3, time.Microsecond)}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}
