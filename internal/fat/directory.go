package fat

import (
	"encoding/binary"
	"time"
)

const (
	entrySize    = 32
	unitsInEntry = 13 // UTF-16 units in an entry of a long name

	attrLabel     = 0x08
	attrDirectory = 0x10
	attrArchive   = 0x20
	attrLong      = 0x0F
	lastLong      = 0x40 // marks the entry with the end of a long name
)

// encode returns the entries of the directory n.
func (n *node) encode(v *Volume) []byte {
	b := make([]byte, 0, n.bytes())
	switch {
	case n.parent != nil:
		up := *n.parent
		if up.parent == nil {
			up.cluster = 0 // That is how .. says root, wherever it is.
		}
		b = appendEntry(b, v, joinShort(".", ""), n)
		b = appendEntry(b, v, joinShort("..", ""), &up)
	case n.labelled:
		label := &node{time: v.Time}
		b = appendEntry(b, v, labelField(v.Label), label)
		b[len(b)-entrySize+11] = attrLabel
	}
	for _, child := range n.children {
		b = appendLong(b, child.long, checksum(child.short))
		b = appendEntry(b, v, child.short, child)
	}
	return b
}

// appendEntry appends the entry with the short name of n.
func appendEntry(b []byte, v *Volume, short [shortSize]byte, n *node) []byte {
	var e [entrySize]byte
	copy(e[:], short[:])
	e[11] = attrArchive
	if n.dir {
		e[11] = attrDirectory
	}
	changed := n.time
	if changed.IsZero() {
		changed = v.Time
	}
	date, clock := stamp(changed)
	binary.LittleEndian.PutUint16(e[14:], clock)
	binary.LittleEndian.PutUint16(e[16:], date)
	binary.LittleEndian.PutUint16(e[18:], date)
	binary.LittleEndian.PutUint16(e[20:], uint16(n.cluster>>16))
	binary.LittleEndian.PutUint16(e[22:], clock)
	binary.LittleEndian.PutUint16(e[24:], date)
	binary.LittleEndian.PutUint16(e[26:], uint16(n.cluster))
	binary.LittleEndian.PutUint32(e[28:], uint32(n.size))
	return append(b, e[:]...)
}

// appendLong appends the entries with a long name, the last part first.
func appendLong(b []byte, units []uint16, sum byte) []byte {
	count := (len(units) + unitsInEntry - 1) / unitsInEntry
	for i := count; i > 0; i-- {
		var e [entrySize]byte
		e[0], e[11], e[13] = byte(i), attrLong, sum
		if i == count {
			e[0] |= lastLong
		}
		for j := range unitsInEntry {
			unit := uint16(0xFFFF)
			switch at := (i-1)*unitsInEntry + j; {
			case at < len(units):
				unit = units[at]
			case at == len(units):
				unit = 0
			}
			binary.LittleEndian.PutUint16(e[unitOffset(j):], unit)
		}
		b = append(b, e[:]...)
	}
	return b
}

// unitOffset is where unit j is in an entry of a long name: in three groups,
// around what a reader that knows no long names looks at.
func unitOffset(j int) int {
	switch {
	case j < 5:
		return 1 + 2*j
	case j < 11:
		return 14 + 2*(j-5)
	}
	return 28 + 2*(j-11)
}

// checksum ties the entries of a long name to a short one.
func checksum(short [shortSize]byte) (sum byte) {
	for _, b := range short {
		sum = sum>>1 | sum<<7
		sum += b
	}
	return sum
}

// stamp returns t as date and time, the nearest that FAT has and is not later.
func stamp(t time.Time) (date, clock uint16) {
	t = t.UTC()
	switch {
	case t.Year() < 1980:
		t = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	case t.Year() > 2107:
		t = time.Date(2107, 12, 31, 23, 59, 58, 0, time.UTC)
	}
	date = uint16((t.Year()-1980)<<9 | int(t.Month())<<5 | t.Day())
	clock = uint16(t.Hour()<<11 | t.Minute()<<5 | t.Second()/2)
	return date, clock
}
