package pxemodel

import (
	"bytes"
	"net"
	"net/netip"
	"slices"
	"sync/atomic"
)

// maxHops is where a relay gives up (RFC 1542 §4.1.1).
const maxHops = 16

// A Relay is a router between two networks with a DHCP relay agent (RFC 1542,
// RFC 3046): broadcasts of clients go to the helpers with giaddr and option 82
// filled in, everything else is routed.
type Relay struct {
	// Override asks servers to name the relay agent in option 54 (RFC 5107).
	// It must not change once Run was called.
	Override bool

	client, server *Host
	helpers        []netip.Addr
	circuit        []byte
	dropped        atomic.Int64
}

// NewRelay attaches a router to both networks. Its address on the clients' is
// giaddr; helpers are the servers that it relays to. Every server has to have
// serverSide for its router, every client is told giaddr.
func NewRelay(clients, servers *Network, giaddr, serverSide netip.Addr, helpers ...netip.Addr) *Relay {
	r := &Relay{
		client:  clients.Attach(net.HardwareAddr{2, 0, 0, 0, 0xfe, 1}, giaddr, netip.Addr{}),
		server:  servers.Attach(net.HardwareAddr{2, 0, 0, 0, 0xfe, 2}, serverSide, netip.Addr{}),
		helpers: helpers,
		// Circuit 5 of remote "port 12", as a switch writes them.
		circuit: append([]byte{1, 4, 0, 0, 0, 5, 2, 7}, "port 12"...),
	}
	r.client.forward = func(d Datagram) { r.route(r.server, d) }
	r.server.forward = func(d Datagram) {
		if d.Dst.Addr() == giaddr {
			r.reply(d)
			return
		}
		r.route(r.client, d)
	}
	return r
}

// Run relays what clients broadcast until stop is closed.
func (r *Relay) Run(stop <-chan struct{}) {
	s := r.client.Listen(portServer)
	go func() {
		<-stop
		_ = s.Close()
	}()
	for {
		d, err := s.Read()
		if err != nil {
			return
		}
		r.request(d)
	}
}

// Dropped returns how many replies were not passed on because their option 82
// was not the one that the relay had put in (RFC 3046 §2.1).
func (r *Relay) Dropped() int { return int(r.dropped.Load()) }

// route passes a datagram on with its addresses as they are.
func (r *Relay) route(out *Host, d Datagram) {
	if out.net.prefix.Contains(d.Dst.Addr()) {
		out.net.send(out, nil, d)
	}
}

// information returns the value of option 82.
func (r *Relay) information() []byte {
	if !r.Override {
		return r.circuit
	}
	return append(append(slices.Clone(r.circuit), 11, 4), r.client.Addr().AsSlice()...)
}

func (r *Relay) request(d Datagram) {
	p, err := Parse(d.Payload)
	if err != nil || p.Op != opRequest || p.Hops >= maxHops {
		return
	}
	p.Hops++
	if !p.GIAddr.IsValid() {
		p.GIAddr = r.client.Addr()
		p.Add(OptRelay, r.information()...)
	}
	for _, h := range r.helpers {
		_ = r.server.Send(Datagram{
			Src: netip.AddrPortFrom(netip.Addr{}, portServer), Dst: netip.AddrPortFrom(h, portServer),
			Payload: p.Marshal(0),
		})
	}
}

func (r *Relay) reply(d Datagram) {
	p, err := Parse(d.Payload)
	if err != nil || p.Op != opReply || d.Dst.Port() != portServer || p.GIAddr != r.client.Addr() {
		return
	}
	if !bytes.Equal(p.Get(OptRelay), r.information()) {
		r.dropped.Add(1)
		return
	}
	p.Options = slices.DeleteFunc(p.Options, func(o Option) bool { return o.Code == OptRelay })
	dst, link := netip.AddrFrom4([4]byte{255, 255, 255, 255}), net.HardwareAddr(nil)
	if p.Flags&flagBroadcast == 0 && p.YIAddr.IsValid() {
		dst, link = p.YIAddr, p.MAC
	}
	r.client.SendTo(link, Datagram{
		Src: netip.AddrPortFrom(netip.Addr{}, portServer), Dst: netip.AddrPortFrom(dst, portClient),
		Payload: p.Marshal(minimumReply),
	})
}
