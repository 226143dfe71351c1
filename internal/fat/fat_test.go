package fat_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/fat"
	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// someTime is when the files of the tests changed.
var someTime = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// newImage returns the volume v with tree, or fails tb.
func newImage(tb testing.TB, tree fs.FS, v fat.Volume) *mosaic.Image {
	tb.Helper()
	image, err := fat.New(tb.Context(), tree, v)
	require.NoError(tb, err)
	return image
}

// contents returns the bytes of image.
func contents(tb testing.TB, image *mosaic.Image) []byte {
	tb.Helper()
	var buf bytes.Buffer
	require.NoError(tb, image.Copy(tb.Context(), &buf))
	require.EqualValues(tb, image.Size(), buf.Len())
	return buf.Bytes()
}

// file is a file of a tree in memory.
func file(content []byte) *fstest.MapFile {
	return &fstest.MapFile{Data: content, Mode: 0o644, ModTime: someTime}
}

// pattern returns size bytes that are not like those of another seed.
func pattern(size, seed int) []byte {
	b := make([]byte, size)
	x := uint32(seed)*2654435761 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

func TestNewDigest(t *testing.T) {
	t.Parallel()
	var list strings.Builder
	for _, bits := range []int{12, 16, 32} {
		image := newImage(t, odd(), fat.Volume{Label: "GOLDEN", Serial: 0xCAFE0123, Bits: bits, Hidden: 2048, Time: someTime})
		fmt.Fprintf(&list, "FAT%d %d bytes %x\n", bits, image.Size(), sha256.Sum256(contents(t, image)))
	}
	golden.Check(t, "digests.txt", []byte(list.String()))
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	full := fstest.MapFS{}
	for i := range 22000 { // Three entries each.
		full[fmt.Sprintf("a long directory/name of several entries %d", i)] = file(nil)
	}
	root := fstest.MapFS{}
	for i := range 32765 {
		root[fmt.Sprintf("name %d", i)] = file(nil)
	}
	for _, test := range []struct {
		name   string
		tree   fs.FS
		volume fat.Volume
		want   string
	}{
		{"case", fstest.MapFS{"a/README": file(nil), "a/readme": file(nil)}, fat.Volume{}, "fat: a/readme: differs from a/README only in case"},
		{"case of umlauts", fstest.MapFS{"Ä": file(nil), "ä": file(nil)}, fat.Volume{}, "fat: ä: differs from Ä only in case"},
		{"colon", fstest.MapFS{"d/a:b": file(nil)}, fat.Volume{}, "fat: d/a:b: name holds ':', which FAT cannot carry"},
		{"backslash", fstest.MapFS{`a\b`: file(nil)}, fat.Volume{}, `name holds '\\'`},
		{"control character", fstest.MapFS{"a\tb": file(nil)}, fat.Volume{}, `name holds '\t'`},
		{"dot at the end", fstest.MapFS{"a.": file(nil)}, fat.Volume{}, "fat: a.: name ends in a dot"},
		{"space at the end", fstest.MapFS{"a ": file(nil)}, fat.Volume{}, "name ends in a dot or a space"},
		{"256 units", fstest.MapFS{strings.Repeat("😀", 128): file(nil)}, fat.Volume{}, "name has 256 UTF-16 units"},
		{"a device", fstest.MapFS{"dev/null": {Mode: fs.ModeDevice | fs.ModeCharDevice}}, fat.Volume{}, "fat: dev/null: Dc--------- is neither"},
		{"a pipe", fstest.MapFS{"pipe": {Mode: fs.ModeNamedPipe}}, fat.Volume{}, "is neither file nor directory"},
		{"a link to a directory", fstest.MapFS{"d/e": file(nil), "l": {Mode: fs.ModeSymlink, Data: []byte("d")}}, fat.Volume{}, "fat: l: symbolic link to a directory"},
		{"a link to nothing", fstest.MapFS{"l": {Mode: fs.ModeSymlink, Data: []byte("none")}}, fat.Volume{}, "fat: l: "},
		{"a file of 4 GiB", sized{fstest.MapFS{"big": file(nil)}, 1 << 32}, fat.Volume{}, "fat: big: has 4294967296 bytes"},
		{"too many entries", full, fat.Volume{}, "fat: directory a long directory: its names take 87902 entries, and there may be 65536"},
		{"too many in the root", root, fat.Volume{Bits: 16}, "fat: directory .: its names take 65530 entries, and in FAT16 there may be 65520"},
		{"too small", fstest.MapFS{"f": file(make([]byte, 1<<20))}, fat.Volume{Size: 1 << 20}, "fat: size 1048576: FAT12 has room for"},
		{"no FAT32 of this size", fstest.MapFS{}, fat.Volume{Size: 1 << 20, Bits: 32}, "fat: size 1048576: no FAT32 volume has it"},
		{"no FAT16 of this size", fstest.MapFS{}, fat.Volume{Size: 8 << 30, Bits: 16}, "fat: size 8589934592: no FAT16 volume has it"},
		{"tiny", fstest.MapFS{}, fat.Volume{Size: 512}, "fat: size 512: "},
		{"half a sector", fstest.MapFS{}, fat.Volume{Size: 1<<20 + 1}, "fat: size 1048577: not a multiple of 512"},
		{"negative spare", fstest.MapFS{}, fat.Volume{Spare: -1}, "fat: spare -1"},
		{"bits", fstest.MapFS{}, fat.Volume{Bits: 8}, "fat: bits 8: not 0, 12, 16 or 32"},
		{"long label", fstest.MapFS{}, fat.Volume{Label: "TWELVE CHARS"}, `fat: label "TWELVE CHARS": has 12 bytes`},
		{"label in lower case", fstest.MapFS{}, fat.Volume{Label: "efi"}, `fat: label "efi": holds 'e'`},
		{"label with a space", fstest.MapFS{}, fat.Volume{Label: "EFI "}, "begins or ends with a space"},
		{"no root", fstest.MapFS{".": file(nil)}, fat.Volume{}, "fat: .: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := fat.New(t.Context(), test.tree, test.volume)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestNewCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	_, err := fat.New(ctx, fstest.MapFS{"a": file(nil)}, fat.Volume{})
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

// sized is a tree all of whose files say that they have size bytes.
type sized struct {
	fstest.MapFS
	size int64
}

func (s sized) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := s.MapFS.ReadDir(name)
	for i, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		entries[i] = fs.FileInfoToDirEntry(sizedInfo{info, s.size})
	}
	return entries, err
}

type sizedInfo struct {
	fs.FileInfo
	size int64
}

func (i sizedInfo) Size() int64 { return i.size }

// TestNewReadsLinks has links to files, through another link and out of a
// directory.
func TestNewReadsLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(dir+"/d", 0o755))
	require.NoError(t, os.WriteFile(dir+"/target", []byte("linked content"), 0o644))
	require.NoError(t, os.Symlink("../target", dir+"/d/link"))
	require.NoError(t, os.Symlink("d/link", dir+"/again"))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	image := contents(t, newImage(t, root.FS(), fat.Volume{}))
	assert.Equal(t, 3, bytes.Count(image, []byte("linked content")))
}

