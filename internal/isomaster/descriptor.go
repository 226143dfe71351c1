package isomaster

import (
	"encoding/binary"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// firstDescriptor is the block of a volume where its descriptors begin
// (ECMA-119 §6.7.1).
const firstDescriptor = 16

// Types of descriptors (ECMA-119 §8.1.1).
const (
	typeBoot          = 0
	typePrimary       = 1
	typeSupplementary = 2
	typeTerminator    = 255
)

// descriptorCount is how many descriptors the volume from the block base on
// has. That of the partition has no boot record: its catalogue would name
// images beyond its end, and firmware looks for catalogues in partitions too.
func (l *layout) descriptorCount(base uint32) int {
	n := 2
	if base == 0 && len(l.volume.Boot) > 0 {
		n++
	}
	if !l.volume.NoJoliet {
		n++
	}
	return n
}

// descriptors are those of the volume from the block base on.
func (l *layout) descriptors(base uint32) []byte {
	blocks := l.volume.Size / iso9660.BlockSize
	if base > 0 {
		blocks = l.volume.Partition.Size / iso9660.BlockSize
	}
	b := make([]byte, 0, l.descriptorCount(base)*iso9660.BlockSize)
	for _, t := range l.trees {
		if t.base != base {
			continue
		}
		b = append(b, l.descriptor(t, uint32(blocks))...)
		if !t.joliet && base == 0 && len(l.volume.Boot) > 0 {
			b = append(b, l.bootRecord()...)
		}
	}
	return append(b, newDescriptor(typeTerminator)...)
}

func newDescriptor(kind byte) []byte {
	b := make([]byte, iso9660.BlockSize)
	b[0] = kind
	copy(b[1:], "CD001\x01")
	return b
}

// bootRecord says where the boot catalogue is (El Torito 1.0 §1.6).
func (l *layout) bootRecord() []byte {
	b := newDescriptor(typeBoot)
	copy(b[7:], "EL TORITO SPECIFICATION")
	binary.LittleEndian.PutUint32(b[71:], l.volume.CatalogBlock)
	return b
}

// descriptor is the primary or supplementary volume descriptor that leads to t
// (ECMA-119 §8.4, §8.5), for a volume of that many blocks.
func (l *layout) descriptor(t *tree, blocks uint32) []byte {
	v, b := l.volume, newDescriptor(typePrimary)
	text := putText
	if t.joliet {
		b = newDescriptor(typeSupplementary)
		copy(b[88:], "%/E") // Level 3.
		text = putWideText
	}
	text(b[8:40], v.System)
	text(b[40:72], v.ID)
	put32(b[80:], blocks)
	put16(b[120:], 1) // Volumes in the set,
	put16(b[124:], 1) // and which of them this is.
	put16(b[128:], iso9660.BlockSize)
	put32(b[132:], uint32(t.table))
	binary.LittleEndian.PutUint32(b[140:], t.start-t.base)
	binary.BigEndian.PutUint32(b[148:], t.start-t.base+t.tableBlocks())
	t.rootRecord().put(b[156:190])
	text(b[190:318], v.Set)
	text(b[318:446], v.Publisher)
	text(b[446:574], v.Preparer)
	text(b[574:702], v.Application)
	text(b[702:739], "") // Files with copyright,
	text(b[739:776], "") // abstract
	text(b[776:813], "") // and bibliography.
	l.putTimes(b[813:])
	b[881] = 1 // Version of the structure of files.
	return b
}

func (t *tree) rootRecord() *record {
	d := t.dirs[0]
	return &record{id: idSelf, flags: flagDirectory, block: d.start - t.base, size: d.size, time: shortTime(d.node.time(t.time))}
}

// putTimes fills in when the volume was made and changed; it neither expires,
// nor does it become effective later.
func (l *layout) putTimes(b []byte) {
	made := longTime(l.time)
	copy(b, made[:])
	copy(b[17:], made[:])
	const unknown = "0000000000000000\x00"
	copy(b[34:], unknown+unknown)
}

// putText fills b with text and blanks.
func putText(b []byte, text string) {
	for i := copy(b, text); i < len(b); i++ {
		b[i] = ' '
	}
}

// putWideText fills b with as much of text as fits in two bytes for each
// character, and blanks. Readers know that the text of the primary descriptor
// is the longer one.
func putWideText(b []byte, text string) {
	for i := range len(b) / 2 {
		c := byte(' ')
		if i < len(text) {
			c = text[i]
		}
		b[2*i], b[2*i+1] = 0, c
	}
}
