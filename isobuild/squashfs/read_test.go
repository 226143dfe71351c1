package squashfs_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/treetest"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// samples are the images in testdata/mksquashfs: the tree of sampleEntries
// and a socket, written by mksquashfs 4.5.1 with blocks of 4096 bytes.
func samples() []string { return []string{"gzip", "lz4", "xz", "zstd"} }

// sample returns the bytes of an image of samples.
func sample(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile("testdata/mksquashfs/" + name + ".img")
	require.NoError(tb, err)
	return b
}

// open opens the image b.
func open(tb testing.TB, b []byte, opts ...squashfs.OpenOption) *squashfs.FS {
	tb.Helper()
	tree, err := squashfs.Open(bytes.NewReader(b), int64(len(b)), opts...)
	require.NoError(tb, err)
	return tree
}

// sampleEntries returns the tree of samples.
func sampleEntries() []entry {
	var lines, numbers strings.Builder
	for i := range 2500 {
		fmt.Fprintf(&lines, "line %06d\n", i+1)
	}
	for i := range 6000 {
		fmt.Fprintf(&numbers, "%d\n", i+1)
	}
	note := strings.Repeat("v", 300)
	special := func(e entry, mode int64) entry {
		return e.With(func(h *tar.Header) { h.Mode, h.Gid = mode, 0 })
	}
	all := []entry{
		dir("."), dir("etc").With(treetest.Xattrs("trusted.t", "")),
		dir("run").With(func(h *tar.Header) { h.Mode = 0o1777 }), dir("empty").With(func(h *tar.Header) { h.Mode = 0o2750 }),
		file("etc/passwd", []byte("root:x:0:0\n")).With(func(h *tar.Header) {
			h.Uid, h.Gid, h.ModTime = treetest.ID(4000000000), treetest.ID(4294967294), time.Unix(2208988800, 0)
			treetest.Xattrs("user.note", note, "user.other", "1")(h) // The note is stored once, away from the list.
		}),
		file("usr/bin/aperl", []byte("binary")).With(func(h *tar.Header) {
			h.Mode, h.Gid = 0o4755, 3
			treetest.Xattrs("user.note", note, "security.capability", "\x01\x00\x00\x02\x00\x20"+strings.Repeat("\x00", 14))(h)
		}),
		link("usr/bin/perl", "usr/bin/aperl"),
		dir("usr"), dir("usr/bin"), dir("dev"), dir("many"),
		symlink("bin", "usr/bin"), symlink("abs", "/up/passwd"), symlink("up", "../../../etc"),
		symlink("far", strings.Repeat("long/", 200)), symlink("dangling", "nowhere"),
		file("lines", []byte(lines.String())).With(func(h *tar.Header) { h.ModTime = time.Unix(0, 0) }),
		file("hole", append(make([]byte, 100000), "end"...)), file("nothing", nil),
		file("whole", []byte(numbers.String()[:8192])),
		file(strings.Repeat("n", 255), []byte("x")), file("café", []byte("é")), file("caf\xe9", []byte("latin")),
		special(device(tar.TypeBlock, "dev/sda", 8, 1), 0o660).With(func(h *tar.Header) { h.Gid = 6 }),
		special(device(tar.TypeChar, "dev/null", 1, 70000), 0o666), special(device(tar.TypeFifo, "dev/initctl", 0, 0), 0o600),
	}
	for i := range 300 {
		all = append(all, file(fmt.Sprintf("many/%d", i+1), nil))
	}
	return all
}

func TestOpenReadsWhatMksquashfsWrote(t *testing.T) {
	t.Parallel()

	want := tree(t, sampleEntries()...)
	for _, name := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameTree(t, want, open(t, sample(t, name)))
		})
	}
}

func TestOpenReadsWhatWriteWrote(t *testing.T) {
	t.Parallel()

	want := odd(t)
	sameTree(t, want, open(t, write(t, want)))
	want = plain(t)
	both := kinds()
	maps.Copy(both, slow())
	for name, opts := range both {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sameTree(t, want, open(t, write(t, want, opts...)))
		})
	}
}

