package ext_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// someTime is when the files of these tests changed.
var someTime = time.Unix(1700000000, 0).UTC()

// volume is what these tests make unless they say otherwise.
var volume = ext.Volume{Label: "TEST", UUID: [16]byte{1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15, 16}, Time: someTime}

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

// xattrs gives an entry extended attributes.
func xattrs(pairs ...string) func(h *tar.Header) {
	return func(h *tar.Header) {
		h.PAXRecords = map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			h.PAXRecords["SCHILY.xattr."+pairs[i]] = pairs[i+1]
		}
	}
}

// changed gives an entry a time.
func changed(seconds, nanos int64) func(h *tar.Header) {
	return func(h *tar.Header) { h.ModTime = time.Unix(seconds, nanos) }
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

// noise returns n bytes without a pattern.
func noise(n int, seed byte) []byte {
	r := rand.NewChaCha8([32]byte{seed})
	b := make([]byte, n)
	_, _ = r.Read(b)
	return b
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
		dir(".").with(func(h *tar.Header) { h.Mode, h.Uid = 0o1755, 12 }),
		file("empty", nil), file("one", []byte("x")), file("block", noise(4096, 1)), file("block+1", noise(4097, 2)),
		file("direct", noise(12*4096, 3)), file("direct+1", noise(12*4096+1, 4)), file("long", noise(9<<20+77, 5)),
		file("bin/su", noise(70000, 6)).with(func(h *tar.Header) { h.Mode = 0o4755 }),
		file("bin/wall", noise(7000, 7)).with(func(h *tar.Header) { h.Mode, h.Gid = 0o2755, 5 }),
		file("bin/ping", noise(9000, 8)).with(xattrs("security.capability", capability)),
		dir("tmp").with(func(h *tar.Header) { h.Mode = 0o1777 }),
		dir("attributes").with(xattrs("user.a", "", "user.b", strings.Repeat("v", 2000), "trusted.overlay.opaque", "y")),
		file("attributes/same", nil).with(xattrs("user.b", strings.Repeat("v", 2000), "user.a", "", "trusted.overlay.opaque", "y")),
		file("attributes/full", nil).with(xattrs("user.x", strings.Repeat("f", 4096-32-4-20))),
		file("attributes/both", nil).with(xattrs("user.long", strings.Repeat("l", 500), "security.capability", capability)),
		file("attributes/name", nil).with(xattrs("user."+strings.Repeat("n", 250), "n", "user.Grüße", "ü\x00\xff")),
		file("attributes/acl", nil).with(xattrs("system.posix_acl_access", acl(1000))).with(func(h *tar.Header) { h.Mode = 0o774 }),
		dir("attributes/default").with(xattrs("system.posix_acl_default", acl(4000000000), "system.posix_acl_access", acl(1))).with(func(h *tar.Header) { h.Mode = 0o774 }),
		symlink("attributes/link", "nowhere").with(xattrs("trusted.t", "of a link")),
		symlink("attributes/fast", strings.Repeat("f", 59)).with(xattrs("trusted.t", strings.Repeat("of a link", 20))),
		symlink("attributes/slow", strings.Repeat("s", 60)).with(xattrs("trusted.t", strings.Repeat("of a link", 20))),
		file("z/first", noise(100, 10)), link("a-second", "z/first"), link("z/0", "z/first"),
		symlink("up", "../../.."), symlink("abs", "/bin/su"), symlink("target", strings.Repeat("t/", 2000)),
		symlink("59", strings.Repeat("f", 59)), symlink("60", strings.Repeat("s", 60)),
		device(tar.TypeChar, "dev/null", 1, 3), device(tar.TypeBlock, "dev/sda", 8, 0), device(tar.TypeChar, "dev/ff", 255, 255),
		device(tar.TypeBlock, "dev/large", 259, 70000), device(tar.TypeChar, "dev/largest", 4095, 1<<20-1), device(tar.TypeBlock, "dev/minor", 7, 256),
		device(tar.TypeFifo, "dev/initctl", 0, 0), device(tar.TypeFifo, "dev/pipe", 0, 0).with(xattrs("trusted.p", "q")),
		device(tar.TypeBlock, "dev/xattr", 7, 1).with(xattrs("trusted.d", "e")),
		file("owner", nil).with(func(h *tar.Header) { h.Uid, h.Gid = 4000000000, 4294967294 }),
		file("times/old", nil).with(changed(0, 0)), file("times/older", nil).with(changed(-1<<31, 0)),
		file("times/1999", nil).with(changed(946684799, 0)), file("times/2037", nil).with(changed(1<<31-1, 0)),
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
		file("times/2038", nil).with(changed(1<<31, 1)), file("times/2106", nil).with(changed(1<<32+5, 999999999)),
		file("times/last", nil).with(changed(1<<34-1<<31-1, 123456789)), file("times/1960", nil).with(changed(-300000000, 500)),
		file("times/now", nil).with(changed(1700000000, 123456789)), symlink("times/link", "now").with(changed(1700000001, 987654321)),
	}
}

// A told is all that sameTree compares of an entry.
type told struct {
	Mode         fs.FileMode
	UID, GID     int
	Size         int64
	Time         time.Time
	Major, Minor int64
	Target       string
	LinkTo       string
	Xattrs       map[string]string
	Sum          [sha256.Size]byte
}

// tell returns what is known of all entries of a tree but lost+found.
func tell(tb testing.TB, tree fs.FS) map[string]told {
	tb.Helper()
	all := make(map[string]told)
	require.NoError(tb, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(tb, err)
		if name == "lost+found" {
			return fs.SkipDir
		}
		info, err := d.Info()
		require.NoError(tb, err)
		h := info.Sys().(*tar.Header)
		entry := told{Mode: info.Mode(), UID: h.Uid, GID: h.Gid, Time: info.ModTime().UTC(), Major: h.Devmajor, Minor: h.Devminor}
		for key, value := range h.PAXRecords {
			if attr, ok := strings.CutPrefix(key, "SCHILY.xattr."); ok {
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

// sameTree compares everything that a file system keeps of two trees.
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
