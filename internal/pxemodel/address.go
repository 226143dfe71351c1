package pxemodel

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"time"
)

// An AddressServer is the network's ordinary DHCP server. Its fields must not
// change once it serves.
type AddressServer struct {
	Host *Host // where it answers, with an address

	Pool   netip.Prefix // what it leases: the addresses from the 50th on
	Router netip.Addr   // option 3, not sent if zero

	Delay      time.Duration // before the first offer to a machine, as by a server that pings
	NextServer netip.Addr    // siaddr, zero for none
	File       string        // the file field
	Class      string        // option 60, such as the PXEClient of a stale setting
	Vendor     []byte        // option 43
	BootP      bool          // answers without options 53 and 54, as in 1985
	NoPXE      bool          // iPXE's option 175.176: do not wait for proxies
	Priority   int8          // iPXE's option 175.1
}

// Serve answers until ctx is done.
func (s *AddressServer) Serve(ctx context.Context) {
	leases, pinged := map[string]netip.Addr{}, map[string]bool{}
	Answer(ctx, s.Host, portServer, func(req *Packet, _ Datagram) [][]byte {
		known := string(req.MAC)
		if !leases[known].IsValid() {
			leases[known] = s.nth(50 + len(leases))
		}
		switch {
		case req.Type() == Discover:
			if !pinged[known] {
				time.Sleep(s.Delay)
				pinged[known] = true
			}
			return [][]byte{s.reply(req, Offer, leases[known])}
		case req.Type() == Request && req.ServerID() == s.Host.Addr():
			if req.addr(OptRequested) != leases[known] {
				return [][]byte{s.reply(req, Nak, netip.Addr{})}
			}
			return [][]byte{s.reply(req, Ack, leases[known])}
		}
		return nil
	})
}

func (s *AddressServer) nth(n int) netip.Addr {
	a := s.Pool.Masked().Addr().As4()
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, binary.BigEndian.Uint32(a[:])+uint32(n))))
}

func (s *AddressServer) reply(req *Packet, kind byte, lease netip.Addr) []byte {
	p := ReplyTo(req)
	p.YIAddr, p.SIAddr, p.File = lease, s.NextServer, s.File
	if !s.BootP {
		p.Add(OptMessageType, kind)
		p.AddAddr(OptServerID, s.Host.Addr())
		p.Add(OptLease, 0, 0, 2, 88)
	}
	p.Add(OptSubnetMask, net.CIDRMask(s.Pool.Bits(), 32)...)
	if s.Router.IsValid() {
		p.AddAddr(OptRouter, s.Router)
	}
	if s.Class != "" {
		p.Add(OptVendorClass, []byte(s.Class)...)
	}
	if s.Vendor != nil {
		p.Add(OptVendor, s.Vendor...)
	}
	if s.NoPXE {
		p.Add(OptIPXE, 176, 1, 1)
	}
	if s.Priority != 0 {
		p.Add(OptIPXE, 1, 1, byte(s.Priority))
	}
	if relay := req.Get(OptRelay); relay != nil {
		p.Add(OptRelay, relay...)
	}
	return p.Marshal(minimumReply)
}

// ReplyTo returns a reply with the fields that every reply copies.
func ReplyTo(req *Packet) *Packet {
	return &Packet{Op: opReply, XID: req.XID, Flags: req.Flags, GIAddr: req.GIAddr, MAC: req.MAC}
}

// Answer reads requests from a port of h until ctx is done and sends what
// answer returns for each, the way servers do: to the relay if there is one,
// to the sender on any port but 67, otherwise to the machine's leased address
// or, without one or when it asked so, to everybody.
func Answer(ctx context.Context, h *Host, port uint16, answer func(*Packet, Datagram) [][]byte) {
	s := h.Listen(port)
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	for {
		d, err := s.Read()
		if err != nil {
			return
		}
		req, err := Parse(d.Payload)
		if err != nil || req.Op != opRequest {
			continue
		}
		for _, b := range answer(req, d) {
			s.respond(req, d, b)
		}
	}
}

func (s *Socket) respond(req *Packet, d Datagram, b []byte) {
	out := Datagram{Src: netip.AddrPortFrom(netip.Addr{}, s.port), Payload: b}
	var link net.HardwareAddr
	reply, err := Parse(b)
	switch {
	case s.port != portServer:
		out.Dst = d.Src
	case req.GIAddr.IsValid():
		out.Dst = netip.AddrPortFrom(req.GIAddr, portServer)
	case err == nil && reply.YIAddr.IsValid() && req.Flags&flagBroadcast == 0:
		out.Dst, link = netip.AddrPortFrom(reply.YIAddr, portClient), req.MAC
	default:
		out.Dst = netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), portClient)
	}
	s.host.SendTo(link, out)
}
