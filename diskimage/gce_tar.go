package diskimage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// A header of GNU tar's old format, in bytes. Numbers are octal digits with a
// zero byte behind, or, if they are too large for that, big-endian with 0x80 in
// front.
//
//	offset   size     field
//	0        100      name
//	100      8        mode
//	108      8        owner
//	116      8        group
//	124      12       size of what the archive has of the file
//	136      12       time
//	148      8        sum of all bytes, with blanks in this field
//	156      1        type: S, a sparse file
//	257      8        "ustar  \0"
//	386      4 * 24   places of data: offset and size, 12 bytes each
//	482      1        whether a block with more places follows
//	483      12       size of the file
//
// A block with more places has 21 of them, and at 504 whether another follows.
const (
	tarBlock      = 512
	tarRecord     = 20 * tarBlock // what an archive is a multiple of
	tarPlaceSize  = 24
	tarPlaces     = 4
	tarMorePlaces = 21
)

// newSparseTar returns an archive of disk as disk.raw. Spans are whole sectors,
// so that each begins a block, as GNU tar wants it.
func newSparseTar(spans []span, disk File, made time.Time) *sparseTar {
	t := &sparseTar{Image: mosaic.New(), spans: spans, size: disk.Size()}
	head := tarHeader(spans, t.size, made)
	t.AddBytes(0, head)
	at := int64(len(head))
	for _, s := range spans {
		t.places = append(t.places, at)
		t.Add(at, section{disk, s.start, s.end - s.start}, s.end-s.start)
		at += s.end - s.start
	}
	const end = 2 * tarBlock // Blocks of zeros.
	t.SetSize((at + end + tarRecord - 1) / tarRecord * tarRecord)
	return t
}

// tarHeader returns everything before the data of a sparse file.
func tarHeader(spans []span, size int64, made time.Time) []byte {
	stored := int64(0)
	for _, s := range spans {
		stored += s.end - s.start
	}
	if len(spans) == 0 || spans[len(spans)-1].end < size {
		spans = append(slices.Clip(spans), span{size, size}) // Says where the last hole ends.
	}
	b := make([]byte, tarBlock)
	copy(b, "disk.raw")
	tarNumber(b[100:108], 0o644)
	tarNumber(b[108:116], 0)
	tarNumber(b[116:124], 0)
	tarNumber(b[124:136], stored)
	tarNumber(b[136:148], max(made.Unix(), 0))
	copy(b[148:156], bytes.Repeat([]byte{' '}, 8))
	b[156] = 'S'
	copy(b[257:], "ustar  \x00")
	copy(b[265:], "root")
	copy(b[297:], "root")
	spans = tarPlaceList(b[386:482], spans, tarPlaces)
	b[482] = tarFlag(spans)
	tarNumber(b[483:495], size)
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00", sum))
	for len(spans) > 0 {
		more := make([]byte, tarBlock)
		spans = tarPlaceList(more, spans, tarMorePlaces)
		more[504] = tarFlag(spans)
		b = append(b, more...)
	}
	return b
}

// tarPlaceList puts the first count spans into b, and returns the others.
func tarPlaceList(b []byte, spans []span, count int) []span {
	count = min(count, len(spans))
	for i, s := range spans[:count] {
		tarNumber(b[i*tarPlaceSize:][:12], s.start)
		tarNumber(b[i*tarPlaceSize+12:][:12], s.end-s.start)
	}
	return spans[count:]
}

// tarFlag says whether spans are left.
func tarFlag(spans []span) byte { return byte(min(len(spans), 1)) }

// tarNumber puts n into a field of 8 or 12 bytes.
func tarNumber(field []byte, n int64) {
	if text := fmt.Sprintf("%0*o", len(field)-1, n); len(text) < len(field) {
		copy(field, text)
		return
	}
	binary.BigEndian.PutUint64(field[len(field)-8:], uint64(n))
	field[0] = 0x80
}
