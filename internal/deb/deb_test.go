package deb_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/netbootkit/netbootkit/internal/deb"
)

// archive returns an archive of members, which are names and contents in turn.
func archive(members ...string) []byte {
	out := []byte("!<arch>\n")
	for i := 0; i < len(members); i += 2 {
		out = fmt.Appendf(out, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", members[i], 0, 0, 0, 0o100644, len(members[i+1]))
		out = append(out, members[i+1]...)
		if len(members[i+1])%2 == 1 {
			out = append(out, '\n')
		}
	}
	return out
}

// files returns a tar with some files.
func files(tb testing.TB) string {
	tb.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "./", Mode: 0o755},
		{Typeflag: tar.TypeDir, Name: "./usr/lib/shim/", Mode: 0o750},
		{Typeflag: tar.TypeReg, Name: "./usr/lib/shim/shimx64.efi.signed", Mode: 0o4755, Uid: 7, Size: 5},
		{Typeflag: tar.TypeLink, Name: "./usr/lib/shim/second", Linkname: "./usr/lib/shim/shimx64.efi.signed"},
		{Typeflag: tar.TypeSymlink, Name: "./shim", Linkname: "/usr/lib/shim/second"},
		{Typeflag: tar.TypeFifo, Name: "./pipe", Mode: 0o600},
	} {
		require.NoError(tb, w.WriteHeader(h))
		_, err := w.Write([]byte("shim!")[:h.Size])
		require.NoError(tb, err)
	}
	require.NoError(tb, w.Close())
	return out.String()
}

// packed returns what a compressor makes of data.
func packed(tb testing.TB, data string, newWriter func(w io.Writer) (io.WriteCloser, error)) string {
	tb.Helper()
	var out bytes.Buffer
	w, err := newWriter(&out)
	require.NoError(tb, err)
	_, err = io.WriteString(w, data)
	require.NoError(tb, err)
	require.NoError(tb, w.Close())
	return out.String()
}

func gzipped(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }
func zstded(w io.Writer) (io.WriteCloser, error)  { return zstd.NewWriter(w) }

func xzed(check byte, block, dict int) func(w io.Writer) (io.WriteCloser, error) {
	return func(w io.Writer) (io.WriteCloser, error) {
		return xz.WriterConfig{CheckSum: check, NoCheckSum: check == 0, BlockSize: int64(block), DictCap: dict}.NewWriter(w)
	}
}

func open(data []byte) (fs.FS, error) {
	return deb.Open(bytes.NewReader(data), int64(len(data)))
}

func TestOpen(t *testing.T) {
	t.Parallel()
	data := files(t)
	for name, members := range map[string][]string{
		"plain":         {"data.tar", data},
		"slash":         {"data.tar/", data},
		"gzip":          {"data.tar.gz", packed(t, data, gzipped)},
		"zstd":          {"data.tar.zst", packed(t, data, zstded)},
		"xz":            {"data.tar.xz", packed(t, data, xzed(xz.CRC64, 1<<20, 1<<20))},
		"xz CRC32":      {"data.tar.xz", packed(t, data, xzed(xz.CRC32, 1<<20, 1<<20))},
		"xz SHA-256":    {"data.tar.xz", packed(t, data, xzed(xz.SHA256, 1<<20, 1<<20))},
		"xz no check":   {"data.tar.xz", packed(t, data, xzed(0, 1<<20, 1<<20))},
		"xz blocks":     {"data.tar.xz", packed(t, data, xzed(xz.CRC64, 333, 1<<20))},
		"other members": {"_future", "odd", "data.tar", data, "_more", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			members = append([]string{"debian-binary", "2.0\n", "control.tar.xz", "not read"}, members...)
			tree, err := open(archive(members...))
			require.NoError(t, err)
			require.NoError(t, fstest.TestFS(tree, "usr/lib/shim/shimx64.efi.signed", "shim", "pipe"))
			checkFiles(t, tree)
		})
	}
}

// checkFiles compares a tree with what files put into a tar.
func checkFiles(t *testing.T, tree fs.FS) {
	t.Helper()
	data, err := fs.ReadFile(tree, "shim")
	require.NoError(t, err)
	assert.Equal(t, "shim!", string(data))
	target, err := fs.ReadLink(tree, "shim")
	require.NoError(t, err)
	assert.Equal(t, "/usr/lib/shim/second", target)
	_, err = fs.ReadLink(tree, "pipe")
	require.ErrorIs(t, err, fs.ErrInvalid)
	_, err = fs.ReadDir(tree, "shim")
	require.Error(t, err)
	_, err = tree.Open("../shim")
	require.ErrorIs(t, err, fs.ErrInvalid)
	_, err = fs.Stat(tree, "shim/x")
	require.ErrorIs(t, err, fs.ErrNotExist)

	info, err := fs.Stat(tree, "usr/lib/shim/shimx64.efi.signed")
	require.NoError(t, err)
	assert.Equal(t, fs.ModeSetuid|0o755, info.Mode())
	h := info.Sys().(*tar.Header)
	assert.Equal(t, "usr/lib/shim/second", h.Linkname)
	assert.Equal(t, byte(tar.TypeLink), h.Typeflag)
	info, err = fs.Lstat(tree, "usr/lib/shim/second")
	require.NoError(t, err)
	assert.Equal(t, 7, info.Sys().(*tar.Header).Uid)
	f, err := tree.Open("usr/lib/shim/second")
	require.NoError(t, err)
	defer f.Close()
	part := make([]byte, 2)
	_, err = f.(io.ReaderAt).ReadAt(part, 3)
	require.NoError(t, err)
	assert.Equal(t, "m!", string(part))
}

