package pxemodel

import (
	"context"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// queueLen bounds the datagrams that wait to be read; more are dropped, as
// by a card whose ring is full.
const queueLen = 1024

// A Host is a machine on a [Network]: the [Wire] of a client, or a server with
// a [Socket] for each of its ports. It is safe for concurrent use.
type Host struct {
	net *Network
	mac net.HardwareAddr
	raw chan Datagram

	mu      sync.Mutex
	addr    netip.Addr
	router  netip.Addr
	sockets map[uint16]*Socket
	forward func(d Datagram) // what a router does with what is not its own
}

func newHost(n *Network, mac net.HardwareAddr) *Host {
	return &Host{net: n, mac: mac, raw: make(chan Datagram, queueLen), sockets: map[uint16]*Socket{}}
}

// HardwareAddr returns the host's link layer address.
func (h *Host) HardwareAddr() net.HardwareAddr { return h.mac }

// Addr returns the host's address, or the zero address.
func (h *Host) Addr() netip.Addr {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.addr
}

// Configure gives the host an address and a default router.
func (h *Host) Configure(addr netip.Prefix, router netip.Addr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.addr, h.router = addr.Addr(), router
}

// Send sends d from the host's own address.
func (h *Host) Send(d Datagram) error {
	h.SendTo(nil, d)
	return nil
}

// SendTo sends d in a frame to link, whatever d's destination is; a nil link
// is found from the destination. DHCP servers need it for machines that have
// no address yet.
func (h *Host) SendTo(link net.HardwareAddr, d Datagram) {
	src := h.Addr()
	if !src.IsValid() {
		src = netip.IPv4Unspecified()
	}
	d.Src = netip.AddrPortFrom(src, d.Src.Port())
	h.net.send(h, link, d)
}

// Receive implements [Wire] for datagrams to ports without a [Socket].
func (h *Host) Receive(ctx context.Context, until time.Time) (Datagram, error) {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case d := <-h.raw:
		return d, nil
	case <-timer.C:
		return Datagram{}, os.ErrDeadlineExceeded
	case <-ctx.Done():
		return Datagram{}, ctx.Err()
	}
}

func (h *Host) gateway() netip.Addr {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.router
}

func (h *Host) owns(a netip.Addr) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.addr.IsValid() && h.addr == a
}

// deliver hands d to the socket of its port. A host without an address takes
// whatever frame is addressed to it, as every boot ROM does.
func (h *Host) deliver(d Datagram, linked bool) {
	h.mu.Lock()
	mine := h.addr == d.Dst.Addr() || h.net.broadcast(d.Dst.Addr()) || linked && !h.addr.IsValid()
	queue, forward := h.raw, h.forward
	if s, ok := h.sockets[d.Dst.Port()]; ok {
		queue = s.queue
	}
	h.mu.Unlock()
	if !mine {
		if forward != nil {
			forward(d)
		}
		return
	}
	select {
	case queue <- d:
	default:
	}
}
