package artifacts_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
)

// put stores a file of so many bytes, last used when.
func put(t *testing.T, s *artifacts.Store, dir, name string, size int, used time.Time) *artifacts.File {
	t.Helper()
	f, err := s.Make(t.Context(), name, func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat(name[:1], size))
		return err
	})
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "blobs/sha256", f.Info().Digest.Hex()), used, used))
	return f
}

// TestStorePrune is not parallel: a process that another test starts has, for
// a moment, the locks of this one.
func TestStorePrune(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	hour := func(n int) time.Time { return time.Date(2026, 1, 1, n, 0, 0, 0, time.UTC) }
	require.NoError(t, put(t, s, dir, "c newest", 1000, hour(3)).Close())
	require.NoError(t, put(t, s, dir, "a oldest", 1000, hour(1)).Close())
	open := put(t, s, dir, "o open", 1000, hour(0))
	require.NoError(t, put(t, s, dir, "b older", 1000, hour(2)).Close())
	has := func(letter string) bool {
		f, err := s.Lookup(digestOf([]byte(strings.Repeat(letter, 1000))))
		if err != nil {
			require.ErrorIs(t, err, fs.ErrNotExist)
			return false
		}
		require.NoError(t, f.Close())
		return true
	}

	removed, err := openStore(t, dir).Prune(t.Context(), 2500)
	require.NoError(t, err)
	assert.Equal(t, int64(2000), removed)
	assert.False(t, has("a"), "the longest unused goes first")
	assert.False(t, has("b"))
	assert.True(t, has("c"))
	assert.True(t, has("o"), "what another store has open stays")

	removed, err = s.Prune(t.Context(), 0)
	require.NoError(t, err)
	assert.Equal(t, int64(1000), removed)
	assert.Equal(t, strings.Repeat("o", 1000), content(t, open, nil))
	removed, err = s.Prune(t.Context(), 0)
	require.NoError(t, err)
	assert.Equal(t, int64(1000), removed, "once closed, it goes too")
	assert.Empty(t, stored(t, dir))
	left, err := os.ReadDir(filepath.Join(dir, "index"))
	require.NoError(t, err)
	assert.Empty(t, left, "names without content are forgotten")
}

// TestStorePruneHalfFetched is not parallel either.
func TestStorePruneHalfFetched(t *testing.T) {
	body := randomBytes(1 << 20)
	web := newSite(t, map[string][]byte{"/iso": body})
	dir := t.TempDir()
	s := openStore(t, dir)
	web.fail(cut(body, 1000), status(500), status(500), status(500), status(500), status(500))
	info := artifacts.Info{Name: web.URL + "/iso", Size: -1, Digest: digestOf(body)}
	_, err := s.Fetch(t.Context(), artifacts.HTTP(web.Client()), info)
	require.Error(t, err)
	require.Len(t, stored(t, dir), 2, "it can go on")
	removed, err := s.Prune(t.Context(), 0)
	require.NoError(t, err)
	assert.Equal(t, int64(1000), removed)
	assert.Empty(t, stored(t, dir))
}

// TestStorePruneWhileFetching checks that nobody sees half of it, and that
// every fetch succeeds, while everything is removed all the time.
func TestStorePruneWhileFetching(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	web := newSite(t, map[string][]byte{})
	for i := range 5 {
		web.files[fmt.Sprintf("/%d", i)] = randomBytes(10_000 + i)
	}
	var stop atomic.Bool
	var pruning, fetching sync.WaitGroup
	pruning.Go(func() {
		s := openStore(t, dir)
		for !stop.Load() {
			_, err := s.Prune(t.Context(), 0)
			assert.NoError(t, err)
		}
	})
	for worker := range 4 {
		fetching.Go(func() {
			s := openStore(t, dir)
			for i := range 100 {
				name := fmt.Sprintf("/%d", (worker+i)%5)
				body := web.files[name]
				f, err := s.Fetch(t.Context(), artifacts.HTTP(web.Client()), artifacts.Info{Name: web.URL + name, Size: -1, Digest: digestOf(body)})
				if assert.NoError(t, err) {
					data, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
					assert.NoError(t, err)
					assert.Equal(t, digestOf(body), digestOf(data))
					assert.NoError(t, f.Close())
				}
			}
		})
	}
	fetching.Wait()
	stop.Store(true)
	pruning.Wait()
}

