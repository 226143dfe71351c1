//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	// lostAfter is when a request counts as lost and its place is used again.
	lostAfter = 200 * time.Millisecond

	// maxBurst is how many datagrams Linux cuts one write into at most.
	maxBurst = 64
)

// A dhcpLoad asks a proxy for boot programs as fast as it answers, for a new
// machine each time, with a fixed number of requests under way: a closed loop.
type dhcpLoad struct {
	server  netip.AddrPort
	local   netip.AddrPort
	window  int     // requests under way
	count   int     // how many answers end it; 0 for none
	seconds float64 // how long it goes on

	conn    *ipv4.PacketConn
	to      *net.UDPAddr
	size    int    // of a request
	burst   []byte // requests, one behind the other
	in      []ipv4.Message
	last    uint32      // the last machine
	free    []int       // places without a request
	machine []uint32    // who asks in a place
	sent    []time.Time // when; zero in a free place
	latency []time.Duration
	lost    int
}

func (l *dhcpLoad) flags(f *flag.FlagSet) {
	f.TextVar(&l.server, "server", netip.MustParseAddrPort("255.255.255.255:67"), "where to send requests")
	f.TextVar(&l.local, "local", netip.MustParseAddrPort("0.0.0.0:68"), "where from; with an address, the requests are those for port 4011")
	f.IntVar(&l.window, "window", 64, "requests under way")
	f.IntVar(&l.count, "count", 0, "how many answers to wait for (0: no end)")
	f.Float64Var(&l.seconds, "seconds", 3, "how long to go on")
}

func (l *dhcpLoad) run(ctx context.Context) (*loadResult, error) {
	if l.window < 1 || l.window > maxBurst {
		return nil, fmt.Errorf("window %d not in 1..%d", l.window, maxBurst)
	}
	pc, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp4", l.local.String())
	if err != nil {
		return nil, err
	}
	defer pc.Close()
	l.prepare(pc)
	if err := segment(pc, l.size); err != nil {
		return nil, err
	}
	begin := time.Now()
	end := begin.Add(time.Duration(l.seconds * float64(time.Second)))
	for now := begin; now.Before(end) && ctx.Err() == nil && (l.count == 0 || len(l.latency) < l.count); now = time.Now() {
		if err := l.round(now); err != nil {
			return nil, err
		}
	}
	return l.result(time.Since(begin)), nil
}

// prepare makes all that is needed, so that nothing is made under way.
func (l *dhcpLoad) prepare(pc net.PacketConn) {
	request := dhcpRequest(l.local)
	l.conn, l.to, l.size = ipv4.NewPacketConn(pc), net.UDPAddrFromAddrPort(l.server), len(request)
	l.last = uint32(os.Getpid()) << 16 // Machines that were not in an earlier run.
	l.machine, l.sent = make([]uint32, l.window), make([]time.Time, l.window)
	l.latency = make([]time.Duration, 0, 1<<20)
	for place := range l.window {
		l.free = append(l.free, place)
		l.burst = append(l.burst, request...)
		l.in = append(l.in, ipv4.Message{Buffers: [][]byte{make([]byte, 1500)}})
	}
}

// segment has the kernel cut what is written to pc into datagrams of size
// bytes, and late on their way: a burst of requests costs hardly more than
// one, which leaves the processors to the server.
func segment(pc net.PacketConn, size int) error {
	raw, err := pc.(*net.UDPConn).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, size)
	})
	return errors.Join(err, failed)
}

// round fills the free places and takes what answers are there, or the first
// that comes.
func (l *dhcpLoad) round(now time.Time) error {
	for place, at := range l.sent {
		if !at.IsZero() && now.Sub(at) >= lostAfter {
			l.lost++
			l.clear(place)
		}
	}
	if err := l.send(now); err != nil {
		return err
	}
	if err := l.conn.SetReadDeadline(now.Add(lostAfter)); err != nil {
		return err
	}
	n, err := l.conn.ReadBatch(l.in, 0)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	} else if err != nil {
		return fmt.Errorf("receive: %w", err)
	}
	now = time.Now()
	for _, m := range l.in[:n] {
		l.take(m.Buffers[0][:m.N], now)
	}
	return nil
}

// send asks for a new machine in each free place.
func (l *dhcpLoad) send(now time.Time) error {
	burst := l.burst[:0]
	for _, place := range l.free {
		l.last++
		l.machine[place], l.sent[place] = l.last, now
		burst = burst[:len(burst)+l.size]
		request := burst[len(burst)-l.size:]
		binary.BigEndian.PutUint32(request[offXID:], l.xid(place))
		binary.BigEndian.PutUint32(request[offMAC+2:], l.last)
	}
	l.free = l.free[:0]
	if len(burst) == 0 {
		return nil
	}
	if _, err := l.conn.WriteTo(burst, nil, l.to); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}

// xid returns the transaction number of the request in a place.
func (l *dhcpLoad) xid(place int) uint32 { return l.machine[place]*maxBurst + uint32(place) }

// take notes an answer.
func (l *dhcpLoad) take(b []byte, now time.Time) {
	if len(b) <= offEnd || b[offOp] != opReply {
		return
	}
	xid := binary.BigEndian.Uint32(b[offXID:])
	place := int(xid % maxBurst)
	if place < l.window && l.xid(place) == xid && !l.sent[place].IsZero() {
		l.latency = append(l.latency, now.Sub(l.sent[place]))
		l.clear(place)
	}
}

func (l *dhcpLoad) clear(place int) {
	l.sent[place] = time.Time{}
	l.free = append(l.free, place)
}

func (l *dhcpLoad) result(took time.Duration) *loadResult {
	r := &loadResult{Count: len(l.latency), Lost: l.lost, Seconds: took.Seconds()}
	if n := len(l.latency); n > 0 {
		slices.Sort(l.latency)
		r.P99 = l.latency[n*99/100].Seconds()
	}
	return r
}

// A reflector answers each DHCP request at once with the request itself, made
// a reply. It shows how much the generator and the kernel can do at most.
type reflector struct{}

func (*reflector) flags(*flag.FlagSet) {}

func (*reflector) run(ctx context.Context) (*loadResult, error) {
	pc, err := (&net.ListenConfig{}).ListenPacket(ctx, "udp4", ":67")
	if err != nil {
		return nil, err
	}
	defer pc.Close()
	defer context.AfterFunc(ctx, func() { _ = pc.SetReadDeadline(time.Unix(1, 0)) })()
	conn := ipv4.NewPacketConn(pc)
	in := make([]ipv4.Message, maxBurst)
	for i := range in {
		in[i].Buffers = [][]byte{make([]byte, 1500)}
	}
	out := make([]ipv4.Message, maxBurst)
	for {
		n, err := conn.ReadBatch(in, 0)
		if ctx.Err() != nil {
			return &loadResult{}, nil
		} else if err != nil {
			return nil, err
		}
		for i, m := range in[:n] {
			m.Buffers[0][offOp] = opReply
			out[i] = ipv4.Message{Buffers: [][]byte{m.Buffers[0][:m.N]}, Addr: m.Addr}
		}
		for rest := out[:n]; len(rest) > 0; rest = rest[n:] {
			if n, err = conn.WriteBatch(rest, 0); err != nil {
				return nil, err
			}
		}
	}
}
