package squashfs_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// TestWriteBytes pins the format: same tree, same options, same bytes, on
// every machine and with any number of workers.
func TestWriteBytes(t *testing.T) {
	t.Parallel()

	var list strings.Builder
	large, small := odd(t), plain(t)
	for _, c := range []struct {
		name string
		tree fs.FS
		opts []squashfs.Option
	}{
		{"default", large, nil},
		{"zstd 1", small, []squashfs.Option{squashfs.WithLevel(1), squashfs.WithBlockSize(128 << 10)}},
		{"zstd 3", small, []squashfs.Option{squashfs.WithLevel(3), squashfs.WithBlockSize(4 << 10)}},
		{"zstd 22", small, []squashfs.Option{squashfs.WithLevel(22)}},
		{"gzip", large, []squashfs.Option{squashfs.WithCompression(squashfs.Gzip)}},
		{"gzip 1", small, []squashfs.Option{squashfs.WithCompression(squashfs.Gzip), squashfs.WithLevel(1), squashfs.WithBlockSize(16 << 10)}},
		{"gzip 9", small, []squashfs.Option{squashfs.WithCompression(squashfs.Gzip), squashfs.WithLevel(9)}},
		{"xz", small, []squashfs.Option{squashfs.WithCompression(squashfs.XZ), squashfs.WithTime(someTime)}},
	} {
		one := write(t, c.tree, append(c.opts, squashfs.WithWorkers(1))...)
		eight := write(t, c.tree, append(c.opts, squashfs.WithWorkers(8))...)
		assert.True(t, bytes.Equal(one, eight), c.name)
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(one), c.name)
	}
	golden.Check(t, "digests.txt", []byte(list.String()))
}

// TestWriteForOpen reads with our own reader what was written.
func TestWriteForOpen(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		tree fs.FS
		opts []squashfs.Option
	}{
		"zstd": {odd(t), nil},
		"gzip": {odd(t), []squashfs.Option{squashfs.WithCompression(squashfs.Gzip), squashfs.WithBlockSize(4096)}},
		"xz":   {plain(t), []squashfs.Option{squashfs.WithCompression(squashfs.XZ)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image := write(t, c.tree, c.opts...)
			got, err := squashfs.Open(bytes.NewReader(image), int64(len(image)))
			require.NoError(t, err)
			sameTree(t, c.tree, got)
			again := write(t, got, c.opts...)
			assert.True(t, bytes.Equal(image, again), "an image of the image's tree is the same")
		})
	}
}

func TestWriteSuperblock(t *testing.T) {
	t.Parallel()

	last := time.Unix(1800000000, 0)
	root := tree(t, dir("."), file("a", nil).With(func(h *tar.Header) { h.ModTime = last }))
	image := write(t, root)
	assert.Zero(t, len(image)%4096)
	assert.Equal(t, "hsqs", string(image[:4]))
	assert.EqualValues(t, 2, binary.LittleEndian.Uint32(image[4:]), "inodes")
	assert.EqualValues(t, last.Unix(), binary.LittleEndian.Uint32(image[8:]), "the latest time of an entry")

	image = write(t, root, squashfs.WithTime(someTime))
	assert.EqualValues(t, someTime.Unix(), binary.LittleEndian.Uint32(image[8:]))
}

// TestWriteStoresDuplicatesOnce writes files that cannot be packed, so that
// their number shows in the size.
func TestWriteStoresDuplicatesOnce(t *testing.T) {
	t.Parallel()

	for name, size := range map[string]int{"short": 1000, "a block": 1 << 20, "held": 2<<20 + 5, "long": 4<<20 + 7} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := noise(size, 1)
			once := tree(t, file("a", content))
			thrice := tree(t, file("a", content), file("b", content), file("c", content))
			assert.InDelta(t, len(write(t, once)), len(write(t, thrice)), 4096)

			other := bytes.Clone(content)
			other[size-1]++
			image := write(t, tree(t, file("a", content), file("b", other)))
			assert.Greater(t, len(image), 2*size)
		})
	}
}

// TestWriteLeavesNothingBehind ends with a long duplicate, which is written
// and taken back.
func TestWriteLeavesNothingBehind(t *testing.T) {
	t.Parallel()

	content := noise(5<<20, 1)
	var m image
	size, err := squashfs.Write(t.Context(), &m, tree(t, file("a", content), file("b", content)))
	require.NoError(t, err)
	require.Greater(t, len(m.b), int(size))
	assert.Equal(t, make([]byte, len(m.b)-int(size)), m.b[size:])
}