// TestOpenLarge reads a file that is longer than what is uncompressed at once.
func TestOpenLarge(t *testing.T) {
	t.Parallel()
	want := bytes.Repeat([]byte("large"), 1<<20)
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "large", Mode: 0o644, Size: int64(len(want))}))
	_, err := w.Write(want)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	tree, err := open(archive("data.tar.gz", packed(t, out.String(), gzipped)))
	require.NoError(t, err)
	got, err := fs.ReadFile(tree, "large")
	require.NoError(t, err)
	assert.True(t, bytes.Equal(want, got))
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	data := files(t)
	stream := packed(t, data, xzed(xz.CRC64, 1000, 1<<20))
	flipped := func(at int) string {
		b := []byte(stream)
		b[(at+len(b))%len(b)] ^= 1
		return string(b)
	}
	binary := []string{"debian-binary", "2.0\n"}
	big := strings.Repeat(packed(t, strings.Repeat("\x00", 1<<20), gzipped), 257)
	for _, test := range []struct {
		name string
		data []byte
		want string
	}{
		{"empty", nil, "no Debian package"},
		{"text", []byte("hello, world"), "no Debian package"},
		{"nothing in it", archive(), "member at byte 8: the package ends without data.tar"},
		{"no data", archive("debian-binary", "2.0\n", "control.tar", ""), "the package ends without data.tar"},
		{"another version", archive("debian-binary", "3.0\n"), `debian-binary: format "3."`},
		{"short version", archive("debian-binary", "2"), `debian-binary: format`},
		{"many members", archive(strings.Split(strings.Repeat("_x,,", 17), ",")[:34]...), "no data.tar among the first 16 members"},
		{"no header", append(archive(binary...), make([]byte, 60)...), "no header of a member"},
		{"no size", bytes.Replace(archive("data.tar", "123"), []byte("3         `"), []byte("x         `"), 1), `"data.tar": its size "x" is no number`},
		{"negative size", bytes.Replace(archive("data.tar", "123"), []byte("3         `"), []byte("-3        `"), 1), `its size "-3" is no number`},
		{"cut short", archive("data.tar", data)[:3000], "bytes at byte 68: the package ends at byte 3000"},
		{"bzip2", archive("data.tar.bz2", "BZh"), `data.tar.bz2: compression ".bz2": not gz, xz or zst`},
		{"no gzip", archive("data.tar.gz", "hello"), "data.tar.gz: "},
		{"no zstd", archive("data.tar.zst", "hello"), "data.tar.zst: "},
		{"no tar", archive("data.tar", strings.Repeat("hello", 1000)), "data.tar: at byte "},
		{"too big", archive("data.tar.gz", big), "data.tar.gz: more than 268435456 bytes without compression"},
		{"no xz", archive("data.tar.xz", "hello"), "xz: no stream header"},
		{"xz header", archive("data.tar.xz", flipped(7)), "xz: wrong stream header"},
		{"xz block header", archive("data.tar.xz", flipped(14)), "xz: block 0: wrong header"},
		{"xz data", archive("data.tar.xz", flipped(60)), "xz: block 0: "},
		{"xz index", archive("data.tar.xz", flipped(-20)), "index or footer"},
		{"xz footer", archive("data.tar.xz", flipped(-1)), "index or footer"},
		{"xz cut short", archive("data.tar.xz", stream[:len(stream)-1]), "unexpected EOF"},
		{"xz block cut short", archive("data.tar.xz", stream[:100]), "unexpected EOF"},
		{"xz and more", archive("data.tar.xz", stream+"x"), "more data after the stream"},
		{"xz looks back far", archive("data.tar.xz", packed(t, data, xzed(xz.CRC64, 1<<20, 96<<20))), "looks back 100663296 bytes: more than 67108864"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := open(test.data)
			require.ErrorContains(t, err, test.want)
			assert.True(t, strings.HasPrefix(err.Error(), "deb: "), err)
		})
	}
}

func FuzzOpen(f *testing.F) {
	data := files(f)
	for _, p := range [][]byte{
		archive("debian-binary", "2.0\n", "data.tar", data),
		archive("data.tar.gz", packed(f, data, gzipped)),
		archive("data.tar.xz", packed(f, data, xzed(xz.CRC32, 1<<20, 1<<16))),
		archive("data.tar.zst", packed(f, data, zstded)),
	} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree, err := open(data)
		if err != nil {
			return
		}
		_ = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				_, err = fs.ReadFile(tree, name)
			}
			return err
		})
	})
}
