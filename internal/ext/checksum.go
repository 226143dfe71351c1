package ext

import (
	"encoding/binary"
	"hash/crc32"
)

// A summer computes the checksums of version 4: CRC-32C with a start that is
// given, and no inversion at the end.
type summer struct {
	table *crc32.Table
	seed  uint32 // from the UUID
}

func newSummer(uuid [16]byte) summer {
	s := summer{table: crc32.MakeTable(crc32.Castagnoli)}
	s.seed = s.sum(^uint32(0), uuid[:])
	return s
}

// sum continues the checksum start with b.
func (s summer) sum(start uint32, b []byte) uint32 {
	return ^crc32.Update(^start, s.table, b)
}

// of continues the seed with a number, in the order of bytes on disk.
func (s summer) of(number uint32) uint32 {
	return s.sum(s.seed, binary.LittleEndian.AppendUint32(nil, number))
}

// inode is where the checksums of everything that belongs to an inode start.
// All generations are zero.
func (s summer) inode(number uint32) uint32 {
	return s.sum(s.of(number), make([]byte, 4))
}
