package isomaster

import (
	"encoding/binary"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// pathRecordSize is the size of a path table record for the identifier id, in
// bytes (ECMA-119 §9.4).
func pathRecordSize(id string) int { return 8 + len(id) + len(id)%2 }

// tableBlocks is how many blocks one path table takes.
func (t *tree) tableBlocks() uint32 {
	return uint32((t.table + iso9660.BlockSize - 1) / iso9660.BlockSize)
}

// appendPathTables appends both path tables: the first has the least
// significant bytes first, the other the most significant ones.
func (t *tree) appendPathTables(b []byte) []byte {
	b = pad(t.appendPathTable(b, binary.LittleEndian))
	return pad(t.appendPathTable(b, binary.BigEndian))
}

func (t *tree) appendPathTable(b []byte, order binary.AppendByteOrder) []byte {
	for _, d := range t.dirs {
		b = append(b, byte(len(d.id)), 0)
		b = order.AppendUint32(b, d.start-t.base)
		b = order.AppendUint16(b, uint16(d.parent+1))
		b = append(b, d.id...)
		b = append(b, make([]byte, len(d.id)%2)...)
	}
	return b
}

// pad fills the last block of b with zeros.
func pad(b []byte) []byte {
	if rest := len(b) % iso9660.BlockSize; rest != 0 {
		b = append(b, make([]byte, iso9660.BlockSize-rest)...)
	}
	return b
}
