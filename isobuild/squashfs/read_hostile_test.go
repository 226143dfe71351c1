package squashfs_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// Places in testdata/mksquashfs/stored.img, in which nothing is packed.
const (
	inodeTable = 0x2776
	inodeB     = 0x2778 // the directory a/b
	inodeF     = 0x2798 // the file a/f and a/g, in a fragment, with attributes
	inodeL     = 0x27d0 // the symbolic link a/l
	inodeA     = 0x27e9 // the directory a
	inodeBig   = 0x2809 // the file big, of three blocks, with attributes
	inodeC     = 0x284d // the device c
	inodeRoot  = 0x2865
	listA      = 0x2887 // the listing of a: b, f, g, l
	listRoot   = 0x28b7 // a, big, c
	fragments  = 0x28e2 // the only entry of the fragment table
	fragIndex  = 0x28f2
	idIndex    = 0x2942
	xattrs     = 0x294c // the attribute of a/f
	xattrLists = 0x29d6
	xattrTable = 0x29f6
)

// A patch changes an image.
type patch func(b []byte)

func put8(at int, v byte) patch { return func(b []byte) { b[at] = v } }

func put16(at int, v uint16) patch {
	return func(b []byte) { binary.LittleEndian.PutUint16(b[at:], v) }
}

func put32(at int, v uint32) patch {
	return func(b []byte) { binary.LittleEndian.PutUint32(b[at:], v) }
}

func put64(at int, v uint64) patch {
	return func(b []byte) { binary.LittleEndian.PutUint64(b[at:], v) }
}

// both applies two patches.
func both(p, q patch) patch { return func(b []byte) { p(b); q(b) } }