func TestStoreMake(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	var made atomic.Int32
	write := func(_ context.Context, w io.Writer) error {
		made.Add(1)
		_, err := io.WriteString(w, "flattened")
		return err
	}
	var work sync.WaitGroup
	for range 8 {
		s := openStore(t, dir)
		work.Go(func() {
			f, err := s.Make(t.Context(), "rootfs v1 sha256:x", write)
			if assert.NoError(t, err) {
				assert.Equal(t, digestOf([]byte("flattened")), f.Info().Digest)
				assert.NoError(t, f.Close())
			}
		})
	}
	work.Wait()
	assert.Equal(t, int32(1), made.Load())

	s := openStore(t, dir, artifacts.WithMaxSize(10))
	_, err := s.Make(t.Context(), "fails", func(_ context.Context, w io.Writer) error {
		_, _ = io.WriteString(w, "half")
		return errors.New("no more")
	})
	require.EqualError(t, err, `artifacts: make "fails": no more`)
	_, err = s.Make(t.Context(), "too large", func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "eleven byte")
		return err
	})
	var size *artifacts.SizeError
	require.ErrorAs(t, err, &size)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = s.Make(ctx, "cancelled", func(_ context.Context, w io.Writer) error {
		cancel()
		_, err := io.WriteString(w, "x")
		return err
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Len(t, stored(t, dir), 1, "failures leave nothing")
}

func TestStoreGetOfDir(t *testing.T) {
	t.Parallel()

	tree := fstest.MapFS{
		"boot/kernel":     {Data: []byte("a kernel"), ModTime: time.Unix(1e9, 0)},
		"boot/SHA256SUMS": {Data: sums("kernel", []byte("a kernel"))},
		"boot/initrd":     {Data: []byte("an initrd")},
	}
	dir := t.TempDir()
	s := openStore(t, dir)
	src := artifacts.Dir("", tree)
	f, err := s.Get(t.Context(), src, "boot/kernel")
	assert.Equal(t, "a kernel", content(t, f, err))
	assert.Equal(t, time.Unix(1e9, 0), f.ModTime())
	_, err = s.Get(t.Context(), src, "boot/initrd")
	require.ErrorIs(t, err, artifacts.ErrUnverified)
	for _, name := range []string{"boot/none", "../x"} {
		_, err = s.Get(t.Context(), src, name)
		require.Error(t, err)
	}
	_, err = s.Get(t.Context(), src, "boot")
	require.ErrorIs(t, err, fs.ErrInvalid, "a folder is no file")
	assert.Len(t, stored(t, dir), 1)

	var names []string
	for info, err := range src.List(t.Context(), "boot/*r*") {
		require.NoError(t, err)
		names = append(names, info.Name)
	}
	assert.Equal(t, []string{"boot/initrd", "boot/kernel"}, names)
	for _, err := range src.List(t.Context(), "[") {
		require.Error(t, err)
	}
}

// signedBy accepts files whose .sig is word, and notes what it read.
func signedBy(word string, opened *[]string) artifacts.Verifier {
	return artifacts.VerifierFunc(func(ctx context.Context, src artifacts.Source, info artifacts.Info, r io.Reader) error {
		sig, err := src.Open(ctx, artifacts.Beside(info.Name, ".sig"))
		if err != nil {
			return err
		}
		defer sig.Close()
		data, err := io.ReadAll(sig)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(r)
		if err != nil {
			return err
		}
		if digestOf(body) != info.Digest || int64(len(body)) != info.Size {
			return errors.New("content is not what info says")
		}
		*opened = append(*opened, string(data))
		if string(data) != word {
			return fmt.Errorf("signed by %q", data)
		}
		return nil
	})
}

func TestStoreGetWithVerifier(t *testing.T) {
	t.Parallel()

	web := newSite(t, map[string][]byte{"/kernel": []byte("a kernel")})
	src, name := artifacts.HTTP(web.Client()), web.URL+"/kernel"
	dir := t.TempDir()
	var opened []string
	verified := func() *artifacts.Store { return openStore(t, dir, artifacts.WithVerifier(signedBy("good", &opened))) }

	_, err := verified().Get(t.Context(), src, name)
	require.ErrorIs(t, err, fs.ErrNotExist, "no signature")
	assert.Empty(t, stored(t, dir), "what is refused is not kept")
	web.set("/kernel.sig", []byte("evil"))
	_, err = verified().Get(t.Context(), src, name)
	require.ErrorContains(t, err, `verify `+name+`: signed by "evil"`)

	// A store without verifiers takes it, which must not help it further.
	f, err := openStore(t, dir, artifacts.WithUnverified()).Get(t.Context(), src, name)
	assert.Equal(t, "a kernel", content(t, f, err))
	_, err = verified().Get(t.Context(), src, name)
	require.ErrorContains(t, err, `signed by "evil"`)

	web.set("/kernel.sig", []byte("good"))
	f, err = verified().Get(t.Context(), src, name)
	assert.Equal(t, "a kernel", content(t, f, err))

	web.Close()
	opened = nil
	f, err = verified().Get(t.Context(), src, name)
	assert.Equal(t, "a kernel", content(t, f, err))
	assert.Equal(t, []string{"good"}, opened, "without a network it is verified by what was seen last")
}

func TestChecksumsVerify(t *testing.T) {
	t.Parallel()

	web := newSite(t, map[string][]byte{"/kernel": []byte("a kernel"), "/initrd": []byte("an initrd")})
	list, err := artifacts.ParseChecksums(strings.NewReader(string(sums("kernel", []byte("a kernel"))) + string(sums("initrd", []byte("another")))))
	require.NoError(t, err)
	s := openStore(t, t.TempDir(), artifacts.WithVerifier(list))
	f, err := s.Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/kernel")
	assert.Equal(t, "a kernel", content(t, f, err))
	_, err = s.Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/initrd")
	var digest *artifacts.DigestError
	require.ErrorAs(t, err, &digest)
}

func TestParseDigest(t *testing.T) {
	t.Parallel()

	d, err := artifacts.ParseDigest("SHA256:" + strings.ToUpper(one))
	require.NoError(t, err)
	assert.Equal(t, artifacts.Digest("sha256:"+one), d)
	assert.Equal(t, "sha256", d.Algorithm())
	assert.Equal(t, one, d.Hex())
	for _, bad := range []string{"", one, "sha256:", "sha256:" + one[1:], "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:../" + one[3:], "sha512:" + one} {
		_, err := artifacts.ParseDigest(bad)
		require.Error(t, err, bad)
	}
}

func TestOpenStoreRefuses(t *testing.T) {
	t.Parallel()

	_, err := artifacts.OpenStore(t.TempDir(), artifacts.WithRetry(0, -1), artifacts.WithMaxSize(0),
		artifacts.WithIdleTimeout(0), artifacts.WithLogger(nil), artifacts.WithProgress(nil), artifacts.WithVerifier(nil))
	for _, want := range []string{"0 attempts", "wait -1ns", "maximum size 0", "idle timeout 0s", "logger is nil", "progress function is nil", "verifier is nil"} {
		require.ErrorContains(t, err, want)
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err = artifacts.OpenStore(file)
	require.ErrorContains(t, err, file)
}
