package squashfs_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
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
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// someTime is when the files of these tests changed.
var someTime = time.Unix(1700000000, 0).UTC()

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

// An entry is a tar header with its content.
type entry struct {
	tar.Header

	content []byte
}

func file(name string, content []byte) entry {
	return entry{tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: int64(len(content))}, content}
}

func dir(name string) entry {
	return entry{tar.Header{Typeflag: tar.TypeDir, Name: name + "/", Mode: 0o755}, nil}
}

func symlink(name, target string) entry {
	return entry{tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target, Mode: 0o777}, nil}
}

func link(name, target string) entry {
	return entry{tar.Header{Typeflag: tar.TypeLink, Name: name, Linkname: target, Mode: 0o644}, nil}
}

func device(kind byte, name string, major, minor int64) entry {
	return entry{tar.Header{Typeflag: kind, Name: name, Mode: 0o660, Devmajor: major, Devminor: minor, Gid: 6}, nil}
}

// with returns e after change.
func (e entry) with(change func(h *tar.Header)) entry {
	change(&e.Header)
	return e
}

// tree returns a file tree of the entries.
func tree(tb testing.TB, entries ...entry) fs.FS {
	tb.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		e.Format = tar.FormatPAX
		if e.ModTime.IsZero() {
			e.ModTime = someTime
		}
		require.NoError(tb, w.WriteHeader(&e.Header))
		_, err := w.Write(e.content)
		require.NoError(tb, err)
	}
	require.NoError(tb, w.Close())
	t, err := artifacts.OpenTar(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
	require.NoError(tb, err)
	return t
}

// noise returns n bytes that cannot be packed.
func noise(n int, seed uint64) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16)})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
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
	xattr := func(pairs ...string) func(h *tar.Header) {
		return func(h *tar.Header) {
			h.PAXRecords = map[string]string{}
			for i := 0; i < len(pairs); i += 2 {
				h.PAXRecords["SCHILY.xattr."+pairs[i]] = pairs[i+1]
			}
		}
	}
	capability := "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	list := []entry{
		dir(".").with(func(h *tar.Header) { h.Mode, h.Uid = 0o1755, 12 }),
		file("empty", nil), file("one", []byte("x")), file("same-as-one", []byte("x")),
		file("block", text(1<<20, 4)), file("block+1", text(1<<20+1, 5)), file("many", text(1<<20+5000, 6)),
		file("long", both), file("long-again", both), file("long-zeros", make([]byte, 2<<20)),
		file("long-differs", append(slices.Clone(both[:len(both)-1]), both[len(both)-1]+1)),
		file("holes", holes), file("holes-again", holes), file("zeros", make([]byte, 300)),
		file("bin/su", text(70000, 7)).with(func(h *tar.Header) { h.Mode = 0o4755 }),
		file("bin/wall", text(7000, 8)).with(func(h *tar.Header) { h.Mode, h.Gid = 0o2755, 5 }),
		file("bin/ping", text(9000, 9)).with(xattr("security.capability", capability)),
		file("bin/ping6", text(9001, 9)).with(xattr("security.capability", capability)),
		dir("tmp").with(func(h *tar.Header) { h.Mode = 0o1777 }),
		dir("attributes").with(xattr("user.a", "", "user.b", strings.Repeat("v", 2000), "trusted.overlay.opaque", "y")),
		symlink("attributes/link", "nowhere").with(xattr("trusted.t", "of a link")),
		file("z/first", text(100, 10)), link("a-second", "z/first"), link("z/0", "z/first"),
		symlink("up", "../../.."), symlink("abs", "/bin/su"), symlink("target", strings.Repeat("t/", 2000)),
		device(tar.TypeChar, "dev/null", 1, 3), device(tar.TypeBlock, "dev/sda", 8, 0),
		device(tar.TypeBlock, "dev/large", 259, 70000), device(tar.TypeChar, "dev/largest", 4095, 1<<20-1),
		device(tar.TypeFifo, "dev/initctl", 0, 0), device(tar.TypeFifo, "dev/pipe", 0, 0).with(xattr("trusted.p", "q")),
		device(tar.TypeBlock, "dev/xattr", 7, 1).with(xattr("trusted.d", "e")),
		link("dev/pipe2", "dev/pipe"), link("upwards", "up"), link("dev/zero", "dev/null"),
		file("owner", nil).with(func(h *tar.Header) { h.Uid, h.Gid = 4000000000, 4294967294 }),
		file("old", nil).with(func(h *tar.Header) { h.ModTime = time.Unix(0, 0) }),
		file("new", nil).with(func(h *tar.Header) { h.ModTime = time.Unix(4102444800, 0) }),
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

// A told is all that sameTree compares of an entry.
type told struct {
	Mode         fs.FileMode
	UID, GID     int
	Size, Time   int64
	Major, Minor int64
	Target       string
	LinkTo       string
	Xattrs       map[string]string
	Sum          [sha256.Size]byte
}

// tell returns what is known of all entries of a tree.
func tell(tb testing.TB, tree fs.FS) map[string]told {
	tb.Helper()
	all := make(map[string]told)
	require.NoError(tb, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(tb, err)
		info, err := d.Info()
		require.NoError(tb, err)
		h := info.Sys().(*tar.Header)
		entry := told{Mode: info.Mode(), UID: h.Uid, GID: h.Gid, Time: info.ModTime().Unix(), Major: h.Devmajor, Minor: h.Devminor}
		for key, value := range h.PAXRecords {
			if attr, ok := strings.CutPrefix(key, "SCHILY.xattr."); ok && !strings.HasPrefix(attr, "system.") {
				if entry.Xattrs == nil {
					entry.Xattrs = make(map[string]string)
				}
				entry.Xattrs[attr] = value
			}
		}
		if h.Typeflag == tar.TypeLink {
			entry = told{LinkTo: h.Linkname, Mode: info.Mode()}
		}
		switch info.Mode().Type() {
		case fs.ModeSymlink:
			entry.Target, err = fs.ReadLink(tree, name)
			require.NoError(tb, err)
		case 0:
			entry.Size, entry.Sum = digest(tb, tree, name)
			assert.Equal(tb, entry.Size, info.Size(), name)
		}
		all[name] = entry
		return nil
	}))
	return all
}

// digest returns size and digest of a file.
func digest(tb testing.TB, tree fs.FS, name string) (int64, [sha256.Size]byte) {
	tb.Helper()
	f, err := tree.Open(name)
	require.NoError(tb, err)
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	require.NoError(tb, err, name)
	return n, [sha256.Size]byte(sum.Sum(nil))
}

// sameTree compares everything that an image keeps of two trees.
func sameTree(tb testing.TB, want, got fs.FS) {
	tb.Helper()
	w, g := tell(tb, want), tell(tb, got)
	wrong := 0
	for _, name := range slices.Sorted(maps.Keys(w)) {
		if !assert.ObjectsAreEqual(w[name], g[name]) && wrong < 20 {
			wrong++
			assert.Equal(tb, w[name], g[name], "%.200q", name)
		}
		delete(g, name)
	}
	assert.Empty(tb, g, "entries that should not be there")
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
