package tartree_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

func TestFlatten(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		layers [][]entry
		want   []string // without the root
	}{
		"a file is replaced": {
			layers: [][]entry{{file("a", "1"), file("b", "1")}, {file("a", "2")}},
			want:   []string{`a 644 "2"`, `b 644 "1"`},
		},
		"a file is removed": {
			layers: [][]entry{{file("d/a", "1"), file("d/b", "1")}, {whiteout("d/.wh.a")}},
			want:   []string{`d 755 dir`, `d/b 644 "1"`},
		},
		"a directory is removed with all in it": {
			layers: [][]entry{{dir("d"), file("d/a", "1"), dir("d/e"), file("d/e/f", "1")}, {whiteout(".wh.d")}},
			want:   nil,
		},
		"a whiteout spares its own layer": {
			layers: [][]entry{{file("a", "1")}, {file("a", "2"), whiteout(".wh.a")}},
			want:   []string{`a 644 "2"`},
		},
		"a whiteout of a directory spares what its own layer put there": {
			layers: [][]entry{{dir("d"), file("d/old", "1")}, {dir("d"), file("d/new", "2"), whiteout(".wh.d")}},
			want:   []string{`d 750 dir`, `d/new 644 "2"`},
		},
		"a whiteout of what is not there": {
			layers: [][]entry{{file("a", "1")}, {whiteout(".wh.b"), whiteout("no/such/.wh.c"), whiteout("a/.wh.d")}},
			want:   []string{`a 644 "1"`},
		},
		"an opaque directory hides lower layers": {
			layers: [][]entry{
				{dir("d"), file("d/a", "1"), dir("d/e"), file("d/e/f", "1")},
				{dir("d"), whiteout("d/.wh..wh..opq"), file("d/b", "2")},
			},
			want: []string{`d 750 dir`, `d/b 644 "2"`},
		},
		"an opaque mark behind the entries": {
			layers: [][]entry{
				{dir("d"), file("d/a", "1"), dir("d/e"), file("d/e/f", "1")},
				{dir("d"), file("d/b", "2"), file("d/e/g", "2"), whiteout("d/.wh..wh..opq")},
			},
			want: []string{`d 750 dir`, `d/b 644 "2"`, `d/e 750 dir`, `d/e/g 644 "2"`},
		},
		"an opaque root": {
			layers: [][]entry{{file("a", "1")}, {whiteout(".wh..wh..opq"), file("b", "2")}},
			want:   []string{`b 644 "2"`},
		},
		"a removed file comes back": {
			layers: [][]entry{{file("a", "1")}, {whiteout(".wh.a")}, {file("a", "3")}},
			want:   []string{`a 644 "3"`},
		},
		"marks of AUFS are ignored": {
			layers: [][]entry{{file("a", "1"), dir(".wh..wh.plnk"), file(".wh..wh.plnk/12.34", "x"), file("d/.wh..wh.orph", "x")}},
			want:   []string{`a 644 "1"`},
		},
		"the first name of a file is removed": {
			layers: [][]entry{{file("a", "1"), link("b", "a"), link("c", "a")}, {whiteout(".wh.a")}},
			want:   []string{`b 644 "1"`, `c 644 = b`},
		},
		"the first name of a file is replaced": {
			layers: [][]entry{{file("a", "1"), link("b", "a")}, {file("a", "2")}},
			want:   []string{`a 644 "2"`, `b 644 "1"`},
		},
		"a hard link to a lower layer": {
			layers: [][]entry{{file("d/a", "1")}, {link("b", "d/a")}},
			want:   []string{`b 644 "1"`, `d 755 dir`, `d/a 644 = b`},
		},
		"a hard link through a symbolic link": {
			layers: [][]entry{{file("d/a", "1"), symlink("s", "d")}, {link("s/b", "/s/a")}},
			want:   []string{`d 755 dir`, `d/a 644 "1"`, `d/b 644 = d/a`, `s 777 -> d`},
		},
		"a hard link to a symbolic link": {
			layers: [][]entry{{symlink("a", "nowhere"), link("b", "a")}},
			want:   []string{`a 777 -> nowhere`, `b 777 = a`},
		},
		"a hard link to itself": {
			layers: [][]entry{{file("a", "1"), link("a", "./a")}},
			want:   []string{`a 644 "1"`},
		},
		"a directory becomes a file and a directory again": {
			layers: [][]entry{{file("d/a", "1")}, {file("d", "2")}, {file("e", "x"), dir("d"), file("d/b", "3")}},
			want:   []string{`d 750 dir`, `d/b 644 "3"`, `e 644 "x"`},
		},
		"a directory becomes a link": {
			layers: [][]entry{{file("d/a", "1"), dir("e")}, {symlink("d", "e"), file("d/b", "2")}},
			want:   []string{`d 777 -> e`, `e 750 dir`, `e/b 644 "2"`},
		},
		"a link becomes a directory": {
			layers: [][]entry{{dir("e"), symlink("d", "e")}, {dir("d"), file("d/b", "2")}},
			want:   []string{`d 750 dir`, `d/b 644 "2"`, `e 750 dir`},
		},
		"a directory's attributes change": {
			layers: [][]entry{
				{dir("d"), file("d/a", "1")},
				{{tar.Header{Typeflag: tar.TypeDir, Name: "d", Mode: 0o1777, Uid: 5, Gid: 6}, ""}},
			},
			want: []string{`d 1777 5:6 dir`, `d/a 644 "1"`},
		},
		"parents through links": {
			layers: [][]entry{
				{dir("b"), symlink("a", "b"), symlink("abs", "/b"), symlink("up", "../../../b"), symlink("chain", "up/../a")},
				{file("a/1", "1"), file("abs/2", "2"), file("up/3", "3"), file("chain/4", "4")},
				{whiteout("a/.wh.2"), whiteout("abs/.wh.3")},
			},
			want: []string{
				`a 777 -> b`, `abs 777 -> /b`, `b 750 dir`, `b/1 644 "1"`, `b/4 644 "4"`,
				`chain 777 -> up/../a`, `up 777 -> ../../../b`,
			},
		},
		"parents through links in folders": {
			layers: [][]entry{
				{dir("p/q/r"), dir("p/s"), dir("p/q/s"), dir("s"), symlink("p/q/up", "../s"), symlink("p/q/abs", "/s"), symlink("p/q/here", "./s/")},
				{file("p/q/up/1", "1"), file("p/q/abs/2", "2"), file("p/q/here/3", "3")},
			},
			want: []string{
				`p 755 dir`, `p/q 755 dir`, `p/q/abs 777 -> /s`, `p/q/here 777 -> ./s/`, `p/q/r 750 dir`, `p/q/s 750 dir`,
				`p/q/s/3 644 "3"`, `p/q/up 777 -> ../s`, `p/s 750 dir`, `p/s/1 644 "1"`, `s 750 dir`, `s/2 644 "2"`,
			},
		},
		"a parent through a link to nowhere": {
			layers: [][]entry{{symlink("a", "/../b/c")}, {file("a/x", "1")}},
			want:   []string{`a 777 -> /../b/c`, `b 755 dir`, `b/c 755 dir`, `b/c/x 644 "1"`},
		},
		"names are contained": {
			layers: [][]entry{{
				file("/abs", "1"), file("../up", "2"), file("a/../../../over", "3"),
				file("./dot", "4"), file("x//y", "5"), link("../../l", "/abs"),
			}},
			want: []string{
				`abs 644 "1"`, `dot 644 "4"`, `l 644 = abs`, `over 644 "3"`, `up 644 "2"`, `x 755 dir`, `x/y 644 "5"`,
			},
		},
		"devices, pipes, owners, modes, attributes": {
			layers: [][]entry{{
				{tar.Header{Typeflag: tar.TypeChar, Name: "null", Mode: 0o666, Devmajor: 1, Devminor: 3}, ""},
				{tar.Header{Typeflag: tar.TypeBlock, Name: "sda", Mode: 0o660, Gid: 6, Devmajor: 8}, ""},
				{tar.Header{Typeflag: tar.TypeFifo, Name: "pipe", Mode: 0o600}, ""},
				{tar.Header{
					Typeflag: tar.TypeReg, Name: "su", Mode: 0o4755, Uid: owner(4294967294), Gid: 3,
					PAXRecords: map[string]string{"SCHILY.xattr.security.capability": "\x01\x00\x00\x02\x00=\n"},
				}, ""},
			}},
			want: []string{
				`null 666 device 3 1,3`, `pipe 600 pipe`, `sda 660 0:6 device 4 8,0`,
				"su 4755 " + strconv.Itoa(owner(4294967294)) + `:3 "" security.capability="\x01\x00\x00\x02\x00=\n"`,
			},
		},
		"global headers are ignored": {
			layers: [][]entry{{
				{tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: map[string]string{"path": "evil"}}, ""},
				file("a", "1"),
			}},
			want: []string{`a 644 "1"`},
		},
		"long names": {
			layers: [][]entry{{
				{tar.Header{Typeflag: tar.TypeReg, Name: strings.Repeat("long/", 60) + "é", Mode: 0o644, Format: tar.FormatGNU}, ""},
				{tar.Header{Typeflag: tar.TypeSymlink, Name: "s", Linkname: strings.Repeat("t", 255), Format: tar.FormatPAX}, ""},
			}, {whiteout(strings.Repeat("long/", 59) + ".wh.long")}},
			want: append(nested("long", 59), `s 0 -> `+strings.Repeat("t", 255)),
		},
		"bytes that are not UTF-8": {
			layers: [][]entry{{{tar.Header{Typeflag: tar.TypeReg, Name: "caf\xe9", Mode: 0o644, Format: tar.FormatGNU}, ""}}},
			want:   []string{"caf\xe9 644 \"\""},
		},
		"no layers": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			var all [][]byte
			for _, entries := range c.layers {
				all = append(all, archive(t, entries...))
			}
			got, err := flatten(t, all...)
			require.NoError(t, err)
			lines := list(t, got)
			assert.Equal(t, ". 755 dir", lines[0])
			assert.ElementsMatch(t, c.want, lines[1:])

			again, err := flatten(t, got)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(got, again), "the same tree gives other bytes")
		})
	}
}

