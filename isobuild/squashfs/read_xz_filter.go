package squashfs

import "encoding/binary"

// Filters of XZ make machine code smaller: they replace the distance of a jump
// by its target, which occurs again and again. What follows undoes that. Code
// is as long as a block, so positions in it are numbers of bytes from its start.

// unfilterX86 undoes the filter for the one-byte opcodes call and jmp with a
// distance of four bytes. A byte that looks like an opcode may be part of
// another one's distance; mask has a bit for each of the last three bytes that
// looked like one and was not taken.
func unfilterX86(p []byte) {
	const opcodes = 0xe8 // and 0xe9
	mask, last := uint32(0), -1
	for i := 0; i+4 < len(p); i++ {
		if p[i]&0xfe != opcodes {
			continue
		}
		if gap := i - last; gap > 3 {
			mask = 0
		} else {
			mask = mask << (gap - 1) & 7
		}
		last = i
		if mask != 0 && (!x86Plausible(mask) || isSign(p[i+4-x86Bytes(mask)])) || !isSign(p[i+4]) {
			mask = mask<<1 | 1
			continue
		}
		binary.LittleEndian.PutUint32(p[i+1:], x86Distance(binary.LittleEndian.Uint32(p[i+1:]), uint32(i+5), mask))
		i += 4
	}
}

// x86Distance returns the distance to target from the byte at, which follows
// the instruction.
func x86Distance(target, at, mask uint32) uint32 {
	distance, shift := target-at, 8*x86Bytes(mask)
	for mask != 0 && isSign(byte(distance>>(24-shift))) {
		distance ^= 1<<(32-shift) - 1
		distance -= at
	}
	// It has 25 bits, with the sign.
	return uint32(int32(distance<<7) >> 7)
}

// x86Plausible says whether bytes in the places of mask can have looked like
// opcodes, and this one be one.
func x86Plausible(mask uint32) bool { return mask == 1 || mask == 2 || mask == 4 }

// x86Bytes returns how many bytes the last of those places is away.
func x86Bytes(mask uint32) int {
	return [...]int{0, 1, 2, 2, 3, 3, 3, 3}[mask]
}

// isSign says whether b can be the highest byte of a distance.
func isSign(b byte) bool { return b == 0 || b == 0xff }

// unfilterARM undoes the filter for BL.
func unfilterARM(p []byte) {
	le := binary.LittleEndian
	for i := 0; i+4 <= len(p); i += 4 {
		if op := le.Uint32(p[i:]); op>>24 == 0xeb {
			le.PutUint32(p[i:], 0xeb<<24|(op-uint32(i+8)>>2)&0xffffff)
		}
	}
}

// unfilterARMThumb undoes the filter for the pair of instructions BL.
func unfilterARMThumb(p []byte) {
	le := binary.LittleEndian
	for i := 0; i+4 <= len(p); i += 2 {
		high, low := le.Uint16(p[i:]), le.Uint16(p[i+2:])
		if high>>11 != 0x1e || low>>11 != 0x1f {
			continue
		}
		target := uint32(high&0x7ff)<<11 | uint32(low&0x7ff)
		distance := target - uint32(i+4)>>1
		le.PutUint16(p[i:], 0x1e<<11|uint16(distance>>11&0x7ff))
		le.PutUint16(p[i+2:], 0x1f<<11|uint16(distance&0x7ff))
		i += 2
	}
}

// unfilterARM64 undoes the filter for BL, and for ADRP as far as it reaches
// 512 MiB at most.
func unfilterARM64(p []byte) {
	le := binary.LittleEndian
	for i := 0; i+4 <= len(p); i += 4 {
		switch op := le.Uint32(p[i:]); {
		case op>>26 == 0x25:
			le.PutUint32(p[i:], 0x25<<26|(op-uint32(i)>>2)&0x3ffffff)
		case op&0x9f000000 == 0x90000000:
			page := op>>29&3 | op>>3&0x1ffffc
			if (page+0x20000)&0x1c0000 != 0 {
				continue
			}
			page -= uint32(i) >> 12
			op = op&0x9000001f | page&3<<29 | page&0x3fffc<<3 | -(page&0x20000)&0xe00000
			le.PutUint32(p[i:], op)
		}
	}
}

// unfilterPowerPC undoes the filter for bl.
func unfilterPowerPC(p []byte) {
	be := binary.BigEndian
	for i := 0; i+4 <= len(p); i += 4 {
		if op := be.Uint32(p[i:]); op&0xfc000003 == 0x48000001 {
			be.PutUint32(p[i:], 0x48000001|(op-uint32(i))&0x3fffffc)
		}
	}
}

// unfilterSPARC undoes the filter for call.
func unfilterSPARC(p []byte) {
	be := binary.BigEndian
	for i := 0; i+4 <= len(p); i += 4 {
		if op := be.Uint32(p[i:]); op>>22 == 0x100 || op>>22 == 0x1ff {
			distance := op - uint32(i)>>2
			be.PutUint32(p[i:], (0x40000000-distance&0x400000)|0x40000000|distance&0x3fffff)
		}
	}
}
