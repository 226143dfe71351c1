package debian_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/examples/internal/debian"
)

// TestPackages checks that what is pinned agrees with itself: a mistake in
// it would show up only where the archive can be reached.
func TestPackages(t *testing.T) {
	t.Parallel()
	digests := make(map[artifacts.Digest]string)
	check := func(p debian.Package) {
		file := p.Path[strings.LastIndex(p.Path, "/")+1:]
		assert.Equal(t, p.Name+"_"+p.Version+"_"+p.Arch+".deb", file)
		assert.Regexp(t, `^pool/main/[a-z]/[a-z0-9-]+/[^/]+$`, p.Path)
		_, err := artifacts.ParseDigest(string(p.Digest))
		require.NoError(t, err, p.Name)
		assert.Equal(t, artifacts.SHA256, p.Digest.Algorithm())
		assert.Greater(t, p.Size, int64(100_000))
		assert.Empty(t, digests[p.Digest], "a digest of two packages")
		digests[p.Digest] = p.Name
	}
	for _, arch := range []string{"amd64", "arm64"} {
		for _, p := range debian.Loaders(arch) {
			assert.Equal(t, arch, p.Arch)
			check(p)
		}
	}
	check(debian.IPXE())
	assert.Len(t, digests, 6)
	assert.Empty(t, debian.Loaders("riscv64"))
}

// pack returns a package with one file, and what describes it.
func pack(t *testing.T, name, file, content string) (debian.Package, []byte) {
	t.Helper()
	var data bytes.Buffer
	w := tar.NewWriter(&data)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "./" + file, Mode: 0o644, Size: int64(len(content))}))
	_, err := w.Write([]byte(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	out := []byte("!<arch>\n")
	for _, member := range [][2]string{{"debian-binary", "2.0\n"}, {"data.tar", data.String()}} {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", member[0], 0, 0, 0, 0o100644, len(member[1]), member[1])
	}
	sum := sha256.Sum256(out)
	return debian.Package{
		Name: name, Version: "1.0+x", Arch: "all", Path: "pool/main/x/" + name + "_1.0+x_all.deb",
		Size: int64(len(out)), Digest: artifacts.NewDigest(artifacts.SHA256, sum[:]),
	}, out
}

// serve serves files by their path, and counts requests.
func serve(t *testing.T, files map[string][]byte) (base string, requests *atomic.Int64) {
	t.Helper()
	requests = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		data, ok := files[strings.TrimPrefix(r.URL.Path, "/debian/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(data)
	}))
	t.Cleanup(server.Close)
	return server.URL + "/debian/", requests
}

// store returns an empty store.
func store(t *testing.T) *artifacts.Store {
	t.Helper()
	s, err := artifacts.OpenStore(t.TempDir(), artifacts.WithRetry(1, 0))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func TestOpen(t *testing.T) {
	t.Parallel()
	one, oneData := pack(t, "one", "usr/lib/one", "first")
	two, twoData := pack(t, "two", "usr/lib/two", "second")
	base, requests := serve(t, map[string][]byte{one.Path: oneData, two.Path: twoData})
	kept := store(t)
	for range 2 {
		tree, err := debian.Open(t.Context(), kept, base, one, two)
		require.NoError(t, err)
		for name, want := range map[string]string{"usr/lib/one": "first", "usr/lib/two": "second"} {
			data, err := fs.ReadFile(tree, name)
			require.NoError(t, err)
			assert.Equal(t, want, string(data))
		}
		assert.Equal(t, int64(2), requests.Load(), "fetched once")
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	good, data := pack(t, "good", "file", "content")
	other, _ := pack(t, "good", "file", "Content")
	text := debian.Package{Name: "text", Version: "1", Path: "text.deb", Size: 5}
	sum := sha256.Sum256([]byte("hello"))
	text.Digest = artifacts.NewDigest(artifacts.SHA256, sum[:])
	base, _ := serve(t, map[string][]byte{good.Path: data, text.Path: []byte("hello")})

	_, err := debian.Open(t.Context(), store(t), base, other)
	var digest *artifacts.DigestError
	require.ErrorAs(t, err, &digest)
	missing := good
	missing.Path = "pool/main/x/gone.deb"
	_, err = debian.Open(t.Context(), store(t), base, missing)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "debian: package good 1.0+x from "+base+missing.Path)
	_, err = debian.Open(t.Context(), store(t), base, text)
	require.ErrorContains(t, err, "no Debian package")
	_, err = debian.Open(t.Context(), store(t), base)
	require.ErrorContains(t, err, "no packages asked for")
}

// TestOpenWhenUnreachable names the package, and the address once.
func TestOpenWhenUnreachable(t *testing.T) {
	t.Parallel()
	p, _ := pack(t, "one", "usr/lib/one", "first")
	server := httptest.NewServer(nil)
	server.Close() // Its port is free again.
	_, err := debian.Open(t.Context(), store(t), server.URL, p)
	require.ErrorContains(t, err, "debian: package one 1.0+x from "+server.URL+"/"+p.Path+": dial tcp ")
	assert.Equal(t, 1, strings.Count(err.Error(), p.Path))
}