// A stream is a tree whose files can only be read from their start, and which
// counts those that are open.
type stream struct {
	fs.FS
	open, most *atomic.Int32
}

func (s stream) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	if err != nil {
		return nil, err
	}
	if _, ok := f.(fs.ReadDirFile); ok {
		return f, nil
	}
	s.most.Store(max(s.most.Load(), s.open.Add(1)))
	return streamFile{f, s.open}, nil
}

type streamFile struct {
	fs.File
	open *atomic.Int32
}

func (f streamFile) Close() error {
	f.open.Add(-1)
	return f.File.Close()
}

func TestNewReadsStreams(t *testing.T) {
	t.Parallel()
	plain := fstest.MapFS{"small": file([]byte("s")), "big": file(pattern(3<<20+17, 5))}
	for i := range 300 {
		plain[fmt.Sprint("f", i)] = file(pattern(3000+i, i))
	}
	tree := stream{plain, new(atomic.Int32), new(atomic.Int32)}
	image := newImage(t, tree, fat.Volume{})
	assert.Zero(t, tree.most.Load(), "no file is opened before the image is read")
	assert.True(t, bytes.Equal(contents(t, newImage(t, plain, fat.Volume{})), contents(t, image)))
	assert.EqualValues(t, 1, tree.most.Load())
	assert.Zero(t, tree.open.Load())
}

// TestNewReadsAnywhere reads a volume in odd ranges.
func TestNewReadsAnywhere(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{12, 16, 32} {
		image := newImage(t, odd(), fat.Volume{Bits: bits})
		whole := contents(t, image)
		used := len(bytes.TrimRight(whole, "\x00"))
		for off, n := 0, 1; off < used; n = (n*7 + 3) % 10007 {
			part := make([]byte, min(n, len(whole)-off))
			_, err := image.ReadAt(part, int64(off))
			require.NoError(t, err)
			require.True(t, bytes.Equal(whole[off:off+len(part)], part), "FAT%d at %d", bits, off)
			off += n
		}
		_, err := image.ReadAt(make([]byte, 1), image.Size())
		require.ErrorIs(t, err, io.EOF)
	}
}

func TestNewWhenFileChanges(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	name := dir + "/changing"
	require.NoError(t, os.WriteFile(name, make([]byte, 1000), 0o644))
	image := newImage(t, os.DirFS(dir), fat.Volume{})
	require.NoError(t, image.Copy(t.Context(), io.Discard))
	require.NoError(t, os.Truncate(name, 900))
	require.ErrorContains(t, image.Copy(t.Context(), io.Discard), "fat: changing: has 900 bytes, and had 1000")
	require.NoError(t, os.Remove(name))
	require.ErrorIs(t, image.Copy(t.Context(), io.Discard), fs.ErrNotExist)
	short := newImage(t, sized{fstest.MapFS{"lies": file([]byte("abc"))}, 3}, fat.Volume{})
	require.NoError(t, short.Copy(t.Context(), io.Discard))
}
