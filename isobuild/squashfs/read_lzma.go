package squashfs

import "encoding/binary"

// LZMA2 is written down nowhere but in programs; the names here are those of
// the LZMA specification (lzma-specification.txt, in the LZMA SDK).

// A lzmaDecoder unpacks LZMA2 into one piece of memory, which is the
// dictionary as well.
type lzmaDecoder struct {
	out   []byte
	n     int // bytes of out so far
	start int // of the dictionary in out
	in    rangeDecoder

	literalContext  uint // lc, bits of the last byte
	literalPosition uint // lp, bits of the position
	position        uint // pb, bits of the position

	state     int
	distances [4]uint32 // of the last matches, less one
	probabilities
}

const (
	lzmaStates       = 12
	lzmaLowStates    = 7 // in states below, the last thing was a literal
	lzmaPositions    = 1 << 4
	lzmaContexts     = 1 << 4 // of literals: lc and lp have 4 bits together
	lzmaLengthStates = 4
	lzmaMinMatch     = 2
	lzmaAlignBits    = 4
	lzmaEndOfDirect  = 14 // distance slots from here on have bits without probabilities
	lzmaEven         = 1 << 10
)

// probabilities are what the decoder has learnt.
type probabilities struct {
	isMatch     [lzmaStates][lzmaPositions]uint16
	isRep       [lzmaStates]uint16
	isRepG0     [lzmaStates]uint16
	isRepG1     [lzmaStates]uint16
	isRepG2     [lzmaStates]uint16
	isRep0Long  [lzmaStates][lzmaPositions]uint16
	slots       [lzmaLengthStates][1 << 6]uint16
	special     [1 << 7]uint16
	align       [1 << lzmaAlignBits]uint16
	matchLength lzmaLengths
	repLength   lzmaLengths
	literals    [lzmaContexts][0x300]uint16
}

// lzmaLengths are the probabilities of a length.
type lzmaLengths struct {
	choice, choice2 uint16
	low, mid        [lzmaPositions][1 << 3]uint16
	high            [1 << 8]uint16
}

// lzma2 unpacks the LZMA2 stream at the start of src into dst. It returns how
// many bytes that gave, and how many of src it used.
func (d *lzmaDecoder) lzma2(dst, src []byte) (n, used int, err error) {
	d.out, d.n, d.start = dst, 0, 0
	defer func() { d.out, d.in.data = nil, nil }()
	fresh := true // Nothing is known before the first chunk resets it.
	for rest := src; ; {
		if len(rest) == 0 {
			return 0, 0, errCorrupt
		}
		control := rest[0]
		var size int
		switch {
		case control == 0:
			return d.n, len(src) - len(rest) + 1, nil
		case control >= 0x80:
			size, err = d.packedChunk(rest, fresh)
		case control <= 2:
			size, err = d.storedChunk(rest, fresh)
		default:
			err = errCorrupt
		}
		if err != nil {
			return 0, 0, err
		}
		fresh, rest = fresh && control < 0x80, rest[size:]
	}
}

// storedChunk copies a chunk that is not packed, and returns how long it is.
func (d *lzmaDecoder) storedChunk(src []byte, fresh bool) (int, error) {
	const header = 3
	if len(src) < header || fresh && d.n == 0 && src[0] != 1 {
		return 0, errCorrupt
	}
	length := int(binary.BigEndian.Uint16(src[1:])) + 1
	if length > len(src)-header {
		return 0, errCorrupt
	}
	if length > len(d.out)-d.n {
		return 0, errTooLong
	}
	if src[0] == 1 {
		d.start = d.n
	}
	d.n += copy(d.out[d.n:], src[header:][:length])
	return header + length, nil
}

// packedChunk unpacks a chunk, and returns how long it is.
func (d *lzmaDecoder) packedChunk(src []byte, fresh bool) (int, error) {
	header := 5
	reset := src[0] >> 5 & 3 // 1 the state, 2 the properties too, 3 the dictionary too
	if reset >= 2 {
		header++
	}
	if len(src) < header || fresh && reset < 2 {
		return 0, errCorrupt
	}
	unpacked := int(src[0]&0x1f)<<16 + int(binary.BigEndian.Uint16(src[1:])) + 1
	packed := int(binary.BigEndian.Uint16(src[3:])) + 1
	if packed > len(src)-header {
		return 0, errCorrupt
	}
	if unpacked > len(d.out)-d.n {
		return 0, errTooLong
	}
	if reset == 3 {
		d.start = d.n
	}
	if reset >= 2 && !d.setProperties(src[5]) {
		return 0, errCorrupt
	}
	if reset >= 1 {
		d.reset()
	}
	if !d.in.reset(src[header:][:packed]) || !d.decode(d.n+unpacked) || !d.in.ended() {
		return 0, errCorrupt
	}
	return header + packed, nil
}

