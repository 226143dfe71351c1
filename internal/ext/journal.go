package ext

import "encoding/binary"

// addJournal adds the first block of the journal, which says that it is empty.
// Its numbers are big-endian.
func (a *assembly) addJournal(v *Volume) {
	if a.journal == 0 {
		return
	}
	b, be := make([]byte, superSize), binary.BigEndian
	for _, f := range []struct{ off, value uint32 }{
		{0x0, 0xC03B3998},
		{0x4, 4}, // a superblock, version 2
		{0xC, blockSize},
		{0x10, a.journal},
		{0x14, 1}, // first block of the log
		{0x18, 1}, // first transaction
		{0x40, 1}, // users
	} {
		be.PutUint32(b[f.off:], f.value)
	}
	copy(b[0x30:], v.UUID[:])
	a.addMaps(a.log)
	a.addBytes(a.log.runs[0].start, 0, b)
}
