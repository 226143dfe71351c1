package github_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/github"
)

func content(t *testing.T, f *artifacts.File, err error) string {
	t.Helper()
	require.NoError(t, err)
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	require.NoError(t, err)
	return string(data)
}

const standard = "kairos-ubuntu-24.04-standard-amd64-generic-v3.3.1-k3sv1.32.1+k3s1"

func ubuntu(tag string) github.Release {
	return github.Release{Tag: tag, Version: "v3.3.1-k3sv1.32.1+k3s1", Flavor: "ubuntu", FlavorRelease: "24.04"}
}

func kairos() []hubFile {
	return []hubFile{
		{standard + "-kernel", []byte("a kernel")},
		{standard + "-initrd", []byte("an initrd")},
		{standard + ".squashfs", []byte("a squashfs")},
		{standard + ".iso", []byte("an ISO")},
	}
}

func TestSourceGet(t *testing.T) {
	t.Parallel()

	for _, tag := range []string{"v3.3.1", github.Latest, ""} {
		t.Run("tag "+tag, func(t *testing.T) {
			t.Parallel()
			h := newHub(t, "v3.3.1")
			h.add(true, kairos()...)
			s, src := openStore(t, t.TempDir()), h.source(t, ubuntu(tag))
			for name, want := range map[string]string{
				github.Kernel: "a kernel", github.Initrd: "an initrd", github.SquashFS: "a squashfs", github.ISO: "an ISO",
				standard + ".squashfs": "a squashfs",
			} {
				f, err := s.Get(t.Context(), src, name)
				assert.Equal(t, want, content(t, f, err))
			}
			asked := h.requests()
			assert.Equal(t, "GET /api/v3/repos/kairos-io/kairos/releases/"+map[string]string{
				"v3.3.1": "tags/v3.3.1", github.Latest: "latest", "": "latest",
			}[tag], asked[0])
			api := 0
			for _, r := range asked {
				if strings.Contains(r, "/api/") {
					api++
				}
			}
			assert.Equal(t, 1, api, "the API is asked once")
			assert.Contains(t, asked, "GET /kairos-io/kairos/releases/download/v3.3.1/"+standard+"-kernel", "a plus sign is not escaped")
			assert.Contains(t, asked, "GET /kairos-io/kairos/releases/download/v3.3.1/"+standard+"-kernel.sha256")

			f, err := s.Get(t.Context(), src, github.Kernel)
			assert.Equal(t, "a kernel", content(t, f, err))
			assert.Empty(t, h.requests(), "within a minute nothing is asked again")
		})
	}
}

func TestSourceGetWithoutNetwork(t *testing.T) {
	t.Parallel()

	h := newHub(t, "v3.3.1")
	h.add(false, kairos()[3], hubFile{standard + ".iso", image(t)})
	h.files = h.files[1:]
	dir := t.TempDir()
	for range 2 {
		f, err := openStore(t, dir).Get(t.Context(), h.source(t, ubuntu("latest"), github.WithISO(openZip)), github.Kernel)
		assert.Equal(t, "the ISO's kernel", content(t, f, err))
		h.front.Close()
		h.storage.Close()
	}
}

func TestSourceGetWithToken(t *testing.T) {
	t.Parallel()

	h := newHub(t, "v3.3.1")
	h.private = true
	h.add(true, kairos()...)
	f, err := openStore(t, t.TempDir()).Get(t.Context(), h.source(t, ubuntu("v3.3.1"), github.WithToken(token)), github.Kernel)
	assert.Equal(t, "a kernel", content(t, f, err))
	assert.Empty(t, h.leaks, "the storage must not see the token")
	assert.Contains(t, h.requests(), "GET /api/v3/repos/kairos-io/kairos/releases/assets/0")

	_, err = openStore(t, t.TempDir()).Get(t.Context(), h.source(t, ubuntu("v3.3.1")), github.Kernel)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestSourceGetWithTokenWhenRedirectedToSameHost(t *testing.T) {
	t.Parallel()

	// net/http keeps Authorization for another port of the same host, and
	// for subdomains; the token is for the API alone.
	h := newHub(t, "v3.3.1")
	h.add(false, kairos()...)
	other := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/v3/repos/kairos-io/kairos/releases/assets/") {
			http.Redirect(w, r, h.storage.URL+"/0?sig=SIGNATURE", http.StatusFound)
			return
		}
		h.serveFront(w, r)
	})
	h.front.Config.Handler = other
	h.private = true
	f, err := openStore(t, t.TempDir()).Get(t.Context(), h.source(t, github.Release{}, github.WithToken(token)), standard+"-kernel")
	assert.Equal(t, "a kernel", content(t, f, err))
	assert.Contains(t, h.requests(), "GET /0")
	assert.Empty(t, h.leaks)
}