func TestFSIsAFileSystem(t *testing.T) {
	t.Parallel()

	tree := tree(t, dir("etc"), file("etc/passwd", text(300<<10, 1)), link("etc/shadow", "etc/passwd"),
		symlink("up", "../../etc"), device(tar.TypeBlock, "dev/sda", 8, 0), file("empty", nil)) // TestFS opens links, so each must lead somewhere.
	require.NoError(t, fstest.TestFS(open(t, write(t, tree)), "etc/passwd", "etc/shadow", "dev/sda", "up"))
}

func TestFSKeepsToTheContract(t *testing.T) {
	t.Parallel()

	tree := open(t, sample(t, "gzip"))
	first, err := tree.Lstat("usr/bin/aperl")
	require.NoError(t, err)
	h := first.Sys().(*tar.Header)
	assert.Equal(t, byte(tar.TypeReg), h.Typeflag)
	assert.Equal(t, "usr/bin/aperl", h.Name)
	assert.Equal(t, fs.ModeSetuid|0o755, first.Mode())

	further, err := tree.Stat("bin/perl")
	require.NoError(t, err)
	assert.Equal(t, "perl", further.Name())
	assert.Equal(t, int64(6), further.Size())
	h = further.Sys().(*tar.Header)
	assert.Equal(t, byte(tar.TypeLink), h.Typeflag)
	assert.Equal(t, "usr/bin/perl", h.Name, "without the link on the way")
	assert.Equal(t, "usr/bin/aperl", h.Linkname)
	assert.Equal(t, int64(0o4755), h.Mode)
	assert.Equal(t, strings.Repeat("v", 300), h.PAXRecords["SCHILY.xattr.user.note"])

	for _, name := range []string{"abs", "up/passwd", "etc/passwd"} {
		data, err := fs.ReadFile(tree, name)
		require.NoError(t, err)
		assert.Equal(t, "root:x:0:0\n", string(data))
	}
	target, err := tree.ReadLink("abs")
	require.NoError(t, err)
	assert.Equal(t, "/up/passwd", target)
	data, err := fs.ReadFile(tree, "dev/null")
	require.NoError(t, err)
	assert.Empty(t, data)
	_, err = tree.Stat("run/sock")
	assert.ErrorIs(t, err, fs.ErrNotExist, "sockets are left out")
}

func TestFSErrors(t *testing.T) {
	t.Parallel()

	tree := open(t, sample(t, "gzip"))
	_, err := tree.Open("dangling")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = tree.Stat("etc/passwd/x")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	for _, name := range []string{"/etc", "etc/", "../etc", "etc//passwd", "", "./etc", "\xff/"} {
		_, err = tree.Open(name)
		assert.ErrorIs(t, err, fs.ErrInvalid, name)
	}
	_, err = tree.ReadLink("etc/passwd")
	assert.ErrorIs(t, err, fs.ErrInvalid)
	_, err = tree.ReadLink("nowhere")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	_, err = tree.ReadDir("etc/passwd")
	assert.ErrorContains(t, err, "not a directory")
	_, err = tree.ReadDir("nowhere")
	assert.ErrorIs(t, err, fs.ErrNotExist)
	folder, err := tree.Open("etc")
	require.NoError(t, err)
	_, err = folder.Read(make([]byte, 1))
	assert.ErrorContains(t, err, "is a directory")
}

// A counter counts the calls for each place of an image.
type counter struct {
	io.ReaderAt
	mu    sync.Mutex
	calls map[int64]int
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	c.mu.Lock()
	c.calls[off]++
	c.mu.Unlock()
	return c.ReaderAt.ReadAt(p, off)
}

