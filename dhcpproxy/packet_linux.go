package dhcpproxy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// packetConn reads and broadcasts on a packet socket. It is of the "cooked"
// kind, so that the kernel deals with Ethernet and VLAN headers, and it asks
// for IPv4 only, so that a packet which a bridge passes on is seen once, on
// the bridge.
type packetConn struct {
	file   *os.File         // the packet socket, in the runtime's poller
	raw    syscall.RawConn  // of file
	ip     *ipv4.PacketConn // a raw IP socket for what must be routed
	closed atomic.Bool
}

func listenPacket(ctx context.Context, port uint16) (*packetConn, error) {
	file, err := openPacketSocket(port)
	if err != nil {
		return nil, err
	}
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	ip, err := openRawSocket(ctx)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &packetConn{file: file, raw: raw, ip: ip}, nil
}

// openPacketSocket binds only after the filter is in place: the socket is made
// for no protocol, which receives nothing.
func openPacketSocket(port uint16) (*os.File, error) {
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("a packet socket needs root or CAP_NET_RAW: %w", err)
	}
	if err != nil {
		return nil, fmt.Errorf("packet socket: %w", err)
	}
	err = attachFilter(fd, port)
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_IP)})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("packet socket: %w", err), unix.Close(fd))
	}
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, socketBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, socketBuffer) // Less will do on quiet networks.
	}
	return os.NewFile(uintptr(fd), "packet"), nil
}

// attachFilter has the kernel discard all but the first fragments of UDP
// datagrams to port. Offsets count from the IP header.
func attachFilter(fd int, port uint16) error {
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 9, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: protocolUDP, SkipTrue: 5},
		bpf.LoadAbsolute{Off: 6, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: 0x1fff, SkipTrue: 3},
		bpf.LoadMemShift{Off: 0},
		bpf.LoadIndirect{Off: 2, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(port), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.RetConstant{Val: bufferLen},
	})
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(program))
	for i, ins := range program {
		filter[i] = unix.SockFilter{Code: ins.Op, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

// openRawSocket opens a socket to send from. It discards all that it receives.
func openRawSocket(ctx context.Context) (*ipv4.PacketConn, error) {
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "ip4:17", "0.0.0.0")
	if err != nil {
		return nil, fmt.Errorf("raw IP socket: %w", err)
	}
	ip := ipv4.NewPacketConn(conn)
	nothing, err := bpf.Assemble([]bpf.Instruction{bpf.RetConstant{Val: 0}})
	if err == nil {
		err = ip.SetBPF(nothing)
	}
	if err != nil {
		return nil, errors.Join(err, ip.Close())
	}
	return ip, nil
}

func (c *packetConn) readPacket(b []byte) (int, Path, error) {
	var frame [bufferLen + 60 + 8]byte
	for {
		n, from, err := c.receive(frame[:])
		if err != nil {
			return 0, Path{}, err
		}
		// What the host sends, and what is meant for others, is not ours.
		if from.Pkttype != unix.PACKET_HOST && from.Pkttype != unix.PACKET_BROADCAST {
			continue
		}
		if payload, src, dst, ok := parseUDP(frame[:n]); ok {
			return copy(b, payload), Path{Interface: from.Ifindex, Local: dst, Remote: src}, nil
		}
	}
}

func (c *packetConn) receive(b []byte) (n int, from *unix.SockaddrLinklayer, err error) {
	var sa unix.Sockaddr
	waitErr := c.raw.Read(func(fd uintptr) bool {
		n, sa, err = unix.Recvfrom(int(fd), b, 0)
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
	if waitErr != nil && c.closed.Load() {
		return 0, nil, os.ErrClosed // The runtime has an error of its own, which nobody can match.
	}
	if waitErr != nil {
		return 0, nil, waitErr
	}
	if err != nil {
		return 0, nil, os.NewSyscallError("recvfrom", err)
	}
	from, _ = sa.(*unix.SockaddrLinklayer)
	if from == nil {
		return 0, nil, errors.New("packet without link-layer address")
	}
	return n, from, nil
}

// writePacket broadcasts through the packet socket and leaves the rest, which
// needs routing and ARP, to the kernel.
func (c *packetConn) writePacket(b []byte, p Path) error {
	if p.Remote.Addr() != broadcastAddr() {
		return c.writeRouted(b, p)
	}
	to := &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_IP), Ifindex: p.Interface, Halen: 6}
	for i := range 6 {
		to.Addr[i] = 0xff
	}
	if p.Hardware != [6]byte{} {
		copy(to.Addr[:], p.Hardware[:])
	}
	frame := appendUDP(make([]byte, 0, 28+len(b)), b, p.Local, p.Remote)
	var err error
	waitErr := c.raw.Write(func(fd uintptr) bool {
		err = unix.Sendto(int(fd), frame, 0, to)
		return !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR)
	})
	return errors.Join(waitErr, os.NewSyscallError("sendto", err))
}

// writeRouted sends a UDP datagram whose IP header the kernel adds. If the
// kernel also chooses the source address, there can be no checksum over it.
func (c *packetConn) writeRouted(b []byte, p Path) error {
	datagram := appendDatagram(make([]byte, 0, 8+len(b)), b, p.Local, p.Remote)
	cm := ipv4.ControlMessage{IfIndex: p.Interface}
	if p.Local.Addr().Is4() {
		cm.Src = p.Local.Addr().AsSlice()
	} else {
		datagram[6], datagram[7] = 0, 0
	}
	_, err := c.ip.WriteTo(datagram, &cm, &net.IPAddr{IP: p.Remote.Addr().AsSlice()})
	return err
}

func (c *packetConn) setReadDeadline(t time.Time) error { return c.file.SetReadDeadline(t) }

func (c *packetConn) close() error {
	c.closed.Store(true)
	return errors.Join(c.file.Close(), c.ip.Close())
}

// networkOrder returns v as it lies in memory in network byte order.
func networkOrder(v uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], v)
	return binary.NativeEndian.Uint16(b[:])
}
