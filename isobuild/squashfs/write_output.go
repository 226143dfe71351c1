package squashfs

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// An output is the image that is being written, front to back.
type output struct {
	w      io.WriterAt
	pos    int64 // where the next byte goes
	high   int64 // the end of what was written so far
	packer packer
}

// put writes p and returns where it is.
func (o *output) put(p []byte) (uint64, error) {
	at := o.pos
	if len(p) == 0 {
		return uint64(at), nil
	}
	n, err := o.w.WriteAt(p, at)
	if err = mosaic.Whole(n, p, err); err != nil {
		return 0, fmt.Errorf("squashfs: write image: %w", err)
	}
	o.pos += int64(len(p))
	o.high = max(o.high, o.pos)
	return uint64(at), nil
}

// newMeta returns an empty stream of metadata.
func (o *output) newMeta() *meta {
	return &meta{packer: o.packer, plain: make([]byte, 0, metaSize)}
}

// putMeta writes a stream of metadata.
func (o *output) putMeta(m *meta) (uint64, error) {
	m.flush()
	if m.err != nil {
		return 0, m.err
	}
	return o.put(m.packed)
}

// putTable writes table as metadata, then header and the list of where each
// block of it is. It returns where header is.
func (o *output) putTable(header, table []byte) (uint64, error) {
	m := o.newMeta()
	start := uint64(o.pos)
	for len(table) > 0 {
		header = binary.LittleEndian.AppendUint64(header, start+uint64(len(m.packed)))
		n := min(len(table), metaSize)
		m.write(table[:n])
		m.flush()
		table = table[n:]
	}
	if _, err := o.putMeta(m); err != nil {
		return 0, err
	}
	return o.put(header)
}

// A meta is a stream of metadata: blocks of 8 KiB, each packed by itself.
type meta struct {
	packer packer
	plain  []byte // what is not in a block yet, always less than a block
	packed []byte // blocks with their headers
	err    error
}

// position returns the reference of what is written next: where its block
// starts in the packed stream, and the offset in it when unpacked.
func (m *meta) position() uint64 {
	return uint64(len(m.packed))<<16 | uint64(len(m.plain))
}

// write adds p.
func (m *meta) write(p []byte) {
	for len(p) > 0 {
		n := min(len(p), metaSize-len(m.plain))
		m.plain = append(m.plain, p[:n]...)
		p = p[n:]
		if len(m.plain) == metaSize {
			m.flush()
		}
	}
}

// flush ends a block that has anything in it.
func (m *meta) flush() {
	if len(m.plain) == 0 || m.err != nil {
		return
	}
	start := len(m.packed)
	var packed []byte
	packed, m.err = m.packer.pack(append(m.packed, 0, 0), m.plain)
	if m.err != nil {
		return
	}
	size := len(packed) - start - 2
	header := uint16(size)
	if size >= len(m.plain) {
		packed = append(packed[:start+2], m.plain...)
		header = uint16(len(m.plain)) | metaStored
	}
	binary.LittleEndian.PutUint16(packed[start:], header)
	m.packed, m.plain = packed, m.plain[:0]
}