// TestFileReadsEachBlockOnce reads a whole image in all ways, with no cache
// but for what files keep: no block of data is read twice.
func TestFileReadsEachBlockOnce(t *testing.T) {
	t.Parallel()

	for name, read := range map[string]func(f fs.File) error{
		"one byte":    func(f fs.File) error { return drain(iotest.OneByteReader(f)) },
		"1000 bytes":  func(f fs.File) error { return drainBy(f, 1000) },
		"4096 bytes":  func(f fs.File) error { return drainBy(f, 4096) },
		"10000 bytes": func(f fs.File) error { return drainBy(f, 10000) },
		"ReadAll":     func(f fs.File) error { _, err := io.ReadAll(f); return err },
		"WriteTo":     func(f fs.File) error { _, err := f.(io.WriterTo).WriteTo(io.Discard); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image := write(t, tree(t, file("text", text(100<<10, 1)), file("noise", noise(50<<10, 2))), squashfs.WithBlockSize(4096))
			c := &counter{ReaderAt: bytes.NewReader(image), calls: make(map[int64]int)}
			tree, err := squashfs.Open(c, int64(len(image)), squashfs.WithCacheSize(0))
			require.NoError(t, err)
			for _, name := range []string{"text", "noise"} {
				f, err := tree.Open(name)
				require.NoError(t, err)
				clear(c.calls)
				require.NoError(t, read(f))
				for at, n := range c.calls {
					assert.Equal(t, 1, n, "%s: byte %d", name, at)
				}
				assert.GreaterOrEqual(t, len(c.calls), 12)
			}
		})
	}
}

// drain reads to the end.
func drain(r io.Reader) error { return drainBy(r, 512) }

// drainBy reads to the end with a buffer of n bytes.
func drainBy(r io.Reader, n int) error {
	for buf := make([]byte, n); ; {
		if _, err := r.Read(buf); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}

func TestFileReadsAnywhere(t *testing.T) {
	t.Parallel()

	want := bytes.Join([][]byte{text(9000, 1), make([]byte, 9000), noise(3000, 2)}, nil)
	tree := open(t, write(t, tree(t, file("f", want)), squashfs.WithBlockSize(4096)))
	f, err := tree.Open("f")
	require.NoError(t, err)
	file := f.(interface {
		io.ReaderAt
		io.ReadSeeker
		io.WriterTo
		Size() int64
	})
	assert.Equal(t, int64(len(want)), file.Size())
	for _, off := range []int64{0, 1, 4095, 4096, 8191, 12288, 12289, 17999, 20479, 20480, 20999} {
		for _, n := range []int{1, 10, 4096, 4097, 8192, 12000, 21000} {
			got := make([]byte, n)
			k, err := file.ReadAt(got, off)
			rest := want[off:]
			if n > len(rest) {
				assert.ErrorIs(t, err, io.EOF)
			} else {
				assert.NoError(t, err)
			}
			require.True(t, bytes.Equal(rest[:min(n, len(rest))], got[:k]), "%d bytes at %d", n, off)
		}
		_, err := file.Seek(off, io.SeekStart)
		require.NoError(t, err)
		var out bytes.Buffer
		k, err := file.WriteTo(&out)
		require.NoError(t, err)
		require.Equal(t, int64(len(want))-off, k)
		require.True(t, bytes.Equal(want[off:], out.Bytes()), "from %d", off)
		_, err = file.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF)
	}
	for off, want := range map[int64]error{21000: io.EOF, 1 << 62: io.EOF, -1: fs.ErrInvalid} {
		_, err := file.ReadAt(make([]byte, 1), off)
		if want == io.EOF { //nolint:errorlint // It has to be this very value.
			assert.Equal(t, want, err)
		} else {
			assert.Error(t, err)
		}
	}
	_, err = file.Seek(100, io.SeekEnd)
	require.NoError(t, err)
	n, err := file.WriteTo(io.Discard)
	assert.NoError(t, err)
	assert.Zero(t, n)
}

func TestFileWriteToStopsWhenTheWriterFails(t *testing.T) {
	t.Parallel()

	f, err := open(t, sample(t, "gzip")).Open("lines")
	require.NoError(t, err)
	broken := errors.New("connection reset")
	n, err := f.(io.WriterTo).WriteTo(&brokenWriter{5000, broken})
	assert.ErrorIs(t, err, broken)
	assert.Equal(t, int64(5000), n)
	rest, err := io.ReadAll(f)
	require.NoError(t, err)
	assert.Len(t, rest, 25000, "reading goes on behind what was written")
}

