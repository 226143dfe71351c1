package iso9660_test

import (
	"archive/tar"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

func TestOpenSamples(t *testing.T) {
	t.Parallel()

	for name, link := range map[string]byte{"genisoimage": tar.TypeReg, "xorriso": tar.TypeLink} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			b := sample(t, name)
			im, err := iso9660.Open(bytes.NewReader(b), int64(len(b)))
			require.NoError(t, err)
			require.NoError(t, fstest.TestFS(withoutLoop{im}, "boot/kernel", "1/2/3/4/5/6/7/8/9/deep"))

			content, err := fs.ReadFile(im, "abs/vmlinuz")
			require.NoError(t, err)
			assert.Equal(t, "kernel\n", string(content))
			content, err = fs.ReadFile(im, "1/2/link")
			require.NoError(t, err)
			assert.Equal(t, "kernel\n", string(content))
			_, err = im.Open("loop")
			require.ErrorContains(t, err, "too many symbolic links")
			_, err = im.Open("boot/kernel/below")
			require.ErrorIs(t, err, fs.ErrNotExist)
			_, err = im.Open("../boot")
			require.ErrorIs(t, err, fs.ErrInvalid)

			info, err := im.Lstat("boot/kernel")
			require.NoError(t, err)
			h := info.Sys().(*tar.Header)
			assert.Equal(t, link, h.Typeflag)
			assert.Equal(t, time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC), h.ModTime)
			if link == tar.TypeLink {
				assert.Equal(t, "1/hard", h.Linkname)
			}

			c, err := im.Catalog()
			require.NoError(t, err)
			extents, err := im.Extents("boot/boot.img")
			require.NoError(t, err)
			assert.Equal(t, []iso9660.BootEntry{{Bootable: true, Sectors: 4, Block: extents[0].Block, Offset: 32}}, c.Entries)
		})
	}
}

// withoutLoop is a tree whose links that lead nowhere cannot be seen:
// TestFS opens everything.
type withoutLoop struct{ *iso9660.Image }

func (w withoutLoop) ReadDir(name string) ([]fs.DirEntry, error) {
	list, err := w.Image.ReadDir(name)
	var rest []fs.DirEntry
	for _, e := range list {
		if e.Name() != "loop" && e.Name() != "longlink" {
			rest = append(rest, e)
		}
	}
	return rest, err
}

func (w withoutLoop) Open(name string) (fs.File, error) {
	f, err := w.Image.Open(name)
	if d, ok := f.(fs.ReadDirFile); ok {
		list, err := w.ReadDir(name)
		return &filteredDir{d, list}, err
	}
	return f, err
}

type filteredDir struct {
	fs.ReadDirFile
	rest []fs.DirEntry
}

func (d *filteredDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 || n > len(d.rest) {
		if n > 0 && len(d.rest) == 0 {
			return nil, io.EOF
		}
		n = len(d.rest)
	}
	list := d.rest[:n]
	d.rest = d.rest[n:]
	return list, nil
}