func TestSourceGetWhenRateLimited(t *testing.T) {
	t.Parallel()

	h := newHub(t, "v3.3.1")
	h.limited = true
	h.add(true, kairos()...)
	s := openStore(t, t.TempDir())
	_, err := s.Get(t.Context(), h.source(t, ubuntu("latest")), github.Kernel)
	var limit *github.RateLimitError
	require.ErrorAs(t, err, &limit)
	assert.Contains(t, err.Error(), "rate limit of 60 requests an hour used up until 2027-01-15T08:00:00Z; with a token it is higher")
	assert.Len(t, h.requests(), 1, "to ask again at once would be in vain")

	f, err := s.Get(t.Context(), h.source(t, ubuntu("v3.3.1")), github.Kernel)
	assert.Equal(t, "a kernel", content(t, f, err), "a tag needs no API")
	_, err = s.Get(t.Context(), h.source(t, ubuntu("v3.3.1")), "no-such-asset")
	require.ErrorIs(t, err, fs.ErrNotExist)
	for _, err := range h.source(t, ubuntu("v3.3.1")).List(t.Context(), "") {
		require.ErrorAs(t, err, &limit)
	}

	h.limited = false
	f, err = s.Get(t.Context(), h.source(t, ubuntu("latest")), github.Kernel)
	assert.Equal(t, "a kernel", content(t, f, err))
	h.limited = true
	f, err = s.Get(t.Context(), h.source(t, ubuntu("latest")), github.Kernel)
	assert.Equal(t, "a kernel", content(t, f, err), "what was the latest will do until then")
}

func TestSourceGetChecksDigests(t *testing.T) {
	t.Parallel()

	h := newHub(t, "v3.3.1")
	h.add(false, kairos()...)
	kernel := h.files[0].name
	get := func() error {
		f, err := openStore(t, t.TempDir()).Get(t.Context(), h.source(t, ubuntu("v3.3.1")), github.Kernel)
		if err == nil {
			return f.Close()
		}
		return err
	}
	require.NoError(t, get(), "the API gives a digest")

	h.noDigests = true
	require.ErrorIs(t, get(), artifacts.ErrUnverified)

	h.add(false, hubFile{"kairos-v3.3.1-checksums.txt", fmt.Appendf(nil, "%x  ./dist/%s\n", sha256.Sum256([]byte("a kernel")), kernel)})
	require.NoError(t, get(), "one list for all")

	h.files[len(h.files)-1].body = fmt.Appendf(nil, "%x  %s\n", sha256.Sum256([]byte("another")), kernel)
	var digest *artifacts.DigestError
	require.ErrorAs(t, get(), &digest)
	assert.Contains(t, digest.From, "checksums.txt")

	h.noDigests = false
	h.requests()
	err := get()
	require.ErrorAs(t, err, &digest)
	require.ErrorContains(t, err, "kairos-v3.3.1-checksums.txt contradicts")
	assert.NotContains(t, h.requests(), "GET /kairos-io/kairos/releases/download/v3.3.1/"+kernel, "neither can be right")
}

func TestSourceGetOfManyAssets(t *testing.T) {
	t.Parallel()

	h := newHub(t, "v3.3.1")
	for i := range 250 {
		h.add(false, hubFile{fmt.Sprintf("asset-%d", i), fmt.Appendf(nil, "content %d", i)})
	}
	src := h.source(t, github.Release{})
	s := openStore(t, t.TempDir())
	for _, i := range []int{0, 29, 30, 249} {
		f, err := s.Get(t.Context(), src, fmt.Sprintf("asset-%d", i))
		assert.Equal(t, fmt.Sprintf("content %d", i), content(t, f, err))
	}
	n := 0
	for info, err := range src.List(t.Context(), "asset-1*") {
		require.NoError(t, err)
		assert.True(t, strings.HasPrefix(info.Name, "asset-1"))
		n++
	}
	assert.Equal(t, 1+10+100, n)
	_, err := s.Get(t.Context(), src, "asset-250")
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Contains(t, err.Error(), `github: kairos-io/kairos v3.3.1 has no asset "asset-250"; nearest are asset-20, `)
}

