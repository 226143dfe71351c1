package artifacts_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestMain lets the test binary be the other process of a test.
func TestMain(m *testing.M) {
	if dir := os.Getenv("NETBOOTKIT_TEST_CHILD"); dir != "" {
		os.Exit(child(dir, os.Getenv("NETBOOTKIT_TEST_URL")))
	}
	os.Exit(m.Run())
}

// child fetches a file into the store in dir.
func child(dir, url string) int {
	s, err := artifacts.OpenStore(dir, artifacts.WithRetry(5, time.Millisecond))
	if err != nil {
		return 3
	}
	f, err := s.Get(context.Background(), artifacts.HTTP(nil), url)
	if err != nil {
		os.Stderr.WriteString(err.Error())
		return 4
	}
	os.Stdout.WriteString(string(f.Info().Digest))
	return 0
}

func startChild(t *testing.T, dir, url string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), "NETBOOTKIT_TEST_CHILD="+dir, "NETBOOTKIT_TEST_URL="+url)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, &out
}

// TestStoreGetAfterKill kills a process with signal 9 while it fetches, once
// after each of several numbers of bytes, and lets the next one go on.
func TestStoreGetAfterKill(t *testing.T) {
	t.Parallel()

	body := randomBytes(8 << 20)
	web := newSite(t, map[string][]byte{"/iso": body, "/iso.sha256": sums("iso", body)})
	dir := t.TempDir()
	last := -1
	for _, more := range []int{0, 1, 100_000, 3 << 20} {
		arrived, release := make(chan struct{}), make(chan struct{})
		web.fail(pass, func(w http.ResponseWriter, r *http.Request) bool {
			start := 0
			if span := r.Header.Get("Range"); span != "" {
				start, _ = strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(span, "bytes="), "-"))
				w.Header().Set("Content-Range", "bytes "+strconv.Itoa(start)+"-"+strconv.Itoa(len(body)-1)+"/"+strconv.Itoa(len(body)))
			}
			w.Header().Set("ETag", etagOf(body))
			w.Header().Set("Content-Length", strconv.Itoa(len(body)-start))
			if start > 0 {
				w.WriteHeader(http.StatusPartialContent)
			}
			assert.GreaterOrEqual(t, start, last, "what is there is not fetched again")
			last = start + more
			_, _ = w.Write(body[start : start+more])
			_ = http.NewResponseController(w).Flush()
			close(arrived)
			<-release
			return true
		})
		cmd, _ := startChild(t, dir, web.URL+"/iso")
		<-arrived
		// The bytes are on their way; wait until they are in the file.
		require.Eventually(t, func() bool { return partialSize(dir) >= int64(last) }, 30*time.Second, time.Millisecond)
		require.NoError(t, cmd.Process.Signal(syscall.SIGKILL))
		_ = cmd.Wait()
		close(release)
		for _, name := range stored(t, dir) {
			assert.True(t, strings.HasPrefix(name, "partial/"), "%s cannot be complete", name)
		}
	}
	web.requests()
	f, err := openStore(t, dir).Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/iso")
	require.Equal(t, string(body), content(t, f, err))
	assert.Equal(t, []string{"blobs/sha256/" + digestOf(body).Hex()}, stored(t, dir))
}

// partialSize returns the size of the largest file in the folder for what is
// half fetched, −1 if there is none.
func partialSize(dir string) int64 {
	size := int64(-1)
	names, _ := filepath.Glob(filepath.Join(dir, "partial", "*"))
	for _, name := range names {
		if info, err := os.Stat(name); err == nil && filepath.Ext(name) != ".json" {
			size = max(size, info.Size())
		}
	}
	return size
}

// TestStoreGetFromTwoProcesses lets several processes fetch the same at once.
func TestStoreGetFromTwoProcesses(t *testing.T) {
	t.Parallel()

	body := randomBytes(4 << 20)
	web := newSite(t, map[string][]byte{"/iso": body, "/iso.sha256": sums("iso", body)})
	dir := t.TempDir()
	const processes = 4
	var cmds []*exec.Cmd
	var outs []*bytes.Buffer
	for range processes {
		cmd, out := startChild(t, dir, web.URL+"/iso")
		cmds, outs = append(cmds, cmd), append(outs, out)
	}
	for i, cmd := range cmds {
		require.NoError(t, cmd.Wait(), outs[i].String())
		assert.Equal(t, string(digestOf(body)), outs[i].String())
	}
	fetched := 0
	for _, r := range web.requests() {
		if r == "GET /iso" {
			fetched++
		}
	}
	assert.Equal(t, 1, fetched, "one fetches, the others wait")
	assert.Equal(t, []string{"blobs/sha256/" + digestOf(body).Hex()}, stored(t, dir))
}

