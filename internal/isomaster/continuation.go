package isomaster

import "github.com/netbootkit/netbootkit/internal/iso9660"

// fix is room for a CE entry (SUSP 1.12 §5.1), which cannot be made before the
// block is known where the continuation areas of the directory begin.
type fix struct {
	inAreas bool
	at      int // where the entry is, in records or areas
	to      int // where it leads, in areas
	size    int // of what is there, in bytes
}

// start is where in data the field with the number i starts, and where the last
// one ends.
func (f *fields) start(i int) int {
	if i == 0 {
		return 0
	}
	return f.ends[i-1]
}

// fit returns the number of the first field that does not fit into room bytes
// together with all from the field with the number from on.
func (f *fields) fit(from, room int) int {
	i := from
	for i < len(f.ends) && f.ends[i]-f.start(from) <= room {
		i++
	}
	return i
}

// split says how the fields are divided: inline is what goes into the record,
// which has room bytes; the others are those from the number rest on, and there
// are none if rest is 0.
func (f *fields) split(room int) (inline []byte, rest int) {
	if len(f.data) <= room {
		return f.data, 0
	}
	rest = f.fit(0, room-continuation)
	return f.data[:f.start(rest)], rest
}

// proceed puts the fields from the number rest on into continuation areas. The
// entry that leads there is at the offset at in the records. No area crosses
// the end of a block, as Linux reads only one block for it.
func (e *encoder) proceed(at, rest int) {
	f, inAreas := &e.fields, false
	for {
		size, next := len(f.data)-f.start(rest), len(f.ends)
		if size > iso9660.BlockSize-len(e.areas)%iso9660.BlockSize {
			e.areas = pad(e.areas)
		}
		if size > iso9660.BlockSize {
			next = f.fit(rest, iso9660.BlockSize-continuation)
			size = f.start(next) - f.start(rest) + continuation
		}
		e.fixes = append(e.fixes, fix{inAreas: inAreas, at: at, to: len(e.areas), size: size})
		e.areas = append(e.areas, f.data[f.start(rest):f.start(next)]...)
		if next == len(f.ends) {
			return
		}
		rest, inAreas, at = next, true, len(e.areas)
		e.areas = append(e.areas, make([]byte, continuation)...)
	}
}

// resolve makes all CE entries: the continuation areas begin at block.
func (e *encoder) resolve(block uint32) {
	for _, x := range e.fixes {
		b := e.records
		if x.inAreas {
			b = e.areas
		}
		b = b[x.at:]
		copy(b, "CE\x1c\x01")
		put32(b[4:], block+uint32(x.to/iso9660.BlockSize))
		put32(b[12:], uint32(x.to%iso9660.BlockSize))
		put32(b[20:], uint32(x.size))
	}
}