func TestSourceGetWhenMissing(t *testing.T) {
	t.Parallel()

	h := newHub(t, "v3.3.1")
	_, err := openStore(t, t.TempDir()).Get(t.Context(), h.source(t, ubuntu("v9.9.9")), github.Kernel)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Contains(t, err.Error(), `kairos-io/kairos has no release "v9.9.9"`)

	_, err = openStore(t, t.TempDir()).Get(t.Context(), h.source(t, ubuntu("v3.3.1")), github.Kernel)
	assert.ErrorContains(t, err, "it has none at all")

	h.add(false, hubFile{standard + ".iso", image(t)})
	_, err = openStore(t, t.TempDir()).Get(t.Context(), h.source(t, ubuntu("v3.3.1")), github.Kernel)
	assert.ErrorContains(t, err, "it has "+standard+".iso, see WithISO")
}

// image returns what stands for an ISO: a zip, which is an fs.FS as well.
func image(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, body := range map[string]string{
		"boot/kernel": "the ISO's kernel", "boot/initrd": "the ISO's initrd", "rootfs.squashfs": "the ISO's squashfs",
	} {
		w, err := z.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(w, body)
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.Bytes()
}

func openZip(r io.ReaderAt, size int64) (fs.FS, error) { return zip.NewReader(r, size) }

func TestSourceGetWithISO(t *testing.T) {
	t.Parallel()

	h := newHub(t, "v4.0.0")
	iso := "kairos-ubuntu-24.04-core-arm64-generic-v4.0.0.iso"
	h.add(true, hubFile{iso, image(t)})
	release := github.Release{Flavor: "ubuntu", FlavorRelease: "24.04", Platform: "arm64"}
	s, src := openStore(t, t.TempDir()), h.source(t, release, github.WithISO(openZip))
	for name, want := range map[string]string{
		github.Kernel: "the ISO's kernel", github.Initrd: "the ISO's initrd", github.SquashFS: "the ISO's squashfs",
	} {
		f, err := s.Get(t.Context(), src, name)
		assert.Equal(t, want, content(t, f, err))
		assert.Equal(t, artifacts.NewDigest("sha256", hash([]byte(want))), f.Info().Digest)
		f, err = s.Get(t.Context(), src, name)
		assert.Equal(t, want, content(t, f, err))
	}
	fetched := 0
	for _, r := range h.requests() {
		if path.Base(r) == iso {
			fetched++
		}
	}
	assert.Equal(t, 1, fetched, "one ISO for all three")

	h.files[0].body = []byte("not an ISO")
	h.files[1].body = fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(h.files[0].body), iso)
	_, err := openStore(t, t.TempDir()).Get(t.Context(), h.source(t, release, github.WithISO(openZip)), github.Kernel)
	assert.ErrorContains(t, err, "boot/kernel in "+iso+": github: open ISO: zip: not a valid zip file")
}

func hash(b []byte) []byte {
	sum := sha256.Sum256(b)
	return sum[:]
}

// TestSourceGetWhenConnectionsBreak breaks the connection once after each
// number of bytes that can come before.
func TestSourceGetWhenConnectionsBreak(t *testing.T) {
	t.Parallel()

	const workers = 8 // They wait for the disk.
	body := make([]byte, 4096)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(body)
	for worker := range workers {
		t.Run(fmt.Sprint(worker), func(t *testing.T) {
			t.Parallel()
			h := newHub(t, "v3.3.1")
			h.add(false, hubFile{"asset", body})
			s, src := openStore(t, t.TempDir()), h.source(t, github.Release{Tag: "v3.3.1"})
			for n := worker; n < len(body); n += workers {
				h.cuts = []int{n}
				f, err := s.Get(t.Context(), src, "asset")
				require.Equal(t, string(body), content(t, f, err), "broken after %d bytes", n)
				require.Empty(t, h.cuts)
				_, err = s.Prune(t.Context(), 0)
				require.NoError(t, err)
			}
		})
	}
}

func TestSourceGetOfLargeAssetWhenConnectionsBreak(t *testing.T) {
	t.Parallel()

	body := make([]byte, 64<<20)
	random := rand.NewChaCha8([32]byte{2})
	_, _ = random.Read(body)
	h := newHub(t, "v3.3.1")
	h.add(false, hubFile{"asset", body})
	places := rand.New(random)
	left := len(body)
	for range 100 {
		n := places.IntN(left / 10)
		h.cuts = append(h.cuts, n)
		left -= n
	}
	f, err := openStore(t, t.TempDir()).Get(t.Context(), h.source(t, github.Release{}), "asset")
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, artifacts.NewDigest("sha256", hash(body)), f.Info().Digest)
	assert.Empty(t, h.cuts, "all connections broke")
	sum := sha256.New()
	_, err = io.Copy(sum, io.NewSectionReader(f, 0, f.Size()))
	require.NoError(t, err)
	assert.Equal(t, hash(body), sum.Sum(nil))
}
