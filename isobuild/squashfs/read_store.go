package squashfs

import (
	"encoding/binary"
	"fmt"
	"sync"
)

// A store unpacks the blocks of an image, and keeps some.
type store struct {
	im     *image
	unpack unpacker
	cache  *cache
	packed sync.Pool // of *[]byte, for blocks before they are unpacked
}

func newStore(im *image, cacheSize int64) (*store, error) {
	unpack, err := newUnpacker(im.compression)
	if err != nil {
		return nil, err
	}
	size := int(max(im.blockSize, metaHeader+metaSize))
	return &store{
		im: im, unpack: unpack, cache: newCache(cacheSize),
		packed: sync.Pool{New: func() any { return new(make([]byte, size)) }},
	}, nil
}

// metaHeader is how many bytes say how long a metadata block is.
const metaHeader = 2

// meta returns the metadata block at byte at of the image.
func (s *store) meta(at int64) (unpacked, error) {
	return s.cache.get(blockKey{at: at}, func() (unpacked, error) {
		b, err := s.readMeta(at)
		if err != nil {
			return unpacked{}, fmt.Errorf("metadata block at byte %d: %w", at, err)
		}
		return b, nil
	})
}

// readMeta reads header and block at once: blocks are small.
func (s *store) readMeta(at int64) (unpacked, error) {
	buf := s.packed.Get().(*[]byte)
	defer s.packed.Put(buf)
	if at < superblockSize || at > s.im.size-metaHeader {
		return unpacked{}, fmt.Errorf("outside %d..%d", superblockSize, s.im.size-metaHeader)
	}
	packed := (*buf)[:min(metaHeader+metaSize, s.im.size-at)]
	if err := s.im.readAt(packed, at); err != nil {
		return unpacked{}, err
	}
	header := binary.LittleEndian.Uint16(packed)
	length := int(header &^ metaStored)
	if length == 0 || length > metaSize || length > len(packed)-metaHeader {
		return unpacked{}, fmt.Errorf("%d bytes long, not 1 to %d", length, min(metaSize, len(packed)-metaHeader))
	}
	packed = packed[metaHeader : metaHeader+length]
	out := unpacked{next: at + metaHeader + int64(length)}
	if header&metaStored != 0 {
		out.data = append([]byte(nil), packed...)
		return out, nil
	}
	data := make([]byte, metaSize)
	n, err := s.unpack.unpack(data, packed)
	if err == nil && n == 0 {
		err = errEmpty
	}
	out.data = data[:n]
	return out, err
}

// data returns the data or fragment block at byte at of the image, which
// unpacks to at most limit bytes.
func (s *store) data(at int64, word uint32, limit int64) (unpacked, error) {
	return s.cache.get(blockKey{at, word}, func() (unpacked, error) {
		data := make([]byte, limit)
		n, err := s.readData(data, at, word)
		return unpacked{data: data[:n]}, err
	})
}

// readData unpacks the block at byte at into p, and returns how long it is.
func (s *store) readData(p []byte, at int64, word uint32) (int, error) {
	length := int64(word &^ blockStored)
	switch {
	case length == 0 || length > s.im.blockSize:
		return 0, fmt.Errorf("block at byte %d: %d bytes long, not 1 to %d", at, length, s.im.blockSize)
	case word&blockStored != 0 && length > int64(len(p)):
		return 0, fmt.Errorf("block at byte %d: %w", at, errTooLong)
	case word&blockStored != 0:
		return int(length), s.im.readAt(p[:length], at)
	}
	buf := s.packed.Get().(*[]byte)
	defer s.packed.Put(buf)
	packed := (*buf)[:length]
	if err := s.im.readAt(packed, at); err != nil {
		return 0, err
	}
	n, err := s.unpack.unpack(p, packed)
	if err != nil {
		return 0, fmt.Errorf("block at byte %d: %w", at, err)
	}
	return n, nil
}