// TestWriteSharesBlocks makes a tree of files that all have the same few
// sizes, in which most are duplicates.
func TestWriteSharesBlocks(t *testing.T) {
	t.Parallel()

	r := rand.New(rand.NewPCG(1, 2))
	var list []entry
	for i := range 300 {
		list = append(list, file(fmt.Sprint(i), noise(4096*r.IntN(3)+r.IntN(2)*100, uint64(r.IntN(3)))))
	}
	image := write(t, tree(t, list...), squashfs.WithBlockSize(4096))
	assert.Less(t, len(image), 84<<10, "what is different has 75 KB")
}

// A countFS counts what is read of files.
type countFS struct {
	fs.ReadLinkFS

	opened, read atomic.Int64
}

func (c *countFS) Open(name string) (fs.File, error) {
	f, err := c.ReadLinkFS.Open(name)
	c.opened.Add(1)
	return &countFile{f, c}, err
}

type countFile struct {
	fs.File

	count *countFS
}

func (f *countFile) Read(p []byte) (int, error) {
	n, err := f.File.Read(p)
	f.count.read.Add(int64(n))
	return n, err
}

func TestWriteReadsOnce(t *testing.T) {
	t.Parallel()

	count := &countFS{ReadLinkFS: odd(t).(fs.ReadLinkFS)}
	var calls [][2]int64
	write(t, dirFS{count}, squashfs.WithProgress(func(name string, done, total int64) {
		assert.Equal(t, "squashfs", name)
		calls = append(calls, [2]int64{done, total})
	}))

	var files, bytes int64
	for _, e := range list(t, count.ReadLinkFS) {
		if e.Same == "" && e.Mode.IsRegular() && e.Size > 0 {
			files++
			bytes += e.Size
		}
	}
	assert.Equal(t, files, count.opened.Load())
	assert.Equal(t, bytes, count.read.Load())
	assert.Equal(t, [2]int64{0, bytes}, calls[0])
	assert.Equal(t, [2]int64{bytes, bytes}, calls[len(calls)-1])
}

// A dirFS lists directories without opening them.
type dirFS struct{ *countFS }

func (d dirFS) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(d.ReadLinkFS, name) }

func TestWriteWhenCancelled(t *testing.T) {
	t.Parallel()

	why := errors.New("why it was cancelled")
	t.Run("before", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		_, err := squashfs.Write(ctx, &image{}, plain(t))
		assert.ErrorIs(t, err, why)
	})
	t.Run("while reading", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancelCause(t.Context())
		var m image
		_, err := squashfs.Write(ctx, &m, endless{func() { cancel(why) }})
		require.ErrorIs(t, err, why)
		assert.NotContains(t, string(m.b), "hsqs", "an unfinished image has no superblock")
	})
}

// An endless tree has one file of 1 EiB, which cancels when 4 MiB are read.
type endless struct{ cancel func() }

func (e endless) Open(string) (fs.File, error) { return &endlessFile{cancel: e.cancel}, nil }

func (e endless) Lstat(string) (fs.FileInfo, error) {
	return fs.Stat(fstest.MapFS{}, ".")
}

func (e endless) ReadLink(string) (string, error) { return "", fs.ErrInvalid }

func (e endless) ReadDir(string) ([]fs.DirEntry, error) {
	return []fs.DirEntry{fs.FileInfoToDirEntry(endlessInfo{})}, nil
}

type endlessFile struct {
	fs.File

	cancel func()
	read   int
}

func (f *endlessFile) Close() error { return nil }

func (f *endlessFile) Read(p []byte) (int, error) {
	if f.read += len(p); f.read > 4<<20 {
		f.cancel()
	}
	p[0] = 1
	return len(p), nil
}

type endlessInfo struct{}

func (endlessInfo) Name() string       { return "endless" }
func (endlessInfo) Size() int64        { return 64 << 30 }
func (endlessInfo) Mode() fs.FileMode  { return 0o644 }
func (endlessInfo) ModTime() time.Time { return someTime }
func (endlessInfo) IsDir() bool        { return false }
func (endlessInfo) Sys() any           { return nil }

// A failing is an io.WriterAt that is full.
type failing struct{ room int64 }

