package isomaster

import (
	"encoding/binary"
	"time"
)

// put32 records v in both byte orders, in eight bytes (ECMA-119 §7.3.3).
func put32(b []byte, v uint32) {
	binary.LittleEndian.PutUint32(b, v)
	binary.BigEndian.PutUint32(b[4:], v)
}

// put16 records v in both byte orders, in four bytes (ECMA-119 §7.2.3).
func put16(b []byte, v uint16) {
	binary.LittleEndian.PutUint16(b, v)
	binary.BigEndian.PutUint16(b[2:], v)
}

func append32(b []byte, v uint32) []byte {
	b = binary.LittleEndian.AppendUint32(b, v)
	return binary.BigEndian.AppendUint32(b, v)
}

// shortTime is t in the seven bytes of directory records (ECMA-119 §9.1.5):
// the first or the last second that they can hold if t is not between them.
func shortTime(t time.Time) [7]byte {
	t = t.UTC()
	switch {
	case t.Year() < 1900:
		return [7]byte{0, 1, 1, 0, 0, 0, 0}
	case t.Year() > 1900+255:
		return [7]byte{255, 12, 31, 23, 59, 59, 0}
	}
	return [7]byte{
		byte(t.Year() - 1900), byte(t.Month()), byte(t.Day()),
		byte(t.Hour()), byte(t.Minute()), byte(t.Second()), 0,
	}
}

// longTime is t in the 17 bytes of descriptors (ECMA-119 §8.4.26.1), in UTC.
func longTime(t time.Time) [17]byte {
	var b [17]byte
	text := t.UTC().Format("20060102150405.00")
	copy(b[copy(b[:], text[:14]):], text[15:])
	return b
}
