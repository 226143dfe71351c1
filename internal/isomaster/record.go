package isomaster

import "github.com/netbootkit/netbootkit/internal/iso9660"

const (
	// recordHeader is the size of a record before its identifier, in bytes
	// (ECMA-119 §9.1).
	recordHeader = 33
	// maxRecord is the size of the longest record: even, in one byte.
	maxRecord = 254
)

// Flags of records (ECMA-119 §9.1.6).
const (
	flagDirectory = 0x02
	flagGoesOn    = 0x80 // The next record is of the same file.
)

// Identifiers of a directory's records for itself and for the one above
// (ECMA-119 §7.6.2).
const (
	idSelf   = "\x00"
	idParent = "\x01"
)

// encoder makes the bytes of one directory after another.
type encoder struct {
	records []byte // whole blocks
	areas   []byte // whole blocks of continuation areas, which follow
	fixes   []fix
	fields  fields // of the record that is being made
}

// record is one directory record but for its SUSP fields.
type record struct {
	id          string // with version
	flags       byte
	block, size uint32 // as recorded
	time        [7]byte
}

// encode makes the records of the directory with the number i, which lists
// entries, and what continues them. Before t.place the places, and before the
// end of t.plan also the sizes that they name are wrong.
func (e *encoder) encode(t *tree, i int, entries []entry) {
	d := &t.dirs[i]
	e.records, e.areas, e.fixes = e.records[:0], e.areas[:0], e.fixes[:0]
	e.addDirectory(t, i, idSelf, i == 0)
	e.addDirectory(t, d.parent, idParent, false)
	child := d.child
	for k, c := range entries {
		if c.Same == nil && c.isDirectory() {
			e.addDirectory(t, child, c.id, false)
			child++
			continue
		}
		e.addFile(t, c, d.first+uint32(k))
	}
	e.records, e.areas = pad(e.records), pad(e.areas)
	e.resolve(d.start - t.base + uint32(len(e.records)/iso9660.BlockSize))
}

// addDirectory adds a record of directory i: by its own name, or by one of
// those that it has in itself and in what is below.
func (e *encoder) addDirectory(t *tree, i int, id string, root bool) {
	d := &t.dirs[i]
	e.fields.reset()
	if !t.joliet {
		if root {
			e.fields.sharing()
		}
		user, group := d.node.owner()
		e.fields.attributes(d.node.mode(), 2+d.inside, user, group, d.serial)
		e.fields.modified(d.node.time(t.time))
		if id != idSelf && id != idParent {
			e.fields.name(d.node.Name)
		}
		if root {
			e.fields.extensions()
		}
	}
	e.add(record{id: id, flags: flagDirectory, block: d.start - t.base, size: d.size, time: shortTime(d.node.time(t.time))})
}

// addFile adds the records of c, which is no directory and has the inode number
// serial if it has no other name.
func (e *encoder) addFile(t *tree, c entry, serial uint32) {
	file, names := c.file(), uint32(1)
	if l, ok := t.links[file]; ok {
		serial, names = l.serial, l.names
		if l.met {
			names++
		}
	}
	e.fields.reset()
	if !t.joliet {
		e.describe(t, file, names, serial)
		e.fields.name(c.Name)
		if file.mode()&typeMask == typeLink {
			e.fields.target(file.Header.Linkname)
		}
	}
	r := record{id: c.id, time: shortTime(file.time(t.time))}
	if !t.joliet {
		r.id += version
	}
	sections := file.sections()
	e.keepTogether(r, len(sections))
	for i, s := range sections {
		r.flags, r.block, r.size = 0, s.Block, uint32(s.Size)
		if i < len(sections)-1 {
			r.flags = flagGoesOn
		}
		if s.Size > 0 {
			r.block -= t.base
		}
		e.add(r)
	}
}

// describe adds the attributes of file.
func (e *encoder) describe(t *tree, file *Node, names, serial uint32) {
	mode := file.mode()
	user, group := file.owner()
	e.fields.attributes(mode, names, user, group, serial)
	e.fields.modified(file.time(t.time))
	if kind := mode & typeMask; kind == typeBlock || kind == typeChar {
		e.fields.device(uint32(file.Header.Devmajor), uint32(file.Header.Devminor))
	}
}

// add appends r with the fields.
func (e *encoder) add(r record) {
	e.keepTogether(r, 1)
	header, inline, rest, size := e.measure(r)
	start := len(e.records)
	e.records = append(e.records, make([]byte, size)...)
	b := e.records[start:]
	r.put(b)
	copy(b[header:], inline)
	if rest > 0 {
		e.proceed(start+header+len(inline), rest)
	}
}

// measure says how long r is without and with the fields that go into it, and
// which do not.
func (e *encoder) measure(r record) (header int, inline []byte, rest, size int) {
	header = recordHeader + len(r.id)
	header += header % 2
	inline, rest = e.fields.split(maxRecord - header)
	size = header + len(inline)
	if rest > 0 {
		size += continuation
	}
	return header, inline, rest, size + size%2
}

// keepTogether begins a block if the n records of a file, as long as r, do not
// fit into what is left of the last one. Records must not cross the end of a
// block, and GRUB does not look for further parts of a file in the next one.
func (e *encoder) keepTogether(r record, n int) {
	_, _, _, size := e.measure(r)
	if n*size > iso9660.BlockSize {
		n = 1
	}
	if room := iso9660.BlockSize - len(e.records)%iso9660.BlockSize; n*size > room {
		e.records = append(e.records, make([]byte, room)...)
	}
}

// put fills in all of b but SUSP fields; b is as long as the record.
func (r *record) put(b []byte) {
	b[0] = byte(len(b))
	put32(b[2:], r.block)
	put32(b[10:], r.size)
	copy(b[18:], r.time[:])
	b[25] = r.flags
	put16(b[28:], 1) // Volume sequence number.
	b[32] = byte(len(r.id))
	copy(b[recordHeader:], r.id)
}