var errFull = errors.New("no space left")

func (f failing) WriteAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > f.room {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteWhenFull(t *testing.T) {
	t.Parallel()

	small := plain(t)
	whole := int64(len(write(t, small)))
	for room := int64(0); room < whole; room += 4096 {
		_, err := squashfs.Write(t.Context(), failing{room}, small, squashfs.WithBlockSize(8<<10))
		assert.ErrorIs(t, err, errFull)
		assert.ErrorContains(t, err, "squashfs: write image: ")
	}
	_, err := squashfs.Write(t.Context(), silent{}, small)
	require.ErrorIs(t, err, io.ErrShortWrite)
}

// TestWriteOverAnImage fails where there was an image before, which must not
// pass for the new one.
func TestWriteOverAnImage(t *testing.T) {
	t.Parallel()

	m := image{write(t, tree(t, file("a", noise(20000, 1)), file("b", text(100, 2))))}
	errDisk := errors.New("disk is broken")
	read := 0
	root := brokenFS{tree(t, file("a", noise(20000, 3)), file("b", text(100, 2))).(fs.ReadLinkFS), func(f fs.File) (fs.File, error) {
		if read++; read > 1 {
			return nil, errDisk
		}
		return f, nil
	}}
	_, err := squashfs.Write(t.Context(), &m, root, squashfs.WithBlockSize(4096))
	require.ErrorIs(t, err, errDisk)
	_, err = squashfs.Open(bytes.NewReader(m.b), int64(len(m.b)))
	assert.ErrorContains(t, err, "squashfs: magic number 0x00000000 is not that of SquashFS")

	size, err := squashfs.Write(t.Context(), &m, root.ReadLinkFS)
	require.NoError(t, err)
	sameTree(t, root.ReadLinkFS, open(t, m.b[:size]))
}

// A silent io.WriterAt takes less than it is given, and says nothing.
type silent struct{}

func (silent) WriteAt(p []byte, _ int64) (int, error) { return len(p) - 1, nil }

// A brokenFS is a tree whose files end early, cannot be read or opened.
type brokenFS struct {
	fs.ReadLinkFS

	open func(f fs.File) (fs.File, error)
}

func (b brokenFS) Open(name string) (fs.File, error) {
	f, err := b.ReadLinkFS.Open(name)
	if info, err := f.Stat(); err != nil || info.IsDir() {
		return f, err
	}
	if err != nil {
		return nil, err
	}
	return b.open(f)
}

type readFile struct {
	fs.File

	r io.Reader
}

func (f readFile) Read(p []byte) (int, error) { return f.r.Read(p) }

func TestWriteWhenFilesCannotBeRead(t *testing.T) {
	t.Parallel()

	errDisk := errors.New("disk is broken")
	for name, c := range map[string]struct {
		open func(f fs.File) (fs.File, error)
		want string
	}{
		"open":  {func(fs.File) (fs.File, error) { return nil, errDisk }, "squashfs: etc/passwd: disk is broken"},
		"read":  {func(f fs.File) (fs.File, error) { return readFile{f, failingReader{errDisk}}, nil }, "squashfs: etc/passwd: disk is broken"},
		"short": {func(f fs.File) (fs.File, error) { return readFile{f, io.LimitReader(f, 5000)}, nil }, "squashfs: etc/passwd: ends after 5000 of 10000 bytes"},
		"empty": {func(f fs.File) (fs.File, error) { return readFile{f, io.LimitReader(f, 0)}, nil }, "squashfs: etc/passwd: ends after 0 of 10000 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := brokenFS{tree(t, file("etc/passwd", text(10000, 1))).(fs.ReadLinkFS), c.open}
			for _, size := range []int{4096, 1 << 20} {
				_, err := squashfs.Write(t.Context(), &image{}, root, squashfs.WithBlockSize(size))
				assert.EqualError(t, err, c.want)
			}
		})
	}
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// An infoFS is a tree with one entry that has any name and header.
type infoFS struct {
	endless

	info fs.FileInfo
}

func (f infoFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, fs.ErrNotExist
	}
	return []fs.DirEntry{fs.FileInfoToDirEntry(f.info)}, nil
}