func TestStoreGetWhenDiskIsFull(t *testing.T) {
	t.Parallel()
	oracle.Root(t)

	dir := t.TempDir()
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	body := randomBytes(2 << 20)
	web := newSite(t, map[string][]byte{"/iso": body})
	s := openStore(t, dir)
	_, err := s.Fetch(t.Context(), artifacts.HTTP(web.Client()), artifacts.Info{Name: web.URL + "/iso", Size: -1, Digest: digestOf(body)})
	require.ErrorIs(t, err, syscall.ENOSPC)
	assert.Contains(t, err.Error(), dir+"/partial/"+digestOf(body).Hex()+": no space left on device")
	assert.Empty(t, stored(t, dir), "what was fetched is removed, and its space free")
	assert.Equal(t, []string{"GET /iso"}, web.requests(), "trying again would be in vain")

	small := []byte("fits")
	web.set("/small", small)
	f, err := s.Fetch(t.Context(), artifacts.HTTP(web.Client()), artifacts.Info{Name: web.URL + "/small", Size: -1, Digest: digestOf(small)})
	assert.Equal(t, "fits", content(t, f, err))
}

// TestStoreGetKeepsToItsMode checks that no stored file can be written to.
func TestStoreGetKeepsToItsMode(t *testing.T) {
	t.Parallel()

	web := newSite(t, map[string][]byte{"/a": []byte("a")})
	dir := t.TempDir()
	f, err := openStore(t, dir, artifacts.WithUnverified()).Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/a")
	require.NoError(t, err)
	defer f.Close()
	info, err := os.Stat(filepath.Join(dir, "blobs/sha256", f.Info().Digest.Hex()))
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o444), info.Mode())
	_, err = f.WriteAt([]byte("b"), 0)
	require.Error(t, err, "the file is open for reading only")
}

// TestStoreGetAfterKillAtAnyTime kills processes at whatever they are doing.
func TestStoreGetAfterKillAtAnyTime(t *testing.T) {
	t.Parallel()

	body := randomBytes(1 << 20)
	web := newSite(t, map[string][]byte{"/iso": body, "/iso.sha256": sums("iso", body)})
	dir := t.TempDir()
	delays := rand.New(rand.NewPCG(1, 2))
	for range 25 {
		cmd, out := startChild(t, dir, web.URL+"/iso")
		time.AfterFunc(time.Duration(delays.IntN(int(60*time.Millisecond))), func() { _ = cmd.Process.Kill() })
		if cmd.Wait() == nil {
			assert.Equal(t, string(digestOf(body)), out.String())
		}
		if f, err := openStore(t, dir).Lookup(digestOf(body)); err == nil {
			require.Equal(t, string(body), content(t, f, nil), "what is stored is whole")
			_, err := openStore(t, dir).Prune(t.Context(), 0)
			require.NoError(t, err)
		}
	}
	f, err := openStore(t, dir).Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/iso")
	require.Equal(t, string(body), content(t, f, err))
}

func TestStoreGetFromReadOnlyDisk(t *testing.T) {
	t.Parallel()
	oracle.Root(t)

	dir := t.TempDir()
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"))
	t.Cleanup(func() { assert.NoError(t, syscall.Unmount(dir, syscall.MNT_DETACH)) })
	body := []byte("a kernel")
	web := newSite(t, map[string][]byte{"/kernel": body, "/kernel.sha256": sums("kernel", body)})
	f, err := openStore(t, dir).Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/kernel")
	require.Equal(t, "a kernel", content(t, f, err))
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, "size=1m"))
	f, err = openStore(t, dir).Get(t.Context(), artifacts.HTTP(web.Client()), web.URL+"/kernel")
	require.Equal(t, "a kernel", content(t, f, err))
}