// nested returns the lines of directories one in another.
func nested(name string, depth int) []string {
	var lines []string
	for i := range depth {
		lines = append(lines, strings.Repeat(name+"/", i)+name+" 755 dir")
	}
	return lines
}

func TestFlattenRefuses(t *testing.T) {
	t.Parallel()

	for want, entries := range map[string][]entry{
		`entry "weird": unknown type '!'`:                      {{tar.Header{Typeflag: '!', Name: "weird"}, ""}},
		`entry "b": hard link to "a": file does not exist`:     {link("b", "a"), file("a", "")},
		`entry "b": hard link to "d": is a directory`:          {dir("d"), link("b", "d")},
		`entry "a/b": not a directory`:                         {file("a", ""), file("a/b", "")},
		`entry "a/x": too many symbolic links`:                 {symlink("a", "b"), symlink("b", "a"), file("a/x", "")},
		`entry ".": the root is not a directory`:               {symlink("./", "/etc")},
		`entry "d/.wh...": whiteout of no name`:                {whiteout("d/.wh...")},
		`entry ".wh.": whiteout of no name`:                    {whiteout(".wh.")},
		`device number 2097152,0 is out of range`:              {{tar.Header{Typeflag: tar.TypeChar, Name: "c", Devmajor: 2097152, Format: tar.FormatGNU}, ""}},
		`owner -1:0 is out of range`:                           {{tar.Header{Typeflag: tar.TypeReg, Name: "c", Uid: -1, Format: tar.FormatGNU}, ""}},
		`name of 4098 bytes is longer than 4096`:               {file(strings.Repeat("x/", 2048)+"xx", "")},
		`name has an element of 256 bytes, longer than 255`:    {file(strings.Repeat("x", 256), "")},
		`symbolic link's target has 4097 bytes, not 1 to 4096`: {symlink("s", strings.Repeat("x", 4097))},
		`path of 4099 bytes is longer than 4096`:               {dir(strings.Repeat("x/", 2047) + "d"), symlink("s", strings.Repeat("x/", 2047)), dir("s/d/aaa")},
		`layer 1: archive/tar: invalid tar header`:             nil,
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()

			if strconv.IntSize == 32 && strings.HasPrefix(want, "owner") {
				t.Skip("all that an int can be is an owner")
			}
			data := bytes.Repeat([]byte("no tar "), 1000)
			if entries != nil {
				data = archive(t, entries...)
			}
			_, err := flatten(t, data)
			assert.ErrorContains(t, err, want)
		})
	}
}

