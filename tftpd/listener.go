package tftpd

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
)

// A listener is the caller's socket, where requests arrive. It knows, if the
// system tells, to which of the host's addresses each was sent, so that the
// answer can leave from there: a client takes none from elsewhere.
type listener struct {
	conn  net.PacketConn
	bound netip.Addr   // what conn is bound to; the zero Addr for all addresses
	udp   *net.UDPConn // conn, if the system tells the address asked; else nil
	ipv4  bool         // udp has control messages of IPv4, not of IPv6
	oob   []byte
}

func newListener(conn net.PacketConn) *listener {
	l := &listener{conn: conn}
	local := addrPort(conn.LocalAddr()).Addr()
	if !local.IsUnspecified() {
		l.bound = local // Also the zero Addr, of a conn that is not UDP.
		return l
	}
	udp, ok := conn.(*net.UDPConn)
	if !ok {
		return l
	}
	var err error
	if l.ipv4 = local.Is4(); l.ipv4 {
		err = ipv4.NewPacketConn(udp).SetControlMessage(ipv4.FlagDst, true)
		l.oob = ipv4.NewControlMessage(ipv4.FlagDst)
	} else {
		err = ipv6.NewPacketConn(udp).SetControlMessage(ipv6.FlagDst, true)
		l.oob = ipv6.NewControlMessage(ipv6.FlagDst)
	}
	if err == nil {
		l.udp = udp
	}
	return l
}

// read reads one packet into b. It returns who sent it and which address was
// asked, the zero Addr if that is not known.
func (l *listener) read(b []byte) (n int, peer netip.AddrPort, asked netip.Addr, err error) {
	if l.udp == nil {
		n, addr, err := l.conn.ReadFrom(b)
		return n, addrPort(addr), l.bound, err
	}
	n, oobn, _, peer, err := l.udp.ReadMsgUDPAddrPort(b, l.oob)
	return n, netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port()), l.asked(l.oob[:oobn]), err
}

func (l *listener) asked(oob []byte) netip.Addr {
	var dst net.IP
	if l.ipv4 {
		var cm ipv4.ControlMessage
		if cm.Parse(oob) == nil {
			dst = cm.Dst
		}
	} else {
		var cm ipv6.ControlMessage
		if cm.Parse(oob) == nil {
			dst = cm.Dst
		}
	}
	addr, _ := netip.AddrFromSlice(dst)
	return addr.Unmap()
}

// write sends b to peer from the address that peer asked.
func (l *listener) write(b []byte, peer netip.AddrPort, asked netip.Addr) error {
	if l.udp == nil || !asked.IsValid() {
		_, err := l.conn.WriteTo(b, net.UDPAddrFromAddrPort(peer))
		return err
	}
	var oob []byte
	if asked.Is4() { // Also on a socket for both families.
		oob = (&ipv4.ControlMessage{Src: asked.AsSlice()}).Marshal()
	} else {
		oob = (&ipv6.ControlMessage{Src: asked.AsSlice()}).Marshal()
	}
	_, _, err := l.udp.WriteMsgUDPAddrPort(b, oob, peer)
	return err
}

// dial opens the socket of one transfer: a port of its own on the address that
// was asked (RFC 1350 §4), connected, so that the kernel passes nobody else's
// packets.
func dial(peer netip.AddrPort, asked netip.Addr) (*net.UDPConn, error) {
	var local *net.UDPAddr
	if asked.IsValid() {
		local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(asked.WithZone(peer.Addr().Zone()), 0))
	}
	conn, err := net.DialUDP("udp", local, net.UDPAddrFromAddrPort(peer))
	if err != nil {
		return nil, fmt.Errorf("open a port: %v", err)
	}
	return conn, nil
}

// addrPort returns the address of a, without the wrapping that sockets for
// both families give to IPv4. It is zero unless a is a UDP address.
func addrPort(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok || u == nil {
		return netip.AddrPort{}
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
