package squashfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/crc64"
	"io"
	"slices"
	"sync"
)

// An xzUnpacker unpacks XZ streams (The .xz File Format 1.2.1). What it unpacks
// to serves as the dictionary, so the size of that in the stream costs nothing.
type xzUnpacker struct{ decoders sync.Pool }

// The parts of a stream.
const (
	xzMagic      = "\xfd7zXZ\x00"
	xzHeaderSize = 12 // magic, two bytes of flags, their checksum
	xzFilters    = 4  // of one block, at most
)

// What data is checked with.
const (
	xzNone  = 0
	xzCRC32 = 1
	xzCRC64 = 4
)

// Filters by their identifiers.
const (
	xzX86      = 4
	xzPowerPC  = 5
	xzARM      = 7
	xzARMThumb = 8
	xzSPARC    = 9
	xzARM64    = 10
	xzLZMA2    = 33
)

// unpack implements [unpacker]. The index behind the last block is not read.
func (u *xzUnpacker) unpack(dst, src []byte) (int, error) {
	if len(src) < xzHeaderSize || string(src[:len(xzMagic)]) != xzMagic {
		return 0, errors.New("no XZ stream")
	}
	flags := src[len(xzMagic):][:2]
	if flags[0] != 0 || crc32.ChecksumIEEE(flags) != binary.LittleEndian.Uint32(src[8:]) {
		return 0, errCorrupt
	}
	d, _ := u.decoders.Get().(*lzmaDecoder)
	if d == nil {
		d = &lzmaDecoder{}
	}
	defer u.decoders.Put(d)
	n, rest := 0, src[xzHeaderSize:]
	for {
		if len(rest) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		if rest[0] == 0 { // The index begins.
			return n, nil
		}
		k, left, err := d.xzBlock(dst[n:], rest, flags[1])
		if err != nil {
			return 0, err
		}
		n, rest = n+k, left
	}
}

// xzBlock unpacks the block at the start of src into dst. It returns how many
// bytes that gave, and what follows.
func (d *lzmaDecoder) xzBlock(dst, src []byte, check byte) (int, []byte, error) {
	header := (int(src[0]) + 1) * 4
	if header+4 > len(src) {
		return 0, nil, io.ErrUnexpectedEOF
	}
	filters, err := xzFilterChain(src[:header])
	if err != nil {
		return 0, nil, err
	}
	n, used, err := d.lzma2(dst, src[header:])
	if err != nil {
		return 0, nil, err
	}
	for _, filter := range slices.Backward(filters) {
		filter(dst[:n])
	}
	// Header and data are filled up together to a multiple of four bytes.
	rest := src[min(header+(used+3)&^3, len(src)):]
	length, err := xzCheck(check, dst[:n], rest)
	if err != nil {
		return 0, nil, err
	}
	return n, rest[length:], nil
}

// xzFilterChain reads the header of a block, and returns what is to be done
// after LZMA2, in the order of packing.
func xzFilterChain(header []byte) ([]func([]byte), error) {
	body := header[:len(header)-4]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(header[len(body):]) {
		return nil, errCorrupt
	}
	flags, r := body[1], bytes.NewReader(body[2:])
	for _, size := range []byte{0x40, 0x80} { // Of packed and unpacked data.
		if flags&size != 0 {
			if _, err := binary.ReadUvarint(r); err != nil {
				return nil, errCorrupt
			}
		}
	}
	var filters []func([]byte)
	count := int(flags%xzFilters) + 1
	for i := range count {
		id, err := binary.ReadUvarint(r)
		if err != nil {
			return nil, errCorrupt
		}
		length, err := binary.ReadUvarint(r)
		if err != nil || length > uint64(r.Len()) {
			return nil, errCorrupt
		}
		properties := make([]byte, length)
		if _, err := io.ReadFull(r, properties); err != nil {
			return nil, errCorrupt
		}
		if last := i == count-1; last != (id == xzLZMA2) {
			return nil, fmt.Errorf("filter %d of %d is %#x; LZMA2, and nothing else, has to be last", i+1, count, id)
		} else if last {
			break
		}
		filter, err := xzFilter(id, properties)
		if err != nil {
			return nil, err
		}
		filters = append(filters, filter)
	}
	return filters, nil
}

// xzFilter returns the function that undoes a filter.
func xzFilter(id uint64, properties []byte) (func([]byte), error) {
	if len(bytes.Trim(properties, "\x00")) > 0 {
		return nil, fmt.Errorf("filter %#x does not start at zero", id)
	}
	switch id {
	case xzX86:
		return unfilterX86, nil
	case xzPowerPC:
		return unfilterPowerPC, nil
	case xzARM:
		return unfilterARM, nil
	case xzARMThumb:
		return unfilterARMThumb, nil
	case xzSPARC:
		return unfilterSPARC, nil
	case xzARM64:
		return unfilterARM64, nil
	default:
		return nil, fmt.Errorf("unknown filter %#x", id)
	}
}

// xzCheck compares data with the checksum at the start of sum, and returns how
// long that is.
func xzCheck(kind byte, data, sum []byte) (int, error) {
	length := map[byte]int{xzNone: 0, xzCRC32: 4, xzCRC64: 8}
	n, ok := length[kind]
	if !ok {
		return 0, fmt.Errorf("unknown kind of checksum %d", kind)
	}
	if n > len(sum) {
		return 0, io.ErrUnexpectedEOF
	}
	same := true
	switch kind {
	case xzCRC32:
		same = crc32.ChecksumIEEE(data) == binary.LittleEndian.Uint32(sum)
	case xzCRC64:
		same = crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)) == binary.LittleEndian.Uint64(sum)
	}
	if !same {
		return 0, errors.New("checksum is wrong")
	}
	return n, nil
}
