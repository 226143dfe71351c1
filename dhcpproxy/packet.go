package dhcpproxy

import (
	"context"
	"encoding/binary"
	"net/netip"
	"time"
)

// A PacketConn is a [Conn] that reads and writes Ethernet frames on all
// interfaces, past the sockets of a DHCP server on the same host. It exists on
// Linux only.
type PacketConn struct {
	*packetConn
}

var _ Conn = (*PacketConn)(nil)

// ListenPacket opens a packet socket (AF_PACKET) that receives what is sent to
// UDP port of every interface. It needs CAP_NET_RAW. The caller closes it.
//
// It sees packets before the host's firewall does. Answers to the broadcast
// address are frames of its own making; others are routed by the kernel. The
// UDP checksums of packets are not looked at, since interfaces of virtual
// machines often leave them unfinished.
func ListenPacket(ctx context.Context, port uint16) (*PacketConn, error) {
	c, err := listenPacket(ctx, port)
	if err != nil {
		return nil, &Error{Op: "listen", Err: err}
	}
	return &PacketConn{c}, nil
}

// ReadPacket implements [Conn].
func (c *PacketConn) ReadPacket(b []byte) (int, Path, error) { return c.readPacket(b) }

// WritePacket implements [Conn].
func (c *PacketConn) WritePacket(b []byte, p Path) error { return c.writePacket(b, p) }

// SetReadDeadline implements [Conn].
func (c *PacketConn) SetReadDeadline(t time.Time) error { return c.setReadDeadline(t) }

// Close closes the sockets. A ReadPacket that waits returns an error that
// matches [os.ErrClosed].
func (c *PacketConn) Close() error { return c.close() }

// parseUDP finds the payload of an IPv4 packet with a whole UDP datagram.
func parseUDP(b []byte) (payload []byte, src, dst netip.AddrPort, ok bool) {
	if len(b) < 20 || b[0]>>4 != 4 {
		return nil, src, dst, false
	}
	ihl, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	fragment := binary.BigEndian.Uint16(b[6:]) & 0x3fff // More to come, or not the first.
	if ihl < 20 || total < ihl+8 || total > len(b) || fragment != 0 || b[9] != protocolUDP {
		return nil, src, dst, false
	}
	udp := b[ihl:total]
	n := int(binary.BigEndian.Uint16(udp[4:]))
	if n < 8 || n > len(udp) {
		return nil, src, dst, false
	}
	src = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[12:16])), binary.BigEndian.Uint16(udp))
	dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[16:20])), binary.BigEndian.Uint16(udp[2:]))
	return udp[8:n], src, dst, true
}

const protocolUDP = 17

// appendUDP encodes an IPv4 packet with a UDP datagram (RFC 791, RFC 768). An
// invalid source address becomes 0.0.0.0.
func appendUDP(b, payload []byte, src, dst netip.AddrPort) []byte {
	ip := len(b)
	total := uint16(28 + len(payload))
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, total)
	b = append(b, 0, 0, 0x40, 0, 64, protocolUDP, 0, 0) // Do not fragment; 64 hops.
	b = append(append(b, addr4(src)...), addr4(dst)...)
	binary.BigEndian.PutUint16(b[ip+10:], ^sum(0, b[ip:]))
	return appendDatagram(b, payload, src, dst)
}

// appendDatagram encodes the UDP header and payload.
func appendDatagram(b, payload []byte, src, dst netip.AddrPort) []byte {
	udp := len(b)
	n := uint16(8 + len(payload))
	b = binary.BigEndian.AppendUint16(b, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = binary.BigEndian.AppendUint16(b, n)
	b = append(append(b, 0, 0), payload...)
	pseudo := sum(protocolUDP, addr4(src))
	pseudo = sum(uint32(pseudo), addr4(dst))
	check := ^sum(uint32(pseudo)+uint32(n), b[udp:])
	if check == 0 {
		check = 0xffff // Zero would mean no checksum.
	}
	binary.BigEndian.PutUint16(b[udp+6:], check)
	return b
}

func addr4(a netip.AddrPort) []byte {
	if !a.Addr().Is4() {
		return make([]byte, 4)
	}
	return a.Addr().AsSlice()
}

// sum adds b to the Internet checksum s (RFC 1071).
func sum(s uint32, b []byte) uint16 {
	for ; len(b) > 1; b = b[2:] {
		s += uint32(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		s += uint32(b[0]) << 8
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return uint16(s)
}
