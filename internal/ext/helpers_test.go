package ext_test

import (
	"archive/tar"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/treetest"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// someTime is when the files of these tests changed.
var someTime = time.Unix(treetest.Time, 0).UTC()

// An entry of a tree has short makers, for long lists.
type entry = treetest.Entry

var (
	file, dir, symlink, link = treetest.File, treetest.Dir, treetest.Symlink, treetest.Link
	device, xattrs           = treetest.Device, treetest.Xattrs
	tree, noise              = treetest.New, treetest.Noise
)

// volume is what these tests make unless they say otherwise.
var volume = ext.Volume{Label: "TEST", UUID: [16]byte{1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16}, Time: someTime}

// kinds are the volumes that the kernel must understand.
func kinds() map[string]ext.Volume {
	four, two, bare := volume, volume, volume
	two.Version = 2
	bare.NoJournal, bare.Size = true, 200<<20
	four.Size = 300 << 20
	return map[string]ext.Volume{"4": four, "2": two, "without a journal": bare}
}

// oddFor returns odd with all that a volume can carry.
func oddFor(tb testing.TB, v ext.Volume) fs.FS {
	tb.Helper()
	if v.Version == 2 {
		return odd(tb)
	}
	return odd(tb, recent()...)
}

// newImage returns a file system of tree.
func newImage(tb testing.TB, tree fs.FS, v ext.Volume) *mosaic.Image {
	tb.Helper()
	image, err := ext.New(tb.Context(), tree, v)
	require.NoError(tb, err)
	require.NoError(tb, image.Check())
	return image
}

// save writes image to a file whose holes are holes.
func save(tb testing.TB, image *mosaic.Image) (name string) {
	tb.Helper()
	name = filepath.Join(tb.TempDir(), "ext.img")
	f, err := os.Create(name)
	require.NoError(tb, err)
	defer f.Close()
	require.NoError(tb, image.CopyAt(tb.Context(), f))
	return name
}

// run returns what a program prints, which must be content.
func run(tb testing.TB, program string, args ...string) string {
	tb.Helper()
	cmd := exec.CommandContext(tb.Context(), oracle.Need(tb, program), args...)
	cmd.Env = append(os.Environ(), "TZ=UTC", "LC_ALL=C.UTF-8", "DEBUGFS_PAGER=cat")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(tb, err, "%s %q: %s%s", program, args, out, &stderr)
	return string(out)
}

// checkClean lets e2fsck judge the file system.
func checkClean(tb testing.TB, name string) {
	tb.Helper()
	out := run(tb, "e2fsck", "-fn", name)
	for line := range strings.Lines(out) {
		ok := strings.HasPrefix(line, "Pass ") || strings.Contains(line, " non-contiguous), ")
		require.True(tb, ok, "%s", out)
	}
}

// changed gives an entry a time.
func changed(seconds, nanos int64) func(h *tar.Header) {
	return func(h *tar.Header) { h.ModTime = time.Unix(seconds, nanos) }
}

// acl returns an access control list as an extended attribute: an owner, a user,
// the group, a mask and the others.
func acl(user uint32) string {
	b := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range []struct {
		tag, rights uint16
		id          uint32
	}{{0x01, 7, 0xFFFFFFFF}, {0x02, 6, user}, {0x04, 5, 0xFFFFFFFF}, {0x10, 7, 0xFFFFFFFF}, {0x20, 4, 0xFFFFFFFF}} {
		b = binary.LittleEndian.AppendUint16(b, e.tag)
		b = binary.LittleEndian.AppendUint16(b, e.rights)
		b = binary.LittleEndian.AppendUint32(b, e.id)
	}
	return string(b)
}

// capability is that of ping.
const capability = "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// odd returns a tree with one of everything, except for sockets, which tar
// does not have, and for what only version 4 can carry.
func odd(tb testing.TB, more ...entry) fs.FS {
	tb.Helper()
	list := []entry{
		dir(".").With(func(h *tar.Header) { h.Mode, h.Uid = 0o1755, 12 }),
		file("empty", nil), file("one", []byte("x")), file("block", noise(4096, 1)), file("block+1", noise(4097, 2)),
		file("direct", noise(12*4096, 3)), file("direct+1", noise(12*4096+1, 4)), file("long", noise(9<<20+77, 5)),
		file("bin/su", noise(70000, 6)).With(func(h *tar.Header) { h.Mode = 0o4755 }),
		file("bin/wall", noise(7000, 7)).With(func(h *tar.Header) { h.Mode, h.Gid = 0o2755, 5 }),
		file("bin/ping", noise(9000, 8)).With(xattrs("security.capability", capability)),
		dir("tmp").With(func(h *tar.Header) { h.Mode = 0o1777 }),
		dir("attributes").With(xattrs("user.a", "", "user.b", strings.Repeat("v", 2000), "trusted.overlay.opaque", "y")),
		file("attributes/same", nil).With(xattrs("user.b", strings.Repeat("v", 2000), "user.a", "", "trusted.overlay.opaque", "y")),
		file("attributes/full", nil).With(xattrs("user.x", strings.Repeat("f", 4096-32-4-20))),
		file("attributes/both", nil).With(xattrs("user.long", strings.Repeat("l", 500), "security.capability", capability)),
		file("attributes/name", nil).With(xattrs("user."+strings.Repeat("n", 250), "n", "user.Grüße", "ü\x00\xff")),
		file("attributes/acl", nil).With(xattrs("system.posix_acl_access", acl(1000))).With(func(h *tar.Header) { h.Mode = 0o774 }),
		dir("attributes/default").With(xattrs("system.posix_acl_default", acl(4000000000), "system.posix_acl_access", acl(1))).With(func(h *tar.Header) { h.Mode = 0o774 }),
		symlink("attributes/link", "nowhere").With(xattrs("trusted.t", "of a link")),
		symlink("attributes/fast", strings.Repeat("f", 59)).With(xattrs("trusted.t", strings.Repeat("of a link", 20))),
		symlink("attributes/slow", strings.Repeat("s", 60)).With(xattrs("trusted.t", strings.Repeat("of a link", 20))),
		file("z/first", noise(100, 10)), link("a-second", "z/first"), link("z/0", "z/first"),
		symlink("up", "../../.."), symlink("abs", "/bin/su"), symlink("target", strings.Repeat("t/", 2000)),
		symlink("59", strings.Repeat("f", 59)), symlink("60", strings.Repeat("s", 60)),
		device(tar.TypeChar, "dev/null", 1, 3), device(tar.TypeBlock, "dev/sda", 8, 0), device(tar.TypeChar, "dev/ff", 255, 255),
		device(tar.TypeBlock, "dev/large", 259, 70000), device(tar.TypeChar, "dev/largest", 4095, 1<<20-1), device(tar.TypeBlock, "dev/minor", 7, 256),
		device(tar.TypeFifo, "dev/initctl", 0, 0), device(tar.TypeFifo, "dev/pipe", 0, 0).With(xattrs("trusted.p", "q")),
		device(tar.TypeBlock, "dev/xattr", 7, 1).With(xattrs("trusted.d", "e")),
		file("owner", nil).With(func(h *tar.Header) { h.Uid, h.Gid = treetest.ID(4000000000), treetest.ID(4294967294) }),
		file("times/old", nil).With(changed(0, 0)), file("times/older", nil).With(changed(-1<<31, 0)),
		file("times/1999", nil).With(changed(946684799, 0)), file("times/2037", nil).With(changed(1<<31-1, 0)),
		file("names/"+strings.Repeat("n", 255), []byte("n")), file("names/Grüße, 世界", []byte("n")),
		file("names/not UTF-8 \xff", []byte("n")), file("names/ new\nline", []byte("n")), dir("names/nobody"),
		file(strings.Repeat("deep/", 300)+"file", []byte("deep")),
	}
	for i := range 3000 {
		list = append(list, file(fmt.Sprintf("large/a file with a long name, number %04d", i), []byte{byte(i), byte(i >> 8)}))
	}
	for i := range 200 {
		list = append(list, file(fmt.Sprintf("large/Größe ÿ %d", i), nil))
	}
	for i := range 300 {
		list = append(list, dir(fmt.Sprintf("directories/%d", i)))
	}
	for i := range 20 { // Of two blocks: the root of the index, and leaves.
		list = append(list, file("two/"+strings.Repeat("n", 240)+fmt.Sprint(i), nil))
	}
	return tree(tb, append(list, more...)...)
}

// recent are entries that only version 4 can carry.
func recent() []entry {
	return []entry{
		file("times/2038", nil).With(changed(1<<31, 1)), file("times/2106", nil).With(changed(1<<32+5, 999999999)),
		file("times/last", nil).With(changed(1<<34-1<<31-1, 123456789)), file("times/1960", nil).With(changed(-300000000, 500)),
		file("times/now", nil).With(changed(1700000000, 123456789)), symlink("times/link", "now").With(changed(1700000001, 987654321)),
	}
}

// sameTree compares everything that a file system keeps of two trees, but for
// lost+found.
func sameTree(tb testing.TB, want, got fs.FS) {
	tb.Helper()
	w, g := treetest.List(tb, want), treetest.List(tb, got)
	delete(w, "lost+found")
	delete(g, "lost+found")
	assert.Empty(tb, manifest.Diff(w, g))
}

// sameFolder compares a tree with a directory on disk.
func sameFolder(tb testing.TB, want fs.FS, name string) {
	tb.Helper()
	root, err := os.OpenRoot(name)
	require.NoError(tb, err)
	got, err := artifacts.OpenDir(tb.Context(), root)
	require.NoError(tb, err)
	defer got.Close()
	sameTree(tb, want, got)
}

// An imageFS is a tree of one directory with files that know their holes.
type imageFS map[string]*mosaic.Image

func (t imageFS) Open(name string) (fs.File, error) {
	if name == "." {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return &imageFile{t[name], name}, nil
}

func (t imageFS) Stat(name string) (fs.FileInfo, error) {
	if name == "." {
		return imageInfo{name, 0, fs.ModeDir | 0o755}, nil
	}
	return imageInfo{name, t[name].Size(), 0o644}, nil
}

func (t imageFS) ReadDir(string) (entries []fs.DirEntry, err error) {
	for name, image := range t {
		entries = append(entries, fs.FileInfoToDirEntry(imageInfo{name, image.Size(), 0o644}))
	}
	return entries, nil
}

// An imageFile is an open file of an imageFS.
type imageFile struct {
	*mosaic.Image

	name string
}

func (f *imageFile) Stat() (fs.FileInfo, error) { return imageInfo{f.name, f.Size(), 0o644}, nil }
func (f *imageFile) Read([]byte) (int, error)   { return 0, io.ErrUnexpectedEOF }
func (f *imageFile) Close() error               { return nil }

// An imageInfo says what an imageFile is.
type imageInfo struct {
	name string
	size int64
	mode fs.FileMode
}

func (i imageInfo) Name() string       { return i.name }
func (i imageInfo) Size() int64        { return i.size }
func (i imageInfo) Mode() fs.FileMode  { return i.mode }
func (i imageInfo) ModTime() time.Time { return someTime }
func (i imageInfo) IsDir() bool        { return i.mode.IsDir() }
func (i imageInfo) Sys() any           { return nil }
