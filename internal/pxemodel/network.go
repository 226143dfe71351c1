package pxemodel

import (
	"encoding/binary"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
)

// latency is what every datagram takes, so that no answer is instant.
const latency = 100 * time.Microsecond

// Faults says what goes wrong on a network. Probabilities are in 0..1 and
// hold for each receiver of a datagram on its own; the zero value is a
// perfect network.
type Faults struct {
	Seed      uint64        // another seed, another fate for every datagram
	Loss      float64       // probability that a datagram does not arrive
	Duplicate float64       // probability that it arrives twice
	Reorder   float64       // probability that it is held back, up to 50 ms
	Delay     time.Duration // added to every datagram
}

// A Network is one broadcast domain in memory. It is safe for concurrent use.
type Network struct {
	prefix netip.Prefix
	faults Faults

	mu    sync.Mutex
	hosts []*Host
	count map[uint64]uint64 // how often each datagram was sent before
}

// NewNetwork returns a network without hosts whose addresses lie in prefix.
func NewNetwork(prefix netip.Prefix, faults Faults) *Network {
	return &Network{prefix: prefix, faults: faults, count: map[uint64]uint64{}}
}

// Attach adds a host. With the zero address it is a machine that was just
// switched on; router, which may be zero, is where it sends what lies beyond
// the network.
func (n *Network) Attach(mac net.HardwareAddr, addr, router netip.Addr) *Host {
	h := newHost(n, mac)
	h.addr, h.router = addr, router
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts = append(n.hosts, h)
	return h
}

// broadcast reports whether a is an address that every host listens to.
func (n *Network) broadcast(a netip.Addr) bool {
	return a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || a == lastAddr(n.prefix)
}

// send carries d to whoever the link layer address or, when it is nil, the
// destination address stands for.
func (n *Network) send(from *Host, link net.HardwareAddr, d Datagram) {
	d.Payload = slices.Clone(d.Payload)
	for _, to := range n.receivers(from, link, d.Dst.Addr()) {
		for _, delay := range n.fate(to, d) {
			time.AfterFunc(delay, func() { to.deliver(d, link != nil) })
		}
	}
}

func (n *Network) receivers(from *Host, link net.HardwareAddr, dst netip.Addr) []*Host {
	router := from.gateway()
	n.mu.Lock()
	defer n.mu.Unlock()
	var to []*Host
	for _, h := range n.hosts {
		switch {
		case h == from:
		case link != nil:
			if slices.Equal(link, h.mac) {
				to = append(to, h)
			}
		case n.broadcast(dst), h.owns(dst), !n.prefix.Contains(dst) && h.owns(router):
			to = append(to, h)
		}
	}
	return to
}

// fate draws when a datagram arrives: never, once or twice. It depends on the
// seed, the receiver, the datagram and how often the same was sent before, but
// not on the order in which goroutines happen to run.
func (n *Network) fate(to *Host, d Datagram) []time.Duration {
	id := fnv.New64a()
	id.Write(binary.BigEndian.AppendUint64(nil, n.faults.Seed))
	id.Write([]byte(strings.Join([]string{to.mac.String(), d.Src.String(), d.Dst.String()}, " ")))
	id.Write(d.Payload)
	key := id.Sum64()
	n.mu.Lock()
	n.count[key]++
	rng := rand.New(rand.NewPCG(key, n.count[key])) //nolint:gosec // A fate has to be repeatable.
	n.mu.Unlock()

	f := n.faults
	copies := 1
	if rng.Float64() < f.Duplicate {
		copies = 2
	}
	var arrivals []time.Duration
	for range copies {
		if rng.Float64() < f.Loss {
			continue
		}
		delay := latency + f.Delay + time.Duration(rng.Int64N(int64(latency)))
		if rng.Float64() < f.Reorder {
			delay += time.Duration(rng.Int64N(int64(50 * time.Millisecond)))
		}
		arrivals = append(arrivals, delay)
	}
	return arrivals
}

// lastAddr returns the directed broadcast address of an IPv4 prefix.
func lastAddr(p netip.Prefix) netip.Addr {
	a := p.Masked().Addr().As4()
	host := uint32(1)<<(32-p.Bits()) - 1
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(a[:])|host)))
}