func TestVolume(t *testing.T) {
	t.Parallel()

	b := sample(t, "xorriso")
	im, err := iso9660.Open(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	v := im.Volume()
	assert.Equal(t, "ISOIMAGE", v.ID)
	assert.Equal(t, time.Date(2019, 3, 4, 5, 6, 7, 0, time.UTC), v.Modified)
	assert.Equal(t, len(b)/iso9660.BlockSize, int(v.Blocks))
	assert.Equal(t, 4, v.Descriptors)
	assert.True(t, v.Joliet)
	assert.True(t, v.RockRidge)
	assert.Equal(t, iso9660.RockRidge, v.Names)
}

func TestFileInPieces(t *testing.T) {
	t.Parallel()

	c := newCraft(40)
	copy(c.block(30), strings.Repeat("a", 2048))
	copy(c.block(31), strings.Repeat("b", 2048))
	copy(c.block(25), strings.Repeat("c", 2048))
	copy(c.block(33), "end")
	c.directory(rootBlock,
		dirRecord("F.;1", 30, 2048, 0x80, nm("file")),
		dirRecord("F.;1", 31, 2048, 0x80, nm("file")),
		dirRecord("F.;1", 25, 2048, 0x80, nm("file")),
		dirRecord("F.;1", 33, 3, 0, nm("file")),
		dirRecord("NEXT.;1", 33, 2, 0, nm("next")),
	)
	im, err := c.open()
	require.NoError(t, err)
	want := strings.Repeat("a", 2048) + strings.Repeat("b", 2048) + strings.Repeat("c", 2048) + "end"
	got, err := fs.ReadFile(im, "file")
	require.NoError(t, err)
	assert.Equal(t, want, string(got))

	extents, err := im.Extents("file")
	require.NoError(t, err)
	assert.Equal(t, []iso9660.Extent{{Block: 30, Size: 4096}, {Block: 25, Size: 2048}, {Block: 33, Size: 3}}, extents)

	f, err := im.Open("file")
	require.NoError(t, err)
	require.Implements(t, (*io.ReaderAt)(nil), f)
	for _, at := range []int{0, 1, 2047, 2048, 4095, 4096, 6143, 6144, 6146} {
		for _, n := range []int{1, 2, 3, 2048, 2049, 5000} {
			p := make([]byte, n)
			done, err := f.(io.ReaderAt).ReadAt(p, int64(at))
			assert.Equal(t, want[at:min(len(want), at+n)], string(p[:done]))
			assert.Equal(t, at+n > len(want), errors.Is(err, io.EOF))
		}
	}
	var b bytes.Buffer
	_, err = f.(io.Seeker).Seek(5000, io.SeekStart)
	require.NoError(t, err)
	n, err := f.(io.WriterTo).WriteTo(&b)
	require.NoError(t, err)
	assert.Equal(t, int64(len(want)-5000), n)
	assert.Equal(t, want[5000:], b.String())
	next, err := fs.ReadFile(im, "next")
	require.NoError(t, err)
	assert.Equal(t, "en", string(next))
}

func TestOpenRefusesHostileTrees(t *testing.T) {
	t.Parallel()

	for name, tt := range map[string]struct {
		change func(c *craft)
		want   string
	}{
		"parent": {
			func(c *craft) { c.directory(rootBlock, dirRecord("X", 30, 1, 0, nm(".."))) },
			`directory /"": record at offset 120: name ".." is none of a file`,
		},
		"slash": {
			func(c *craft) { c.directory(rootBlock, dirRecord("X", 30, 1, 0, nm("../x"))) },
			`name "../x" holds a slash or a zero byte`,
		},
		"zero byte": {
			func(c *craft) { c.directory(rootBlock, dirRecord("X", 30, 1, 0, nm("x\x00"))) },
			`holds a slash or a zero byte`,
		},
		"empty name": {
			func(c *craft) { c.directory(rootBlock, dirRecord("X", 30, 1, 0, nm(""))) },
			`name "" is none of a file`,
		},
		"loop": {
			func(c *craft) { c.directory(rootBlock, dirRecord("X", rootBlock, 2048, 2, nm("x"))) },
			`directory /"x": its records at block 20 are those of another directory`,
		},
		"moved loop": {
			func(c *craft) {
				c.directory(rootBlock, dirRecord("X", 30, 1, 0, nm("x"), suspEntry("CL", both(rootBlock)...)))
			},
			`its records at block 20 are those of another directory`,
		},
		"moved to nothing": {
			func(c *craft) {
				c.directory(rootBlock, dirRecord("X", 30, 1, 0, nm("x"), suspEntry("CL", both(30)...)))
			},
			`directory "x", moved to block 30, is not there`,
		},
		"directory outside": {
			func(c *craft) { c.directory(rootBlock, dirRecord("X", 39, 4096, 2, nm("x"))) },
			`4096 bytes of records at block 39 end behind the image of 81920 bytes: unexpected EOF`,
		},
		"large directory": {
			func(c *craft) { c.directory(rootBlock, dirRecord("X", 30, 1<<31, 2, nm("x"))) },
			`2147483648 bytes of records, more than 268435456`,
		},
		"directory one byte too large": {
			func(c *craft) { c.directory(rootBlock, dirRecord("X", 30, 256<<20+1, 2, nm("x"))) },
			`directory /"x": 268435457 bytes of records, more than 268435456`,
		},
		"endless continuation": {
			func(c *craft) {
				ce := suspEntry("CE", both(30, 0, 28)...)
				copy(c.block(30), ce)
				c.directory(rootBlock, dirRecord("X", 30, 1, 0, nm("x"), ce))
			},
			`more than 100 continuation areas`,
		},
		"large continuation": {
			func(c *craft) {
				c.directory(rootBlock, dirRecord("X", 30, 1, 0, nm("x"), suspEntry("CE", both(30, 0, 1<<30)...)))
			},
			`1073741824 bytes at offset 0, want at most 32768`,
		},
		"continuation outside": {
			func(c *craft) {
				c.directory(rootBlock, dirRecord("X", 30, 1, 0, nm("x"), suspEntry("CE", both(300, 0, 10)...)))
			},
			`continuation at block 300: unexpected EOF`,
		},
		"long name": {
			func(c *craft) {
				copy(c.block(30), nm(strings.Repeat("n", 200)))
				part := append(suspEntry("NM", append([]byte{1}, strings.Repeat("n", 100)...)...), suspEntry("CE", both(30, 0, 205)...)...)
				c.directory(rootBlock, dirRecord("X", 30, 1, 0, part))
			},
			`NM: name of more than 255 bytes`,
		},
		"record over the end of a block": {
			func(c *craft) {
				c.directory(rootBlock, bytes.Repeat(dirRecord("X", 30, 0, 0, nm(strings.Repeat("n", 200))), 7))
				copy(c.block(rootBlock)[120+7*240:], dirRecord("X", 30, 0, 0, nm(strings.Repeat("n", 210))))
				c.block(rootBlock)[120+7*240] = 249
			},
			`record of 249 bytes at offset 1800 does not fit into its block`,
		},
		"extents that do not end": {
			func(c *craft) {
				c.directory(rootBlock, dirRecord("X", 30, 2048, 0x80, nm("x")), dirRecord("Y", 31, 1, 0, nm("y")))
			},
			`extent of "Y" follows one of "X", which is not at its end`,
		},
		"block size": {
			func(c *craft) { binary.LittleEndian.PutUint16(c.block(16)[128:], 512) },
			`iso9660: descriptor at block 16: blocks of 512 bytes, want 2048`,
		},
		"no image": {
			func(c *craft) { clear(c.block(16)) },
			`iso9660: no ISO 9660 image: block 16 holds "\x00\x00\x00\x00\x00", want "CD001"`,
		},
		"no end": {
			func(c *craft) { clear(c.block(17)) },
			`descriptor at block 17 holds`,
		},
		"no primary": {
			func(c *craft) { c.block(16)[0] = 3 },
			`no primary volume descriptor`,
		},
		"cut off": {
			func(c *craft) { c.bytes = c.bytes[:17*2048] },
			`descriptor at block 17: unexpected EOF`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := newCraft(40)
			c.directory(rootBlock)
			_, err := c.open()
			require.NoError(t, err)
			tt.change(c)
			_, err = c.open()
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestOpenListsWhatItCannotRead(t *testing.T) {
	t.Parallel()

	c := newCraft(40)
	c.directory(rootBlock,
		dirRecord("A", 39, 2049, 0, nm("cut")),
		dirRecord("B", 30, 10, 0, nm("zisofs"), suspEntry("ZF", make([]byte, 12)...)),
		dirRecord("C", 30, 10, 0, nm("sparse"), suspEntry("SF", make([]byte, 17)...)),
		dirRecord("D", 1<<31, 0, 0, nm("empty")),
		dirRecord("E", 30, 0, 0, nm("link"), px(0o120777, 0), sl("../../../etc/passwd")),
	)
	im, err := c.open()
	require.NoError(t, err)
	for name, want := range map[string]error{
		"cut": io.ErrUnexpectedEOF, "zisofs": errors.ErrUnsupported, "sparse": errors.ErrUnsupported, "link": fs.ErrNotExist,
	} {
		_, err := im.Lstat(name)
		require.NoError(t, err)
		_, err = im.Open(name)
		require.ErrorIs(t, err, want)
		_, err = im.Extents(name)
		if name != "link" {
			require.ErrorIs(t, err, want)
		}
	}
	b, err := fs.ReadFile(im, "empty")
	require.NoError(t, err)
	assert.Empty(t, b)
}

func TestNamesOfOneFile(t *testing.T) {
	t.Parallel()

	c := newCraft(40)
	c.directory(rootBlock,
		dirRecord("A", 30, 5, 0, nm("b"), px(0o100644, 7)),
		dirRecord("B", 30, 5, 0, nm("a"), px(0o100644, 7)),
		dirRecord("C", 30, 6, 0, nm("size"), px(0o100644, 7)),
		dirRecord("D", 30, 5, 0, nm("none"), px(0o100644, 0)),
		dirRecord("E", 30, 5, 0, nm("none2"), px(0o100644, 0)),
		dirRecord("F", 30, 5, 0, nm("mode"), px(0o100600, 7)),
	)
	im, err := c.open()
	require.NoError(t, err)
	for name, link := range map[string]string{"a": "", "b": "a", "size": "", "none": "", "none2": "", "mode": ""} {
		info, err := im.Lstat(name)
		require.NoError(t, err)
		assert.Equal(t, link, info.Sys().(*tar.Header).Linkname, name)
		assert.True(t, info.Mode().IsRegular())
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()

	c := newCraft(40)
	pn := func(high, low uint32) []byte { return suspEntry("PN", both(high, low)...) }
	c.directory(rootBlock,
		dirRecord("A", 30, 0, 0, nm("socket"), px(0o140755, 0)),
		dirRecord("B", 30, 0, 0, nm("fifo"), px(0o010600, 0)),
		dirRecord("C", 30, 0, 0, nm("linux"), px(0o020600, 0), pn(0, 4<<8|65|1<<20)),
		dirRecord("D", 30, 0, 0, nm("halves"), px(0o060600, 0), pn(8, 70000)),
		dirRecord("E", 30, 2048, 0, nm("setuid"), px(0o104755, 0)),
		dirRecord("F", 30, 0, 4, nm("associated")),
	)
	im, err := c.open()
	require.NoError(t, err)
	for name, want := range map[string]struct {
		mode         fs.FileMode
		major, minor int64
	}{
		"socket": {fs.ModeSocket | 0o755, 0, 0},
		"fifo":   {fs.ModeNamedPipe | 0o600, 0, 0},
		"linux":  {fs.ModeDevice | fs.ModeCharDevice | 0o600, 4, 65 | 1<<8},
		"halves": {fs.ModeDevice | 0o600, 8, 70000},
		"setuid": {fs.ModeSetuid | 0o755, 0, 0},
	} {
		info, err := im.Lstat(name)
		require.NoError(t, err)
		assert.Equal(t, want.mode, info.Mode(), name)
		h := info.Sys().(*tar.Header)
		assert.Equal(t, [2]int64{want.major, want.minor}, [2]int64{h.Devmajor, h.Devminor}, name)
		b, err := fs.ReadFile(im, name)
		require.NoError(t, err)
		assert.Len(t, b, int(info.Size()))
	}
	_, err = im.Lstat("associated")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestContents has files that no name leads to: an older version, and an
// associated file.
func TestContents(t *testing.T) {
	t.Parallel()

	c := newCraft(40)
	c.directory(rootBlock,
		dirRecord("A.;2", 30, 3000, 0), dirRecord("A.;1", 32, 100, 0),
		dirRecord("B.;1", 33, 200, 4), dirRecord("B.;1", 34, 300, 0),
		dirRecord("BEYOND.;1", 39, 5000, 0), dirRecord("BEYOND.;1", 38, 9000, 4),
		dirRecord("DIR", 21, iso9660.BlockSize, 2), dirRecord("EMPTY.;1", 35, 0, 0))
	c.directory(21, dirRecord("A.;1", 36, 2048, 0))
	im, err := c.open(iso9660.WithNames(iso9660.Plain))
	require.NoError(t, err)
	assert.ElementsMatch(t, []iso9660.Extent{{30, 3000}, {32, 100}, {33, 200}, {34, 300}, {36, 2048}}, im.Contents())
}

func TestCatalogFaults(t *testing.T) {
	t.Parallel()

	b := sample(t, "xorriso")
	at := int(binary.LittleEndian.Uint32(b[17*2048+71:])) * 2048
	open := func(b []byte) (*iso9660.Catalog, error) {
		im, err := iso9660.Open(bytes.NewReader(b), int64(len(b)))
		require.NoError(t, err)
		return im.Catalog()
	}
	bad := bytes.Clone(b)
	bad[at+5]++
	_, err := open(bad)
	require.ErrorContains(t, err, "validation entry has the checksum 0x0100, want 0")
	bad = bytes.Clone(b)
	bad[at] = 9
	_, err = open(bad)
	require.ErrorContains(t, err, "validation entry starts with 0x09")
	bad = bytes.Clone(b)
	binary.LittleEndian.PutUint32(bad[17*2048+71:], 1<<30)
	_, err = open(bad)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	bad = bytes.Clone(b)
	bad[17*2048+7] = 'X'
	c, err := open(bad)
	require.NoError(t, err)
	assert.Nil(t, c)
}