func TestFlattenLimitsExtendedHeaders(t *testing.T) {
	t.Parallel()

	for _, kind := range []byte{tar.TypeXHeader, tar.TypeXGlobalHeader, tar.TypeGNULongName} {
		data := archive(t, file("a", strings.Repeat("x", 1<<20+1)))
		data[156] = kind
		sum(data[:512])
		_, err := flatten(t, data)
		assert.ErrorIs(t, err, tar.ErrFieldTooLong, "%c", kind)
	}
}

func TestFlattenKeepsTimes(t *testing.T) {
	t.Parallel()

	when := time.Date(1969, 7, 20, 20, 17, 40, 123456789, time.UTC)
	got, err := flatten(t, archive(t, entry{tar.Header{
		Typeflag: tar.TypeReg, Name: "a", ModTime: when, AccessTime: when, Uname: "neil", Format: tar.FormatPAX,
	}, ""}))
	require.NoError(t, err)

	tr := tar.NewReader(bytes.NewReader(got))
	_, err = tr.Next()
	require.NoError(t, err)
	h, err := tr.Next()
	require.NoError(t, err)
	assert.True(t, when.Equal(h.ModTime), h.ModTime)
	assert.True(t, h.AccessTime.IsZero(), "access times would make equal trees differ")
	assert.Empty(t, h.Uname)
}

