package squashfs

import "encoding/binary"

// An lz4Unpacker unpacks LZ4 blocks (LZ4 block format, lz4_Block_format.md).
type lz4Unpacker struct{}

// minMatch is how long a match is at least.
const minMatch = 4

// unpack implements [unpacker]. A block is a row of sequences: a token,
// literals, the distance of a match, and more of its length. The last one ends
// after the literals.
func (lz4Unpacker) unpack(dst, src []byte) (int, error) {
	n, in := 0, lz4Input{src}
	for {
		token, ok := in.byte()
		if !ok {
			return 0, errCorrupt
		}
		literals, ok := in.length(int(token >> 4))
		if !ok || literals > len(in.rest) {
			return 0, errCorrupt
		}
		if literals > len(dst)-n {
			return 0, errTooLong
		}
		n += copy(dst[n:], in.rest[:literals])
		in.rest = in.rest[literals:]
		if len(in.rest) == 0 {
			return n, nil
		}
		if len(in.rest) < 2 {
			return 0, errCorrupt
		}
		distance := int(binary.LittleEndian.Uint16(in.rest))
		in.rest = in.rest[2:]
		length, ok := in.length(int(token & 15))
		if length += minMatch; !ok || distance == 0 || distance > n {
			return 0, errCorrupt
		}
		if length > len(dst)-n {
			return 0, errTooLong
		}
		repeat(dst[:n+length], n, distance)
		n += length
	}
}

// repeat fills p from n on with what is distance bytes before.
func repeat(p []byte, n, distance int) {
	for from := n - distance; n < len(p); { // Each turn doubles what can be copied at once.
		n += copy(p[n:], p[from:n])
	}
}

// lz4Input is what is left of a block.
type lz4Input struct{ rest []byte }

func (in *lz4Input) byte() (byte, bool) {
	if len(in.rest) == 0 {
		return 0, false
	}
	b := in.rest[0]
	in.rest = in.rest[1:]
	return b, true
}

// length returns a length of which n stands in the token: if that is all that
// fits there, bytes follow, up to one that is not 255. As there are at most
// maxBlockSize of them, the sum cannot overflow.
func (in *lz4Input) length(n int) (int, bool) {
	if n < 15 {
		return n, true
	}
	for {
		b, ok := in.byte()
		if n += int(b); !ok || b < 255 {
			return n, ok
		}
	}
}
