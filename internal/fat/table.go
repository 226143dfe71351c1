package fat

import (
	"encoding/binary"
	"io"
	"sort"
)

// A table is a FAT in which every chain is one run of clusters and all runs
// follow one another. Its bytes are computed when they are read, so that it
// takes memory by the number of files and not by their size.
type table struct {
	bits int
	last []uint32 // the last cluster of each run, ascending
}

// size is how many bytes lie before the first cluster that is free.
func (t *table) size() int64 {
	clusters := int64(2)
	if len(t.last) > 0 {
		clusters = int64(t.last[len(t.last)-1]) + 1
	}
	return ceil(clusters*int64(t.bits), 8)
}

// entry is the value of a cluster: the one that comes next, or all ones at the
// end of a run. The first two hold the media byte, and that nothing is amiss.
func (t *table) entry(cluster uint32) uint32 {
	ones := uint32(1)<<min(t.bits, 28) - 1 // Of 32 bits, 28 are used.
	switch cluster {
	case 0:
		return ones&^0xFF | media
	case 1:
		return ones
	}
	i := sort.Search(len(t.last), func(i int) bool { return t.last[i] >= cluster })
	switch {
	case i == len(t.last):
		return 0
	case t.last[i] == cluster:
		return ones
	}
	return cluster + 1
}

// ReadAt implements [io.ReaderAt].
func (t *table) ReadAt(p []byte, off int64) (int, error) {
	n := int(min(int64(len(p)), max(0, t.size()-off)))
	unit, clusters := int64(t.bits/8), int64(1)
	if t.bits == 12 {
		unit, clusters = 3, 2
	}
	var b [4]byte
	for done := 0; done < n; {
		at := off + int64(done)
		first := uint32(at / unit * clusters)
		switch t.bits {
		case 12:
			binary.LittleEndian.PutUint32(b[:], t.entry(first)|t.entry(first+1)<<12)
		case 16:
			binary.LittleEndian.PutUint16(b[:], uint16(t.entry(first)))
		default:
			binary.LittleEndian.PutUint32(b[:], t.entry(first))
		}
		done += copy(p[done:n], b[at%unit:unit])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