func TestFlattenWritesAttributesOnce(t *testing.T) {
	t.Parallel()

	first := file("a", "1")
	first.PAXRecords = map[string]string{"SCHILY.xattr.user.a": "x"}
	got, err := flatten(t, archive(t, first, link("b", "a")))
	require.NoError(t, err)
	var records []int
	for tr := tar.NewReader(bytes.NewReader(got)); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		records = append(records, len(h.PAXRecords))
	}
	assert.Equal(t, []int{0, 1, 0}, records, "root, file, hard link")
}

func TestFlattenLeavesNoFile(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	broken := errors.New("connection reset")
	for _, end := range []error{io.EOF, broken} {
		body := io.MultiReader(bytes.NewReader(archive(t, file("a", "1"))), errReader{end})
		err := tartree.Flatten(t.Context(), io.Discard, tartree.Flattening{
			Layers:   []tartree.Layer{func(context.Context) (io.ReadCloser, error) { return io.NopCloser(body), nil }},
			Dir:      folder,
			MaxBytes: math.MaxInt64, Progress: func(int64) {},
		})
		if errors.Is(end, io.EOF) {
			assert.NoError(t, err)
		} else {
			assert.ErrorIs(t, err, broken, "what stands behind the tar was not read")
		}
	}
	left, err := os.ReadDir(folder)
	require.NoError(t, err)
	assert.Empty(t, left)
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

func TestFlattenLimitsSize(t *testing.T) {
	t.Parallel()

	for name, data := range map[string][]byte{
		"content":      archive(t, file("a", strings.Repeat("x", 4096))),
		"behind it":    append(archive(t), make([]byte, 8192)...),
		"sparse file":  sparseBomb(1 << 40),
		"sparse files": append(sparseBomb(3000)[:512], sparseBomb(3000)...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			err := tartree.Flatten(t.Context(), io.Discard, tartree.Flattening{
				Layers: layers(data), Dir: t.TempDir(), MaxBytes: 4096, Progress: func(int64) {},
			})
			assert.ErrorContains(t, err, "larger than 4096 bytes")
		})
	}
}

func TestFlattenStopsAtOnce(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	endless := func(ctx context.Context) (io.ReadCloser, error) {
		r, w := io.Pipe()
		go func() {
			tw := tar.NewWriter(w)
			_ = tw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "endless", Size: math.MaxInt64 / 2})
			for {
				if _, err := tw.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}()
		return r, nil
	}
	var seen int64
	err := tartree.Flatten(ctx, io.Discard, tartree.Flattening{
		Layers: []tartree.Layer{endless}, Dir: t.TempDir(), MaxBytes: math.MaxInt64,
		Progress: func(n int64) {
			if seen += n; seen > 1<<20 {
				cancel()
			}
		},
	})
	require.ErrorIs(t, err, context.Canceled)
	assert.Less(t, seen, int64(4<<20))
}

func TestFlattenReportsWriteErrors(t *testing.T) {
	t.Parallel()

	full := errors.New("no space left on device")
	err := tartree.Flatten(t.Context(), errWriter{full}, tartree.Flattening{
		Layers: layers(archive(t, file("a", "1"))), Dir: t.TempDir(), MaxBytes: 1 << 20, Progress: func(int64) {},
	})
	assert.ErrorIs(t, err, full)

	err = tartree.Flatten(t.Context(), io.Discard, tartree.Flattening{Dir: "no such folder", Progress: func(int64) {}})
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

type errWriter struct{ err error }

func (w errWriter) Write([]byte) (int, error) { return 0, w.err }