// setProperties takes apart the byte that has all three.
func (d *lzmaDecoder) setProperties(b byte) bool {
	d.literalContext, d.literalPosition, d.position = uint(b%9), uint(b/9%5), uint(b/45)
	return d.position <= 4 && d.literalContext+d.literalPosition <= 4
}

// reset forgets what was learnt.
func (d *lzmaDecoder) reset() {
	d.state, d.distances = 0, [4]uint32{}
	p := &d.probabilities
	for i := range p.isMatch {
		even(p.isMatch[i][:])
		even(p.isRep0Long[i][:])
	}
	for i := range p.slots {
		even(p.slots[i][:])
	}
	for _, q := range [][]uint16{p.isRep[:], p.isRepG0[:], p.isRepG1[:], p.isRepG2[:], p.special[:], p.align[:]} {
		even(q)
	}
	p.matchLength.reset()
	p.repLength.reset()
	for i := range 1 << (d.literalContext + d.literalPosition) {
		even(p.literals[i][:])
	}
}

// reset forgets what was learnt of a length.
func (l *lzmaLengths) reset() {
	l.choice, l.choice2 = lzmaEven, lzmaEven
	for i := range l.low {
		even(l.low[i][:])
		even(l.mid[i][:])
	}
	even(l.high[:])
}

// even makes both values of all bits as probable.
func even(p []uint16) {
	for i := range p {
		p[i] = lzmaEven
	}
}

// decode unpacks until there are end bytes.
func (d *lzmaDecoder) decode(end int) bool {
	for d.n < end {
		at := (d.n - d.start) & (1<<d.position - 1)
		if d.in.bit(&d.isMatch[d.state][at]) == 0 {
			d.literal()
			continue
		}
		length, ok := d.match(at)
		if !ok || length > end-d.n || int64(d.distances[0]) >= int64(d.n-d.start) {
			return false
		}
		from := d.n - int(d.distances[0]) - 1
		if length <= d.n-from {
			copy(d.out[d.n:d.n+length], d.out[from:])
		} else {
			repeat(d.out[:d.n+length], d.n, d.n-from)
		}
		d.n += length
	}
	return true
}

// literal unpacks one byte.
func (d *lzmaDecoder) literal() {
	at, before := d.n-d.start, byte(0)
	if at > 0 {
		before = d.out[d.n-1]
	}
	context := (at&(1<<d.literalPosition-1))<<d.literalContext + int(before)>>(8-d.literalContext)
	p := d.literals[context][:]
	symbol := uint32(1)
	if d.state >= lzmaLowStates {
		// The byte is unlike the one that the last match would have gone on with.
		var like uint32
		if int64(d.distances[0]) < int64(at) {
			like = uint32(d.out[d.n-int(d.distances[0])-1])
		}
		symbol = d.in.unlike(p, like)
	}
	d.out[d.n] = byte(d.in.walk(p[:0x100], symbol))
	d.n++
	switch {
	case d.state < 4:
		d.state = 0
	case d.state < 10:
		d.state -= 3
	default:
		d.state -= 6
	}
}

// match unpacks what to copy: distances[0] and the length. It is false at a
// mark of the end, which LZMA2 does not have.
func (d *lzmaDecoder) match(at int) (int, bool) {
	afterLiteral := d.state < lzmaLowStates
	next := func(literal, match int) {
		d.state = match
		if afterLiteral {
			d.state = literal
		}
	}
	s := d.state
	if d.in.bit(&d.isRep[s]) == 0 {
		next(7, 10)
		length := d.matchLength.decode(&d.in, at)
		copy(d.distances[1:], d.distances[:3])
		d.distances[0] = d.distance(length)
		return length, d.distances[0] != 1<<32-1
	}
	switch {
	case d.in.bit(&d.isRepG0[s]) == 0:
		if d.in.bit(&d.isRep0Long[s][at]) == 0 {
			next(9, 11)
			return 1, true
		}
	case d.in.bit(&d.isRepG1[s]) == 0:
		d.again(1)
	case d.in.bit(&d.isRepG2[s]) == 0:
		d.again(2)
	default:
		d.again(3)
	}
	next(8, 11)
	return d.repLength.decode(&d.in, at), true
}

// again makes the distance i the last one.
func (d *lzmaDecoder) again(i int) {
	distance := d.distances[i]
	copy(d.distances[1:i+1], d.distances[:i])
	d.distances[0] = distance
}