// A brokenWriter takes so many bytes.
type brokenWriter struct {
	left int
	err  error
}

func (w *brokenWriter) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	if w.left -= n; n < len(p) {
		return n, w.err
	}
	return n, nil
}

// TestFSIsSafeForConcurrentUse reads everything several times at once, with
// a cache that is always too small.
func TestFSIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()

	image := write(t, plain(t), squashfs.WithBlockSize(16<<10))
	tree := open(t, image, squashfs.WithCacheSize(40<<10))
	want := list(t, tree)
	shared, err := tree.Open("boot/config")
	require.NoError(t, err)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			assert.Equal(t, want, list(t, tree))
			for off := int64(i); ; off += 5000 {
				_, err := shared.(io.ReaderAt).ReadAt(make([]byte, 3000), off)
				if err != nil {
					assert.ErrorIs(t, err, io.EOF)
					return
				}
			}
		})
	}
	group.Wait()
}

// TestFSReportsErrorsOfTheReader breaks the reader behind an open image.
func TestFSReportsErrorsOfTheReader(t *testing.T) {
	t.Parallel()

	broken := errors.New("disk is gone")
	r := &fragile{ReaderAt: bytes.NewReader(sample(t, "gzip"))}
	tree, err := squashfs.Open(r, 12288, squashfs.WithCacheSize(0))
	require.NoError(t, err)
	f, err := tree.Open("lines")
	require.NoError(t, err)
	r.err = broken
	_, err = io.ReadAll(f)
	assert.ErrorIs(t, err, broken)
	assert.ErrorContains(t, err, "read lines: block ")
	_, err = tree.Open("lines")
	assert.ErrorIs(t, err, broken)
	r.err = nil
	_, err = io.ReadAll(f)
	assert.NoError(t, err, "the error is not kept")
}

// fragile fails once err is set.
type fragile struct {
	io.ReaderAt
	err error
}

func (f *fragile) ReadAt(p []byte, off int64) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	return f.ReaderAt.ReadAt(p, off)
}

// TestCacheKeepsToItsSize reads the ends of many files, which are blocks of
// their own and much shorter than one can be. It counts all memory of the process,
// so it runs alone.
func TestCacheKeepsToItsSize(t *testing.T) { //nolint:paralleltest // See above.
	var list []entry
	for i := range 200 {
		list = append(list, file(fmt.Sprint(i), append(make([]byte, 1<<20), noise(5000, uint64(i))...)))
	}
	tree := open(t, write(t, tree(t, list...)))
	before := heap()
	for i := range list {
		f, err := tree.Open(fmt.Sprint(i))
		require.NoError(t, err)
		_, err = f.(io.Seeker).Seek(1<<20, io.SeekStart)
		require.NoError(t, err)
		require.NoError(t, drainBy(f, 4096))
	}
	assert.Less(t, heap()-before, int64(10<<20))
	runtime.KeepAlive(tree)
}

// heap returns how many bytes are in use.
func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestOpenOptions(t *testing.T) {
	t.Parallel()

	image := sample(t, "gzip")
	for _, size := range []int64{-1, 1<<40 + 1} {
		_, err := squashfs.Open(bytes.NewReader(image), int64(len(image)), squashfs.WithCacheSize(size))
		assert.EqualError(t, err, fmt.Sprintf("squashfs: cache size %d not in 0..1099511627776", size))
	}
}

// TestOpenIgnoresWhatFollows reads an image in the middle of something else.
func TestOpenIgnoresWhatFollows(t *testing.T) {
	t.Parallel()

	image := append(bytes.Clone(sample(t, "zstd")), noise(5000, 1)...)
	data, err := fs.ReadFile(open(t, image), "etc/passwd")
	require.NoError(t, err)
	assert.Equal(t, "root:x:0:0\n", string(data))
}
