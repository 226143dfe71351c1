package dhcpproxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
)

// A UDPConn is a [Conn] on a UDP socket. Control messages tell the interface
// that each packet came in on, and send each answer out of it.
type UDPConn struct {
	udp  *net.UDPConn
	in   *batchReader // Linux only; nil elsewhere
	out  *batchWriter // the same
	port uint16
}

var _ Conn = (*UDPConn)(nil)

// Listen opens a UDP socket on port of every interface. The caller closes it.
//
// Windows does not tell which interface a packet came in on: a host with
// several needs WithAdvertise there, and its routing decides where broadcasts
// go.
func Listen(ctx context.Context, port uint16) (*UDPConn, error) {
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp4", fmt.Sprintf(":%d", port))
	if err != nil {
		return nil, &Error{Op: "listen", Err: explainListen(port, err)}
	}
	udp := conn.(*net.UDPConn)
	packets := ipv4.NewPacketConn(udp)
	if err := packets.SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true); err != nil && runtime.GOOS != "windows" {
		err = errors.Join(fmt.Errorf("control messages on UDP port %d: %w", port, err), udp.Close())
		return nil, &Error{Op: "listen", Err: err}
	}
	_ = udp.SetReadBuffer(socketBuffer) // Less will do on quiet networks.
	c := &UDPConn{udp: udp, port: udp.LocalAddr().(*net.UDPAddr).AddrPort().Port()}
	if runtime.GOOS == "linux" {
		c.in, c.out = newBatchReader(packets), &batchWriter{conn: packets}
	}
	return c, nil
}

// explainListen adds the remedy to the two commonest failures.
func explainListen(port uint16, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("UDP port %d is taken by another DHCP or boot server on this host (a packet socket works beside it): %w", port, err)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("UDP port %d needs root or CAP_NET_BIND_SERVICE: %w", port, err)
	default:
		return err
	}
}

// ReadPacket implements [Conn].
func (c *UDPConn) ReadPacket(b []byte) (int, Path, error) {
	n, oob, src, err := c.read(b)
	if err != nil {
		return 0, Path{}, err
	}
	p := Path{Remote: netip.AddrPortFrom(src.Addr().Unmap(), src.Port())}
	var cm ipv4.ControlMessage
	if len(oob) > 0 && cm.Parse(oob) == nil {
		p.Interface = cm.IfIndex
	}
	dst, _ := netip.AddrFromSlice(cm.Dst)
	p.Local = netip.AddrPortFrom(dst, c.port)
	return n, p, nil
}

// oobLen has room for an interface and an address, which take 28 bytes on
// Linux.
const oobLen = 128

func (c *UDPConn) read(b []byte) (n int, oob []byte, src netip.AddrPort, err error) {
	if c.in != nil {
		return c.in.next(b)
	}
	oob = make([]byte, oobLen)
	n, oobn, _, src, err := c.udp.ReadMsgUDPAddrPort(b, oob)
	return n, oob[:oobn], src, err
}

// WritePacket implements [Conn].
func (c *UDPConn) WritePacket(b []byte, p Path) error {
	cm := ipv4.ControlMessage{IfIndex: p.Interface}
	if p.Local.Addr().IsValid() {
		cm.Src = p.Local.Addr().AsSlice()
	}
	if c.out != nil {
		return c.out.write(ipv4.Message{Buffers: [][]byte{b}, OOB: cm.Marshal(), Addr: net.UDPAddrFromAddrPort(p.Remote)})
	}
	_, _, err := c.udp.WriteMsgUDPAddrPort(b, cm.Marshal(), p.Remote)
	return err
}

// SetReadDeadline implements [Conn].
func (c *UDPConn) SetReadDeadline(t time.Time) error { return c.udp.SetReadDeadline(t) }

// Close closes the socket. A ReadPacket that waits returns [net.ErrClosed].
func (c *UDPConn) Close() error { return c.udp.Close() }
