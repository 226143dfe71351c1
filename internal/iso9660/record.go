package iso9660

import (
	"encoding/binary"
	"fmt"
	"time"
)

const (
	recordFixed = 33 // bytes of a record before its name (ECMA-119 §9.1)

	flagDirectory  = 0x02
	flagAssociated = 0x04
	flagMore       = 0x80 // more extents follow
)

// A record is a directory record (ECMA-119 §9.1). It points into the
// directory it was read from.
type record struct {
	block       uint32
	size        uint32
	flags       byte
	interleaved bool
	date        []byte // 7 bytes
	name        []byte
	system      []byte // system use area
}

// parseRecord reads the record that fills b.
func parseRecord(b []byte) (record, error) {
	if len(b) <= recordFixed {
		return record{}, fmt.Errorf("record of %d bytes, want at least %d", len(b), recordFixed+1)
	}
	n := int(b[32])
	if n == 0 || recordFixed+n > len(b) {
		return record{}, fmt.Errorf("name of %d bytes in a record of %d", n, len(b))
	}
	r := record{
		block:       binary.LittleEndian.Uint32(b[2:]),
		size:        binary.LittleEndian.Uint32(b[10:]),
		date:        b[18:25],
		flags:       b[25],
		interleaved: b[26] != 0 || b[27] != 0,
		name:        b[recordFixed : recordFixed+n],
	}
	if attributes := uint32(b[1]); r.block+attributes >= r.block { // They come before the content.
		r.block += attributes
	}
	if at := recordFixed + n + (n+1)%2; at < len(b) {
		r.system = b[at:]
	}
	return r, nil
}

// self says whether r is the directory itself, parent whether it is the one
// above.
func (r *record) self() bool   { return len(r.name) == 1 && r.name[0] == 0 }
func (r *record) parent() bool { return len(r.name) == 1 && r.name[0] == 1 }

// recordTime returns the time in the 7 bytes of a record (ECMA-119 §9.1.5).
func recordTime(b []byte) (seconds int64, nanos int32) {
	if b[1] == 0 || b[2] == 0 {
		return 0, 0 // not recorded
	}
	return zoned(1900+int(b[0]), int(b[1]), int(b[2]), int(b[3]), int(b[4]), int(b[5]), b[6]), 0
}

// longTime returns the time in the 17 bytes of a descriptor (ECMA-119 §8.4.26.1).
func longTime(b []byte) (seconds int64, nanos int32) {
	number := func(from, to int) int {
		n := 0
		for _, c := range b[from:to] {
			if c < '0' || c > '9' {
				return 0
			}
			n = n*10 + int(c-'0')
		}
		return n
	}
	month, day := number(4, 6), number(6, 8)
	if month == 0 || day == 0 {
		return 0, 0 // not recorded
	}
	hundredths := number(14, 16)
	return zoned(number(0, 4), month, day, number(8, 10), number(10, 12), number(12, 14), b[16]), int32(hundredths) * 1e7
}

// zoned returns a time in Unix' seconds; zone is the offset from Greenwich in
// quarters of an hour, as a signed number.
func zoned(year, month, day, hour, minute, second int, zone byte) int64 {
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t.Unix() - int64(int8(zone))*15*60
}