func TestWriteWhenImpossible(t *testing.T) {
	t.Parallel()

	xattr := func(name string, size int) map[string]string {
		return map[string]string{"SCHILY.xattr." + name: strings.Repeat("v", size)}
	}
	many := make(map[string]string)
	for i := range 17 {
		maps.Copy(many, xattr(fmt.Sprint("user.", i), 64<<10))
	}
	for want, h := range map[string]*tar.Header{
		"squashfs: f: owner: ID -1 not in 0..4294967295":                                                      {Name: "f", Uid: -1},
		"squashfs: f: device 4096:0 not in 0:0..4095:1048575":                                                 {Name: "f", Typeflag: tar.TypeChar, Devmajor: 4096},
		"squashfs: f: size is 17592186044417, at most 17592186044416 is possible in blocks of 1048576 bytes":  {Name: "f", Size: 1<<44 + 1},
		"squashfs: f: extended attribute \"user.\": name has 0 bytes, 1 to 250 are possible":                  {Name: "f", PAXRecords: xattr("user.", 1)},
		"squashfs: f: extended attribute \"security.big\": value has 65537 bytes, at most 65536 are possible": {Name: "f", PAXRecords: xattr("security.big", 65537)},
		"squashfs: f: attributes of one file take more than 1048576 bytes":                                    {Name: "f", PAXRecords: many},
		"squashfs: f: file does not exist":                                                                    {Name: "f", Typeflag: tar.TypeDir},
	} {
		if strconv.IntSize == 32 && strings.Contains(want, " ID ") {
			continue // All that an int can be is an owner.
		}
		_, err := squashfs.Write(t.Context(), &image{}, infoFS{info: headerInfo{h.FileInfo(), h}})
		assert.EqualError(t, err, want)
	}
}

// A headerInfo is what a header says, whatever it is.
type headerInfo struct {
	fs.FileInfo

	h *tar.Header
}

func (i headerInfo) Sys() any { return i.h }

func TestWriteWhenThereAreTooManyIDs(t *testing.T) {
	t.Parallel()

	var list []entry
	for i := range 33000 {
		list = append(list, file(fmt.Sprintf("%05d", i), nil).With(func(h *tar.Header) { h.Uid, h.Gid = 1000+i, 100000+i }))
	}
	_, err := squashfs.Write(t.Context(), &image{}, tree(t, list...))
	assert.EqualError(t, err, "squashfs: 32767: owner: more than 65535 different owners and groups")
}

func TestWriteWhenRootIsNoDirectory(t *testing.T) {
	t.Parallel()

	_, err := squashfs.Write(t.Context(), &image{}, fstest.MapFS{".": {Mode: 0o644}})
	assert.EqualError(t, err, "squashfs: .: the root is not a directory")
}

func TestWriteOptions(t *testing.T) {
	t.Parallel()

	_, err := squashfs.Write(t.Context(), &image{}, fstest.MapFS{}, squashfs.WithBlockSize(5000), squashfs.WithLevel(23),
		squashfs.WithWorkers(0), squashfs.WithProgress(nil))
	assert.EqualError(t, err, `squashfs: zstd level 23 not in 1..22
squashfs: block size 5000 is not a power of two in 4096..1048576
squashfs: 0 workers not in 1..256
squashfs: progress function is nil`)

	for want, opts := range map[string][]squashfs.Option{
		"squashfs: cannot write lz4, want gzip, xz or zstd":                   {squashfs.WithCompression(5)},
		"squashfs: xz has no levels, found 6":                                 {squashfs.WithCompression(squashfs.XZ), squashfs.WithLevel(6)},
		"squashfs: gzip level 10 not in 1..9":                                 {squashfs.WithCompression(squashfs.Gzip), squashfs.WithLevel(10)},
		"squashfs: zstd level -1 not in 1..22":                                {squashfs.WithLevel(-1)},
		"squashfs: block size 2097152 is not a power of two in 4096..1048576": {squashfs.WithBlockSize(2 << 20)},
	} {
		_, err := squashfs.Write(t.Context(), &image{}, fstest.MapFS{}, opts...)
		assert.EqualError(t, err, want)
	}
}

func TestCompressionString(t *testing.T) {
	t.Parallel()

	for c, want := range map[squashfs.Compression]string{squashfs.Gzip: "gzip", 2: "lzma", 3: "lzo", squashfs.XZ: "xz", 5: "lz4", squashfs.Zstd: "zstd", 7: "compression 7"} {
		assert.Equal(t, want, c.String())
	}
}