// outside returns where in the image the attribute is whose value is not
// beside it.
func outside(tb testing.TB) int {
	tb.Helper()
	at := bytes.Index(sample(tb, "stored"), []byte("\x00\x01\x01\x00x\x08"))
	require.Positive(tb, at)
	return at
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()

	_, err := fs.ReadFile(open(t, sample(t, "stored")), "a/g")
	require.NoError(t, err)
	ool := outside(t)
	for want, change := range map[string]patch{
		"magic number 0x64636261 is not that of SquashFS, 0x73717368":    put32(0, 0x64636261),
		"big-endian SquashFS, older than 4.0":                            put32(0, 0x68737173),
		"version 3.1 is not 4.0":                                         put32(28, 0x10003),
		"block size 4095 is not a power of two in 4096..1048576":         put32(12, 4095),
		"block size 0 is not":                                            put32(12, 0),
		"block size 2097152 is not":                                      put32(12, 2<<20),
		"block size 8192 is not 1<<12, as the superblock says too":       put32(12, 8192),
		"block size 4096 is not 1<<65535":                                put16(22, 65535),
		"packed with lzo, want gzip, xz, lz4 or zstd":                    put16(20, 3),
		"packed with lzma, want":                                         put16(20, 2),
		"packed with compression 7, want":                                put16(20, 7),
		"12289 bytes in use, of 12288: unexpected EOF":                   put64(40, 12289),
		"-1 bytes in use, of 12288":                                      put64(40, 1<<64-1),
		"inode table at byte 95 of 10766":                                put64(64, 95),
		"inode table at byte -1 of":                                      put64(64, 1<<64-1),
		"directory table at byte 10766 of 10766":                         put64(72, 10766),
		"directory table at byte 96 of 10766, inode table at byte 10102": put64(72, 96),
		"no owners": put16(26, 0),
		"owner table: index of 1 blocks at byte 10759 of 10766":               put64(48, 10759),
		"owner 0: metadata block at byte 10765: outside 96..10764":            put64(idIndex, 10765),
		"owner 0: metadata block at byte -1: outside":                         put64(idIndex, 1<<64-1),
		"16777217 fragments, more than 16777216":                              put32(16, 1<<24+1),
		"fragment table: index of 32768 blocks at byte 10482 of 10766":        put32(16, 1<<24),
		`entry ".": reference 0xffffffffffffffff beyond the image`:            put64(32, 1<<64-1),
		`entry ".": byte 60000 of a metadata block of 269 bytes`:              put64(32, 60000),
		"metadata block at byte 10102: 0 bytes long, not 1 to 662":            put16(inodeTable, 0),
		"metadata block at byte 10102: 8193 bytes long":                       put16(inodeTable, 8193),
		"metadata block at byte 10102: zlib: invalid header":                  put16(inodeTable, 269),
		`entry ".": unknown inode type 0`:                                     put16(inodeRoot, 0),
		`entry ".": unknown inode type 15`:                                    put16(inodeRoot, 15),
		`entry ".": inode has type 2, and its entry 1`:                        put16(inodeRoot, 2),
		`entry "a/b": inode has type 7, and its entry 1`:                      put16(inodeB, 7),
		`entry "a": owner 1 of 1`:                                             put16(inodeA+4, 1),
		`entry "a/f": file of 18446744073709551615 bytes has more than`:       put64(inodeF+24, 1<<64-1),
		`entry "big": file data at byte 18446744073709551615 of 10766`:        put64(inodeBig+16, 1<<64-1),
		`entry "a/l": symbolic link's target has 0 bytes, not 1 to 4095`:      put32(inodeL+20, 0),
		`entry "a/l": symbolic link's target has 4294967295 bytes`:            put32(inodeL+20, 1<<32-1),
		`entry "a/b": is the same directory as "."`:                           put16(listA+12, inodeRoot-inodeTable-2),
		`entry "a/b": is the same directory as "a"`:                           put16(listA+12, inodeA-inodeTable-2),
		`entry "a/b/b": is the same directory as "a/b"`:                       both(put16(inodeB+24, 0x33), put16(inodeB+26, 0)),
		`entry "a": two entries are called "f"`:                               put8(listA+38, 'f'),
		`entry "a": "/" cannot be a name`:                                     put8(listA+20, '/'),
		`entry "a": "\x00" cannot be a name`:                                  put8(listA+20, 0),
		`entry "a": "." cannot be a name`:                                     put8(listA+20, '.'),
		`entry "a": name of 65536 bytes is longer than 255`:                   put16(listA+18, 65535),
		`entry "a": 4294967296 entries behind one header, more than 256`:      put32(listA, 1<<32-1),
		`entry "a": listing ends in the middle of an entry`:                   put32(listA, 4),
		`entry ".": listing ends in the middle of an entry`:                   put16(inodeRoot+24, 10),
		`entry ".": 10097 entries behind one header`:                          put16(inodeRoot+26, 0x59),
		`entry ".": reference 0xffffffff0030 beyond the image`:                put32(inodeRoot+16, 1<<32-1),
		"attribute table: 16 bytes at byte 10765 of 10766":                    put64(56, 10765),
		"attributes at byte -1 of 10766":                                      put64(xattrTable, 1<<64-1),
		"2097153 lists of attributes, more than 2097152":                      put32(xattrTable+8, 2<<20+1),
		"list of attributes table: index of 4096 blocks":                      put32(xattrTable+8, 2<<20),
		`entry "a/f": list of attributes 7 of 2`:                              put32(inodeF+52, 7),
		`entry "a/f": list 0 of attributes: reference 0xffffffffffffffff`:     put64(xattrLists, 1<<64-1),
		`entry "a/f": list 0 of attributes: attribute "user.x" occurs twice`:  put32(xattrLists+8, 3),
		`entry "a/f": list 0 of attributes: attribute of unknown type 0x9`:    put16(xattrs, 9),
		`entry "a/f": list 0 of attributes: name of an attribute has 0 bytes`: put16(xattrs+2, 0),
		"name of an attribute has 65535 bytes, not 1 to 250":                  put16(xattrs+2, 65535),
		"value of an attribute has 4294967295 bytes, more than 65536":         put32(xattrs+5, 1<<32-1),
		`reference to the value of "user.x" has 9 bytes, not 8`:               put32(ool+5, 9),
		`entry "big": list 1 of attributes: reference 0xffffffffffffffff`:     put64(ool+9, 1<<64-1),
		`entry "big": list 1 of attributes: value of an attribute has`:        put64(ool+9, 6),
		`entry "big": list 1 of attributes: name of an attribute has`:         put32(xattrLists+16+8, 1<<32-1),
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			image := sample(t, "stored")
			change(image)
			_, err := squashfs.Open(bytes.NewReader(image), int64(len(image)))
			assert.ErrorContains(t, err, "squashfs: ")
			assert.ErrorContains(t, err, want)
		})
	}
}

