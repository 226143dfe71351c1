package ext

import (
	"encoding/binary"
	"math/bits"
)

// hashKind is half MD4 in a superblock and in an index; readers take bytes of
// names as unsigned, since superFlags says so.
const hashKind = 1

// noHash is a hash that marks the end of a directory, and that no name may have.
const noHash = 0xFFFFFFFE

// A hasher computes the hashes that directories are indexed by.
type hasher struct{ seed [4]uint32 }

func newHasher(seed [16]byte) (h hasher) {
	for i := range h.seed {
		h.seed[i] = binary.LittleEndian.Uint32(seed[i*4:])
	}
	return h
}

// name returns the hash of a name, and a second one that orders names with the
// same hash. The lowest bit of a hash is free, for an index to use.
func (h hasher) name(name string) (major, minor uint32) {
	state := h.seed
	for rest := name; len(rest) > 0; {
		part := rest[:min(32, len(rest))]
		state = halfMD4(state, hashWords(part, len(rest)))
		rest = rest[len(part):]
	}
	major = state[1] &^ 1
	if major == noHash {
		major -= 2
	}
	return major, state[2]
}

// hashWords returns up to 32 bytes as eight numbers, the first byte of each
// highest. What is missing is filled with the length of the rest of the name.
func hashWords(part string, length int) (words [8]uint32) {
	fill := uint32(length) & 0xFF
	fill |= fill << 8
	fill |= fill << 16
	for i := range words {
		word := fill
		for j := i * 4; j < min(i*4+4, len(part)); j++ {
			word = word<<8 | uint32(part[j])
		}
		words[i] = word
	}
	return words
}

// halfMD4 is three rounds over half as many words as MD4 (RFC 1320 §3.4) has in
// a block.
func halfMD4(state [4]uint32, in [8]uint32) [4]uint32 {
	a, b, c, d := state[0], state[1], state[2], state[3]
	step := func(f, word uint32, shift int) {
		a, b, c, d = d, bits.RotateLeft32(a+f+word, shift), b, c
	}
	for i, shift := range [8]int{3, 7, 11, 19, 3, 7, 11, 19} {
		step(d^b&(c^d), in[i], shift)
	}
	order := [8]int{1, 3, 5, 7, 0, 2, 4, 6}
	for i, shift := range [8]int{3, 5, 9, 13, 3, 5, 9, 13} {
		step(b&c+(b^c)&d, in[order[i]]+0x5A827999, shift)
	}
	order = [8]int{3, 7, 2, 6, 1, 5, 0, 4}
	for i, shift := range [8]int{3, 9, 11, 15, 3, 9, 11, 15} {
		step(b^c^d, in[order[i]]+0x6ED9EBA1, shift)
	}
	return [4]uint32{state[0] + a, state[1] + b, state[2] + c, state[3] + d}
}
