package deb

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

const (
	xzMagic       = "\xfd7zXZ\x00"
	xzFooterMagic = "YZ"
	lzma2         = 0x21
	maxBlocks     = 1 << 16
)

// An xzReader reads one xz stream.
type xzReader struct {
	in       countedReader
	flags    [2]byte // of the stream: zero, and how blocks are checked
	newCheck func() hash.Hash

	block   *lzma.Reader2 // nil between blocks
	started int64         // where the block's header is
	check   hash.Hash
	length  uint64 // bytes that the block was so far
	blocks  [][2]uint64
	done    bool
}

// A countedReader counts the bytes that were read.
type countedReader struct {
	*bufio.Reader

	n int64
}

// Read implements [io.Reader].
func (c *countedReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

// ReadByte implements [io.ByteReader].
func (c *countedReader) ReadByte() (byte, error) {
	b, err := c.Reader.ReadByte()
	if err == nil {
		c.n++
	}
	return b, err
}

// newXZ returns what r is uncompressed.
func newXZ(r io.Reader) (io.ReadCloser, error) {
	x := &xzReader{in: countedReader{Reader: bufio.NewReader(r)}}
	var header [12]byte
	if _, err := io.ReadFull(&x.in, header[:]); err != nil || string(header[:6]) != xzMagic {
		return nil, errors.New("xz: no stream header")
	}
	copy(x.flags[:], header[6:])
	if crc32.ChecksumIEEE(x.flags[:]) != binary.LittleEndian.Uint32(header[8:]) || x.flags[0] != 0 {
		return nil, errors.New("xz: wrong stream header")
	}
	switch x.flags[1] {
	case 0:
		x.newCheck = func() hash.Hash { return nothing{crc32.NewIEEE()} }
	case 1:
		x.newCheck = func() hash.Hash { return backwards{crc32.NewIEEE()} }
	case 4:
		x.newCheck = func() hash.Hash { return backwards{crc64.New(crc64.MakeTable(crc64.ECMA))} }
	case 10:
		x.newCheck = sha256.New
	default:
		return nil, fmt.Errorf("xz: unknown check %d", x.flags[1])
	}
	return io.NopCloser(x), nil
}

// nothing is the check of streams without one.
type nothing struct{ hash.Hash }

// Sum implements [hash.Hash].
func (nothing) Sum(b []byte) []byte { return b }

// backwards is a checksum that is stored with its lowest byte first.
type backwards struct{ hash.Hash }

// Sum implements [hash.Hash].
func (h backwards) Sum(b []byte) []byte {
	sum := h.Hash.Sum(nil)
	for i := range sum {
		b = append(b, sum[len(sum)-1-i])
	}
	return b
}

// Read implements [io.Reader].
func (x *xzReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for !x.done {
		if x.block == nil {
			if err := x.next(); err != nil {
				return 0, fmt.Errorf("xz: block %d: %w", len(x.blocks), noEOF(err))
			}
			continue
		}
		n, err := x.block.Read(p)
		x.length += uint64(n)
		_, _ = x.check.Write(p[:n])
		if errors.Is(err, io.EOF) {
			err = x.endBlock()
		}
		if err != nil {
			return n, fmt.Errorf("xz: block %d: %w", len(x.blocks), noEOF(err))
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, io.EOF
}

// noEOF returns err, in which an end that comes too early is an error.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next reads the header of the next block, or the index and what follows it.
func (x *xzReader) next() error {
	x.started = x.in.n
	size, err := x.in.ReadByte()
	if err != nil {
		return err
	}
	if size == 0 {
		x.done = true
		return x.endStream()
	}
	if len(x.blocks) == maxBlocks {
		return fmt.Errorf("more than %d", maxBlocks)
	}
	header := make([]byte, (int(size)+1)*4)
	header[0] = size
	if _, err := io.ReadFull(&x.in, header[1:]); err != nil {
		return err
	}
	capacity, err := blockHeader(header)
	if err != nil {
		return err
	}
	x.block, err = lzma.Reader2Config{DictCap: max(int(capacity), lzma.MinDictCap)}.NewReader2(&x.in)
	x.check, x.length = x.newCheck(), 0
	return err
}

// blockHeader returns how far the block with that header looks back. The sizes
// in it are not needed: those in the index are checked.
func blockHeader(header []byte) (int64, error) {
	body, sum := header[:len(header)-4], header[len(header)-4:]
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(sum) {
		return 0, errors.New("wrong header")
	}
	flags, rest := body[1], bytes.NewReader(body[2:])
	for bit := byte(0x40); bit != 0; bit <<= 1 { // packed size, size
		if flags&bit != 0 {
			if _, err := binary.ReadUvarint(rest); err != nil {
				return 0, err
			}
		}
	}
	filter, err := binary.ReadUvarint(rest)
	if err != nil || flags&0x3f != 0 || filter != lzma2 {
		return 0, fmt.Errorf("filter %#x, flags %#x: only LZMA2 is supported", filter, flags)
	}
	var properties [2]byte // their number, and the dictionary
	if _, err := io.ReadFull(rest, properties[:]); err != nil || properties[0] != 1 {
		return 0, errors.New("wrong properties of LZMA2")
	}
	capacity, err := lzma.DecodeDictCap(properties[1])
	if err == nil && capacity > maxWindow {
		err = fmt.Errorf("looks back %d bytes: more than %d", capacity, maxWindow)
	}
	return capacity, err
}

// endBlock reads what follows the data of a block.
func (x *xzReader) endBlock() error {
	length := x.in.n - x.started
	if err := x.zeros(length); err != nil {
		return err
	}
	want := x.check.Sum(nil)
	sum := make([]byte, len(want))
	if _, err := io.ReadFull(&x.in, sum); err != nil {
		return err
	}
	if !bytes.Equal(sum, want) {
		return fmt.Errorf("its check is %x, not %x", sum, want)
	}
	x.blocks = append(x.blocks, [2]uint64{uint64(length) + uint64(len(want)), x.length})
	x.block = nil
	return nil
}

// zeros reads what fills up length bytes to a multiple of four.
func (x *xzReader) zeros(length int64) error {
	for range -length & 3 {
		if b, err := x.in.ReadByte(); err != nil || b != 0 {
			return errors.Join(errors.New("wrong padding"), err)
		}
	}
	return nil
}

// endStream reads index and footer, of which what the blocks were is known.
func (x *xzReader) endStream() error {
	index := binary.AppendUvarint([]byte{0}, uint64(len(x.blocks)))
	for _, block := range x.blocks {
		index = binary.AppendUvarint(binary.AppendUvarint(index, block[0]), block[1])
	}
	index = append(index, make([]byte, -len(index)&3)...)
	index = binary.LittleEndian.AppendUint32(index, crc32.ChecksumIEEE(index))
	footer := binary.LittleEndian.AppendUint32(nil, uint32(len(index)/4-1))
	footer = append(footer, x.flags[:]...)
	want := binary.LittleEndian.AppendUint32(index[1:], crc32.ChecksumIEEE(footer))
	want = append(append(want, footer...), xzFooterMagic...)

	got := make([]byte, len(want))
	if _, err := io.ReadFull(&x.in, got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return errors.New("index or footer do not match the blocks")
	}
	if _, err := x.in.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("more data after the stream"), err)
	}
	return nil
}
