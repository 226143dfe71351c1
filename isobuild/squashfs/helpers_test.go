package squashfs_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/treetest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// someTime is when the files of these tests changed.
var someTime = time.Unix(treetest.Time, 0).UTC()

// An entry of a tree has short makers, for long lists.
type entry = treetest.Entry

var (
	file, dir, symlink, link = treetest.File, treetest.Dir, treetest.Symlink, treetest.Link
	device, tree, noise      = treetest.Device, treetest.New, treetest.Noise
)

// An image is an io.WriterAt in memory.
type image struct{ b []byte }

func (m *image) WriteAt(p []byte, off int64) (int, error) {
	if grow := int(off) + len(p) - len(m.b); grow > 0 {
		m.b = append(m.b, make([]byte, grow)...)
	}
	return copy(m.b[off:], p), nil
}

// write returns the image of tree.
func write(tb testing.TB, tree fs.FS, opts ...squashfs.Option) []byte {
	tb.Helper()
	var m image
	size, err := squashfs.Write(tb.Context(), &m, tree, opts...)
	require.NoError(tb, err)
	require.LessOrEqual(tb, size, int64(len(m.b)))
	return m.b[:size]
}

// text returns n bytes that can be packed.
func text(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 0))
	words := []string{"kernel ", "initrd ", "boot ", "root=live:LABEL ", "console=ttyS0\n", "menuentry ", "{ ", "}\n"}
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString(words[r.IntN(len(words))])
		if r.IntN(8) == 0 {
			fmt.Fprintf(&b, "%x ", r.Uint32())
		}
	}
	return b.Bytes()[:n]
}

// odd returns a tree with one of everything, except for sockets, which tar
// does not have.
func odd(tb testing.TB) fs.FS {
	tb.Helper()
	both := noise(4<<20+77, 1) // Longer than what is held.
	holes := slices.Concat(make([]byte, 1<<20), text(5000, 2), make([]byte, 1<<20+123), noise(1, 3))
	capability := "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	list := []entry{
		dir(".").With(func(h *tar.Header) { h.Mode, h.Uid = 0o1755, 12 }),
		file("empty", nil), file("one", []byte("x")), file("same-as-one", []byte("x")),
		file("block", text(1<<20, 4)), file("block+1", text(1<<20+1, 5)), file("many", text(1<<20+5000, 6)),
		file("long", both), file("long-again", both), file("long-zeros", make([]byte, 2<<20)),
		file("long-differs", append(slices.Clone(both[:len(both)-1]), both[len(both)-1]+1)),
		file("holes", holes), file("holes-again", holes), file("zeros", make([]byte, 300)),
		file("bin/su", text(70000, 7)).With(func(h *tar.Header) { h.Mode = 0o4755 }),
		file("bin/wall", text(7000, 8)).With(func(h *tar.Header) { h.Mode, h.Gid = 0o2755, 5 }),
		file("bin/ping", text(9000, 9)).With(treetest.Xattrs("security.capability", capability)),
		file("bin/ping6", text(9001, 9)).With(treetest.Xattrs("security.capability", capability)),
		dir("tmp").With(func(h *tar.Header) { h.Mode = 0o1777 }),
		dir("attributes").With(treetest.Xattrs("user.a", "", "user.b", strings.Repeat("v", 2000), "trusted.overlay.opaque", "y")),
		symlink("attributes/link", "nowhere").With(treetest.Xattrs("trusted.t", "of a link")),
		file("z/first", text(100, 10)), link("a-second", "z/first"), link("z/0", "z/first"),
		symlink("up", "../../.."), symlink("abs", "/bin/su"), symlink("target", strings.Repeat("t/", 2000)),
		device(tar.TypeChar, "dev/null", 1, 3), device(tar.TypeBlock, "dev/sda", 8, 0),
		device(tar.TypeBlock, "dev/large", 259, 70000), device(tar.TypeChar, "dev/largest", 4095, 1<<20-1),
		device(tar.TypeFifo, "dev/initctl", 0, 0), device(tar.TypeFifo, "dev/pipe", 0, 0).With(treetest.Xattrs("trusted.p", "q")),
		device(tar.TypeBlock, "dev/xattr", 7, 1).With(treetest.Xattrs("trusted.d", "e")),
		link("dev/pipe2", "dev/pipe"), link("upwards", "up"), link("dev/zero", "dev/null"),
		file("owner", nil).With(func(h *tar.Header) { h.Uid, h.Gid = treetest.ID(4000000000), treetest.ID(4294967294) }),
		file("old", nil).With(func(h *tar.Header) { h.ModTime = time.Unix(0, 0) }),
		file("new", nil).With(func(h *tar.Header) { h.ModTime = time.Unix(4102444800, 0) }),
		file("names/"+strings.Repeat("n", 255), []byte("n")), file("names/Grüße, 世界", []byte("n")),
		file("names/not UTF-8 \xff", []byte("n")), file("names/ new\nline", []byte("n")), dir("names/nobody"),
		file(strings.Repeat("deep/", 300)+"file", []byte("deep")),
	}
	for i := range 3000 {
		list = append(list, file(fmt.Sprintf("large/a file with a long name, number %04d", i), []byte{byte(i), byte(i >> 8)}))
	}
	return tree(tb, list...)
}

// plain returns a small tree.
func plain(tb testing.TB) fs.FS {
	tb.Helper()
	return tree(tb, dir("."), dir("etc"), file("etc/issue", []byte("hello\n")), file("etc/motd", []byte("hello\n")),
		symlink("etc/link", "issue"), file("boot/kernel", noise(100<<10, 1)), file("boot/config", text(300<<10, 2)),
		file("boot/zero", make([]byte, 200<<10)), link("boot/kernel.old", "boot/kernel"), dir("empty"))
}

// list returns what an image keeps of a tree.
func list(tb testing.TB, tree fs.FS) manifest.Manifest {
	tb.Helper()
	return treetest.List(tb, tree).Edit(func(_ string, e *manifest.Entry) {
		e.ModTime = e.ModTime.Truncate(time.Second)
		maps.DeleteFunc(e.Xattrs, func(attr, _ string) bool { return strings.HasPrefix(attr, "system.") })
	})
}

// sameTree compares everything that an image keeps of two trees.
func sameTree(tb testing.TB, want, got fs.FS) {
	tb.Helper()
	assert.Empty(tb, manifest.Diff(list(tb, want), list(tb, got)))
}

// folder returns the tree of a directory on disk.
func folder(tb testing.TB, name string) fs.FS {
	tb.Helper()
	root, err := os.OpenRoot(name)
	require.NoError(tb, err)
	t, err := artifacts.OpenDir(tb.Context(), root)
	require.NoError(tb, err)
	tb.Cleanup(func() { _ = t.Close() })
	return t
}
