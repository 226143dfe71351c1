package ext_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// content returns all bytes of an image.
func content(tb testing.TB, image *mosaic.Image) []byte {
	tb.Helper()
	b, err := io.ReadAll(io.NewSectionReader(image, 0, image.Size()))
	require.NoError(tb, err)
	return b
}

// TestNewSameBytes pins the bytes that are made of a tree.
func TestNewSameBytes(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	all := kinds()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		image := newImage(t, oddFor(t, all[name]), all[name])
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(content(t, image)), name)
	}
	image := newImage(t, fstest.MapFS{}, ext.Volume{})
	fmt.Fprintf(&b, "%x  default, nothing\n", sha256.Sum256(content(t, image)))
	golden.Check(t, "digests.txt", []byte(b.String()))
}

// TestNewDerived checks that what is not given is made of what is.
func TestNewDerived(t *testing.T) {
	t.Parallel()
	uuid := func(v ext.Volume) string {
		return fmt.Sprintf("%x", content(t, newImage(t, fstest.MapFS{}, v))[1024+0x68:][:16])
	}
	seen := map[string]bool{}
	for _, v := range []ext.Volume{
		{}, {Label: "a"}, {Label: "b"}, {Version: 2}, {Size: 1 << 20}, {Time: someTime}, {UUID: [16]byte{1}},
	} {
		id := uuid(v)
		assert.False(t, seen[id], "%+v", v)
		assert.Equal(t, id, uuid(v))
		seen[id] = true
	}
}

// TestNewReadAt reads pieces of any length at any place, from several goroutines.
func TestNewReadAt(t *testing.T) {
	t.Parallel()
	image := newImage(t, tree(t, file("a", noise(5000, 1)), file("b/c", noise(100000, 2)), symlink("l", strings.Repeat("l", 100))), volume)
	want := content(t, image)
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 0))
			for range 500 {
				off := r.IntN(len(want))
				p := make([]byte, r.IntN(min(9000, len(want)-off)+1))
				_, err := image.ReadAt(p, int64(off))
				require.NoError(t, err)
				require.True(t, bytes.Equal(want[off:off+len(p)], p), "%d bytes at %d", len(p), off)
			}
		})
	}
}

func TestNewErrors(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat("x", 5000)
	for _, test := range []struct {
		name   string
		volume ext.Volume
		tree   fs.FS
		want   string
	}{
		{"label", ext.Volume{Label: "seventeen letters"}, nil, `ext: label "seventeen letters": has 17 bytes, not up to 16`},
		{"size", ext.Volume{Size: -1}, nil, "ext: size -1: not 0 to 17592186040320"},
		{"large", ext.Volume{Size: 1 << 60}, nil, "ext: size 1152921504606846976: not 0"},
		{"spare", ext.Volume{Spare: -1}, nil, "ext: spare -1: not 0"},
		{"much", ext.Volume{Spare: 17592186040320}, nil, "ext: the tree and 17592186040320 spare bytes need more than"},
		{"version", ext.Volume{Version: 3}, nil, "ext: version 3: not 2 or 4"},
		{"reserved", ext.Volume{Reserved: 51}, nil, "ext: reserved 51: not 0 to 50 percent"},
		{"time", ext.Volume{Time: time.Unix(1<<32, 0)}, nil, "not 1970 to 2106"},
		{"all", ext.Volume{Version: 3, Reserved: -1}, nil, "not 2 or 4\next: reserved -1"},
		{"small", ext.Volume{Size: 4096}, nil, "ext: size 4096: too small for the tree: at least 61440 bytes are missing"},
		{"full", ext.Volume{Size: 1 << 20}, tree(t, file("f", make([]byte, 1<<20))), "ext: size 1048576: too small for the tree: at least 53248 bytes are missing"},
		{"xattr", volume, tree(t, file("f", nil).With(xattrs("user.x", huge[:4096-32-4-20+1]))), "ext: f: extended attributes: they need 4 bytes more than one block has"},
		{"xattr value", volume, tree(t, file("f", nil).With(xattrs("user.x", huge))), `ext: f: extended attribute "user.x": value has 5000 bytes`},
		{"xattr name", volume, tree(t, file("f", nil).With(xattrs("user.", ""))), `ext: f: extended attribute "user.": name has 0 bytes`},
		{"acl", volume, tree(t, file("f", nil).With(xattrs("system.posix_acl_access", "acl"))), "is no access control list"},
		{"device", volume, tree(t, device(tar.TypeChar, "d/c", 4096, 0)), "ext: d/c: device 4096:0 not in 0:0..4095:1048575"},
		{"zero", volume, fstest.MapFS{"l": {Mode: fs.ModeSymlink, Data: []byte("a\x00b")}}, "ext: l: target holds a zero byte"},
		{"lost", volume, fstest.MapFS{"lost+found": {}}, "ext: lost+found: is not a directory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if test.tree == nil {
				test.tree = fstest.MapFS{}
			}
			_, err := ext.New(t.Context(), test.tree, test.volume)
			require.ErrorContains(t, err, test.want)
			if test.volume.Size != 0 {
				return
			}
			_, err = ext.MinSize(t.Context(), test.tree, test.volume)
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestNewCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(io.ErrClosedPipe)
	_, err := ext.New(ctx, fstest.MapFS{"a": {}}, volume)
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

// TestNewChanged reads an image after files of its tree changed.
func TestNewChanged(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"etc/issue": {Data: []byte("hello")}, "etc/motd": {Data: []byte("hello")}}
	image := newImage(t, tree, volume)
	tree["etc/issue"].Data = []byte("hello, world")
	_, err := io.Copy(io.Discard, io.NewSectionReader(image, 0, image.Size()))
	require.ErrorContains(t, err, "ext: etc/issue: has 12 bytes, and had 5")
	tree["etc/issue"].Data = []byte("HELLO")
	delete(tree, "etc/motd")
	_, err = io.Copy(io.Discard, io.NewSectionReader(image, 0, image.Size()))
	require.ErrorIs(t, err, fs.ErrNotExist)
}