func TestFileRefuses(t *testing.T) {
	t.Parallel()

	for want, c := range map[string]struct {
		name   string
		change patch
	}{
		"open a/f: fragment 9 of 1": {"a/f", put32(inodeF+44, 9)},
		"open a/f: 6 bytes at byte 4091 of a fragment block of at most 4096":     {"a/f", put32(inodeF+48, 4091)},
		"open a/f: 6 bytes at byte 4294967295 of a fragment":                     {"a/f", put32(inodeF+48, 1<<32-1)},
		"read a/f: fragment block: 6 bytes at byte 1 of 6":                       {"a/f", put32(inodeF+48, 1)},
		"open a/f: fragment 0: metadata block at byte -1":                        {"a/f", put64(fragIndex, 1<<64-1)},
		"read a/f: fragment block: block at byte 10096: 0 bytes long":            {"a/f", put32(fragments+8, 0)},
		"read a/f: fragment block: block at byte 10096: 4097 bytes long":         {"a/f", put32(fragments+8, 1<<24+4097)},
		"read a/f: fragment block: block at byte 10096: zlib: invalid header":    {"a/f", put32(fragments+8, 6)},
		"read a/f: fragment block: 6 bytes at byte -1 of 10766: unexpected EOF":  {"a/f", put64(fragments, 1<<64-1)},
		"read a/f: fragment block: 6 bytes at byte 10761 of 10766: unexpected":   {"a/f", put64(fragments, 10761)},
		"open big: 10000 bytes of blocks at byte 10766 of 10766: unexpected EOF": {"big", put64(inodeBig+16, 10766)},
		"read big: block 0: block at byte 96: 4098 bytes long, not 1 to 4096":    {"big", put32(inodeBig+56, 1<<24+4098)},
		"read big: block 1: 4095 bytes, not 4096":                                {"big", put32(inodeBig+60, 1<<24+4095)},
		"read big: block 2: block at byte 8288: unpacks to more than a block":    {"big", put32(inodeBig+64, 1<<24+1809)},
		"open big: metadata block at byte 10482: 10464 bytes long":               {"big", put64(inodeBig+24, 1<<20)},
		"open big: 3398013638 bytes of blocks at byte 96 of 10766: unexpected E": {"big", put64(inodeBig+24, 100<<10)},
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			image := sample(t, "stored")
			c.change(image)
			tree := open(t, image)
			for range 2 { // An error is not kept as if it were a block.
				data, err := fs.ReadFile(tree, c.name)
				assert.ErrorContains(t, err, want)
				assert.Less(t, len(data), 10000)
			}
		})
	}
}

// TestOpenTruncated opens every beginning of images.
func TestOpenTruncated(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"stored", "zstd"} {
		image := sample(t, name)
		used := int(binary.LittleEndian.Uint64(image[40:]))
		for n := range used {
			_, err := squashfs.Open(bytes.NewReader(image[:n]), int64(n))
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%d bytes of %s", n, name)
		}
		// The size is not that of what there is.
		_, err := squashfs.Open(bytes.NewReader(image[:used/2]), int64(len(image)))
		require.Error(t, err)
		open(t, image[:used])
	}
}
