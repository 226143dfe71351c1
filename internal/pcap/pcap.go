package pcap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
)

const (
	maxFrame = 256 << 10

	linkEthernet = 1
	linkRaw      = 101
	linkSLL      = 113
	linkSLL2     = 276

	typeIPv4   = 0x0800
	typeVLAN   = 0x8100
	typeQinQ   = 0x88a8
	protoUDP   = 17
	fileHeader = 24
	recHeader  = 16
)

// ErrFormat is returned for a file that is not a capture this package reads.
var ErrFormat = errors.New("not a libpcap capture")

// A Datagram is one UDP datagram over IPv4.
type Datagram struct {
	Src, Dst netip.AddrPort
	Payload  []byte // valid until the next one is read
}

// UDP returns the UDP datagrams of the capture r, in order. After an error,
// which comes with the zero Datagram, there are no more.
func UDP(r io.Reader) iter.Seq2[Datagram, error] {
	return func(yield func(Datagram, error) bool) {
		var hdr [fileHeader]byte
		if _, err := io.ReadFull(r, hdr[:]); err != nil {
			yield(Datagram{}, ErrFormat)
			return
		}
		order, ok := byteOrder(hdr[:4])
		if !ok {
			yield(Datagram{}, ErrFormat)
			return
		}
		link := order.Uint32(hdr[20:]) & 0x0fff_ffff // The upper bits tell of a checksum.
		for n := 1; ; n++ {
			frame, err := record(r, order)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(Datagram{}, fmt.Errorf("pcap: record %d: %w", n, err))
				return
			}
			if d, ok := datagram(network(frame, link)); ok && !yield(d, nil) {
				return
			}
		}
	}
}

// byteOrder tells the byte order from the magic number, of which there is one
// for microseconds and one for nanoseconds.
func byteOrder(magic []byte) (binary.ByteOrder, bool) {
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		if m := order.Uint32(magic); m == 0xa1b2c3d4 || m == 0xa1b23c4d {
			return order, true
		}
	}
	return nil, false
}

// record reads one record and returns its frame; io.EOF after the last one.
func record(r io.Reader, order binary.ByteOrder) ([]byte, error) {
	var hdr [recHeader]byte
	if _, err := io.ReadFull(r, hdr[:]); err != nil {
		return nil, err // io.EOF at a record's edge, io.ErrUnexpectedEOF inside of one.
	}
	n := order.Uint32(hdr[8:])
	if n > maxFrame {
		return nil, fmt.Errorf("frame of %d bytes, at most %d expected", n, maxFrame)
	}
	frame := make([]byte, n)
	if _, err := io.ReadFull(r, frame); err != nil {
		return nil, io.ErrUnexpectedEOF
	}
	return frame, nil
}

// network returns the IPv4 packet in a frame, or nil.
func network(b []byte, link uint32) []byte {
	var typ uint16
	switch {
	case link == linkRaw:
		return b
	case link == linkSLL && len(b) >= 16:
		typ, b = binary.BigEndian.Uint16(b[14:]), b[16:]
	case link == linkSLL2 && len(b) >= 20:
		typ, b = binary.BigEndian.Uint16(b), b[20:]
	case link == linkEthernet && len(b) >= 14:
		typ, b = binary.BigEndian.Uint16(b[12:]), b[14:]
	default:
		return nil
	}
	for (typ == typeVLAN || typ == typeQinQ) && len(b) >= 4 {
		typ, b = binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	if typ != typeIPv4 {
		return nil
	}
	return b
}

// datagram returns the UDP datagram in an IPv4 packet that is not a fragment
// (RFC 791 §3.1, RFC 768).
func datagram(b []byte) (Datagram, bool) {
	if len(b) < 20 || b[0]>>4 != 4 || b[9] != protoUDP {
		return Datagram{}, false
	}
	ihl, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	fragment := binary.BigEndian.Uint16(b[6:])&0x3fff != 0
	if fragment || ihl < 20 || total > len(b) || total < ihl+8 {
		return Datagram{}, false
	}
	src, dst, udp := netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:])), b[ihl:total]
	n := int(binary.BigEndian.Uint16(udp[4:]))
	if n < 8 || n > len(udp) {
		return Datagram{}, false
	}
	return Datagram{
		Src:     netip.AddrPortFrom(src, binary.BigEndian.Uint16(udp)),
		Dst:     netip.AddrPortFrom(dst, binary.BigEndian.Uint16(udp[2:])),
		Payload: udp[8:n],
	}, true
}
