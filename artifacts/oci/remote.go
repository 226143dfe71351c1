package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/netbootkit/netbootkit/artifacts"
)

const (
	maxSnippet    = 200     // bytes of an error's body that are shown
	maxRetryAfter = 1 << 20 // seconds; the store waits for less
)

// A remote is a repository of a registry. As an [artifacts.Source] it has
// files such as manifests/latest, manifests/sha256:… and blobs/sha256:…
// (OCI Distribution 1.1).
type remote struct {
	store  *artifacts.Store
	repo   name.Repository
	client *http.Client
	files  *artifacts.HTTPSource // the same client
	made   *http.Transport       // below the client, if it is not the caller's
}

var _ artifacts.Resumer = (*remote)(nil)

func newRemote(store *artifacts.Store, repo name.Repository, cfg *config) *remote {
	client, made := cfg.httpClient()
	client.Transport = acceptManifests{newGate(client.Transport, repo, cfg)}
	return &remote{store: store, repo: repo, client: &client, files: artifacts.HTTP(&client), made: made}
}

// Close closes connections that nobody uses, unless they are the caller's.
func (r *remote) Close() error {
	if r.made != nil {
		r.made.CloseIdleConnections()
	}
	return nil
}

// ID implements [artifacts.Source].
func (r *remote) ID() string { return "oci " + r.repo.Name() }

// url returns where a file is. The gate knows the scheme better.
func (r *remote) url(file string) string {
	return "https://" + r.repo.RegistryStr() + "/v2/" + r.repo.RepositoryStr() + "/" + file
}

// manifestTypes are what a registry may answer with; of those, schema 1 is
// refused later, in clear words.
func manifestTypes() string {
	return strings.Join([]string{
		string(types.OCIImageIndex), string(types.DockerManifestList),
		string(types.OCIManifestSchema1), string(types.DockerManifestSchema2),
	}, ", ")
}

// Stat implements [artifacts.Source] for manifests: a HEAD request tells what
// a tag stands for. Where it does not, the manifest itself does.
func (r *remote) Stat(ctx context.Context, file string) (artifacts.Info, error) {
	info := artifacts.Info{Name: file, Size: -1}
	kind, tag, _ := strings.Cut(file, "/")
	if checkDigest(artifacts.Digest(tag)) == nil {
		info.Digest = artifacts.Digest(tag)
		return info, nil
	}
	resp, err := r.do(ctx, http.MethodHead, file)
	if err != nil {
		return info, err
	}
	defer resp.Body.Close()
	info.Digest = artifacts.Digest(resp.Header.Get("Docker-Content-Digest"))
	if resp.StatusCode == http.StatusOK && checkDigest(info.Digest) == nil {
		info.Size = resp.ContentLength
		info.Name = kind + "/" + string(info.Digest)
		return info, nil
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusMethodNotAllowed {
		return info, refusal(resp)
	}
	body, err := r.OpenAt(ctx, info, 0)
	if err != nil {
		return info, err
	}
	defer body.Close()
	text, err := readAll(body, maxManifest)
	if err != nil {
		return info, err
	}
	info.Digest, info.Size = digestOf(text), int64(len(text))
	info.Name = kind + "/" + string(info.Digest)
	return info, nil
}

// do sends a request for a manifest.
func (r *remote) do(ctx context.Context, method, file string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.url(file), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "netbootkit")
	req.Header.Set("Accept", manifestTypes())
	resp, err := r.client.Do(req)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return nil, fmt.Errorf("%s %s: %w", method, r.url(file), failed.Err) // Without what a redirect brought.
	}
	return resp, err
}

// refusal returns an answer as an error.
func refusal(resp *http.Response) error {
	u := *resp.Request.URL
	u.User, u.RawQuery = nil, ""
	e := &artifacts.HTTPError{Method: resp.Request.Method, URL: u.String(), Status: resp.StatusCode}
	if seconds, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.RetryAfter = time.Duration(min(seconds, maxRetryAfter)) * time.Second
	}
	said, _ := io.ReadAll(io.LimitReader(resp.Body, maxSnippet)) // What arrived will do.
	if text := strings.TrimSpace(string(said)); utf8.ValidString(text) {
		e.Snippet = text
	}
	return e
}

// Open implements [artifacts.Source].
func (r *remote) Open(ctx context.Context, file string) (io.ReadCloser, error) {
	return r.OpenAt(ctx, artifacts.Info{Name: file, Size: -1}, 0)
}

// OpenAt implements [artifacts.Resumer].
func (r *remote) OpenAt(ctx context.Context, version artifacts.Info, off int64) (*artifacts.Body, error) {
	file := version.Name
	version.Name = r.url(file)
	body, err := r.files.OpenAt(ctx, version, off)
	if err != nil {
		return nil, err
	}
	body.Info.Name = file
	return body, nil
}

// open implements content.
func (r *remote) open(ctx context.Context, d v1.Descriptor, g *gauge) (io.ReadCloser, error) {
	folder := "blobs/"
	if d.MediaType.IsImage() || d.MediaType.IsIndex() {
		folder = "manifests/"
	}
	info := artifacts.Info{Name: folder + d.Digest.String(), Size: d.Size, Digest: artifacts.Digest(d.Digest.String())}
	file, err := r.store.Fetch(ctx, &blob{remote: r, urls: d.URLs, gauge: g}, info)
	if err != nil {
		return nil, err
	}
	g.set(info.Name, d.Size)
	return file, nil
}

// A blob is a remote whose file may be at other addresses as well: layers
// that registries must not distribute are.
type blob struct {
	*remote
	urls  []string
	gauge *gauge // told what arrives
}

// Open implements [artifacts.Source].
func (b *blob) Open(ctx context.Context, file string) (io.ReadCloser, error) {
	return b.OpenAt(ctx, artifacts.Info{Name: file, Size: -1}, 0)
}

// OpenAt asks the registry first.
func (b *blob) OpenAt(ctx context.Context, version artifacts.Info, off int64) (*artifacts.Body, error) {
	body, err := b.remote.OpenAt(ctx, version, off)
	for _, address := range b.urls {
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			break
		}
		elsewhere := version
		elsewhere.Name = address
		body, err = b.files.OpenAt(ctx, elsewhere, off)
	}
	if err != nil {
		return nil, err
	}
	body.Info.Name = version.Name
	body.ReadCloser = b.gauge.watch(body.ReadCloser, version.Name, body.Start)
	return body, nil
}

// acceptManifests adds what a GET of a manifest needs to say.
type acceptManifests struct{ inner http.RoundTripper }

// RoundTrip implements [http.RoundTripper].
func (a acceptManifests) RoundTrip(req *http.Request) (*http.Response, error) {
	if strings.Contains(req.URL.Path, "/manifests/") && req.Header.Get("Accept") == "" {
		req = req.Clone(req.Context())
		req.Header.Set("Accept", manifestTypes())
	}
	return a.inner.RoundTrip(req)
}