// decode unpacks a length.
func (l *lzmaLengths) decode(in *rangeDecoder, at int) int {
	if in.bit(&l.choice) == 0 {
		return lzmaMinMatch + in.tree(l.low[at][:])
	}
	if in.bit(&l.choice2) == 0 {
		return lzmaMinMatch + len(l.low[at]) + in.tree(l.mid[at][:])
	}
	return lzmaMinMatch + len(l.low[at]) + len(l.mid[at]) + in.tree(l.high[:])
}

// distance unpacks a distance, less one.
func (d *lzmaDecoder) distance(length int) uint32 {
	slot := d.in.tree(d.slots[min(length-lzmaMinMatch, lzmaLengthStates-1)][:])
	if slot < 4 {
		return uint32(slot)
	}
	bits := slot>>1 - 1
	base := uint32(2|slot&1) << bits
	if slot < lzmaEndOfDirect {
		return base + d.in.reverse(d.special[int(base)-slot:], bits)
	}
	return base + d.in.direct(bits-lzmaAlignBits)<<lzmaAlignBits + d.in.reverse(d.align[:], lzmaAlignBits)
}

// A rangeDecoder reads bits, of which it learns how probable they are.
type rangeDecoder struct {
	data        []byte
	next        int // beyond len(data) if bytes were missing
	width, code uint32
}

// reset begins with data.
func (r *rangeDecoder) reset(data []byte) bool {
	const head = 5
	if len(data) < head || data[0] != 0 {
		return false
	}
	*r = rangeDecoder{data, head, 1<<32 - 1, binary.BigEndian.Uint32(data[1:])}
	return true
}

// ended says whether all was used, and the end is a right one.
func (r *rangeDecoder) ended() bool { return r.next == len(r.data) && r.code == 0 }

// shift takes another byte. Zeros follow the last one, and ended is false then.
func (r *rangeDecoder) shift() {
	r.width <<= 8
	r.code <<= 8
	if r.next < len(r.data) {
		r.code |= uint32(r.data[r.next])
	}
	r.next++
}

// bit returns a bit that is zero with probability p.
func (r *rangeDecoder) bit(p *uint16) uint32 {
	bound := r.width >> 11 * uint32(*p)
	var bit uint32
	if r.code < bound {
		r.width = bound
		*p += (1<<11 - *p) >> 5
	} else {
		r.width -= bound
		r.code -= bound
		*p -= *p >> 5
		bit = 1
	}
	if r.width < 1<<24 {
		r.shift()
	}
	return bit
}

// tree returns a number of as many bits as it takes to count p, the highest
// one first.
func (r *rangeDecoder) tree(p []uint16) int { return int(r.walk(p, 1)) - len(p) }

// walk goes on with a number of which n are the first bits, behind a one. Most
// of the time is spent here, so it is bit in a loop, without memory between.
func (r *rangeDecoder) walk(p []uint16, n uint32) uint32 {
	width, code, data, next := r.width, r.code, r.data, r.next
	for int(n) < len(p) {
		q := uint32(p[n])
		bound := width >> 11 * q
		if code < bound {
			width = bound
			p[n] = uint16(q + (1<<11-q)>>5)
			n <<= 1
		} else {
			width -= bound
			code -= bound
			p[n] = uint16(q - q>>5)
			n = n<<1 | 1
		}
		if width < 1<<24 {
			width <<= 8
			code <<= 8
			if next < len(data) {
				code |= uint32(data[next])
			}
			next++
		}
	}
	r.width, r.code, r.next = width, code, next
	return n
}

// unlike returns the first bits of a byte, behind a one, up to the first that
// differs from like. Which probabilities they have depends on it.
func (r *rangeDecoder) unlike(p []uint16, like uint32) uint32 {
	symbol := uint32(1)
	for symbol < 0x100 {
		like <<= 1
		expected := like & 0x100
		bit := r.bit(&p[0x100+expected+symbol])
		symbol = symbol<<1 | bit
		if expected>>8 != bit {
			break
		}
	}
	return symbol
}

// reverse returns a number of so many bits, the lowest one first.
func (r *rangeDecoder) reverse(p []uint16, bits int) uint32 {
	n, sum := uint32(1), uint32(0)
	for i := range bits {
		b := r.bit(&p[n])
		n = n<<1 | b
		sum |= b << i
	}
	return sum
}

// direct returns a number of so many bits that are as probable.
func (r *rangeDecoder) direct(bits int) uint32 {
	sum := uint32(0)
	for range bits {
		r.width >>= 1
		sum <<= 1
		if r.code >= r.width {
			r.code -= r.width
			sum |= 1
		}
		if r.width < 1<<24 {
			r.shift()
		}
	}
	return sum
}
