package pxemodel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// BIOS is the boot ROM of a network card in a BIOS machine (PXE 2.1): strict,
// and reading the file field only.
type BIOS struct {
	Machine

	// AsksAnyway models Intel's "PXE-2.0 build 071", which goes to port 4011
	// although option 43.6 told it not to (danderson/netboot#132).
	AsksAnyway bool
	// Informs asks port 4011 by INFORM instead of REQUEST.
	Informs bool
	// SendsItem puts boot item 0, option 43.71, into the request to 4011.
	SendsItem bool
}

// biosOffers is what a ROM remembers of the discovery.
type biosOffers struct {
	pxe, plain, proxy *reply
}

// Boot runs the ROM until it knows its boot file. It takes up to a minute.
func (b *BIOS) Boot(ctx context.Context, w Wire) (*Result, error) {
	s := newSession("BIOS", &b.Machine, w)
	xid := s.rng.Uint32()
	offers, err := b.discover(ctx, s, xid)
	if err != nil {
		return nil, err
	}
	offer := offers.plain
	switch {
	case offers.pxe != nil:
		offer = offers.pxe
	case offer == nil && offers.proxy != nil:
		return nil, s.fail("PXE-E52", "proxyDHCP offers were received, no DHCP offers were received")
	case offer == nil:
		return nil, s.fail("PXE-E51", "no DHCP or proxyDHCP offers were received")
	}
	ack, _, err := s.lease(ctx, func(extra ...Option) *Packet {
		p := b.request(s, xid, Request, flagBroadcast)
		p.Options = append(p.Options, extra...)
		return p
	}, offer, seconds(4, 8, 16, 32))
	if err != nil {
		return nil, err
	}
	if ack == nil {
		return nil, s.fail("PXE-E51", "the DHCP server did not acknowledge its offer")
	}
	r, err := b.choose(ctx, s, offers, ack)
	if err != nil {
		return nil, err
	}
	return s.done(r, ack.YIAddr), nil
}

// request builds a packet with the options in the order that ROMs use.
func (b *BIOS) request(s *session, xid uint32, kind byte, flags uint16) *Packet {
	p := s.request(xid, flags)
	p.Secs = uint16(time.Since(s.start).Seconds())
	p.Add(OptMessageType, kind)
	p.Add(OptParameters, 1, 2, 3, 5, 6, 11, 12, 13, 15, 16, 17, 18, OptVendor, 54, OptVendorClass,
		OptServerName, OptBootFile, 128, 129, 130, 131, 132, 133, 134, 135, OptMachineID)
	p.Add(OptMaxSize, uint16Bytes(1260)...)
	if b.UUID != nil {
		p.Add(OptMachineID, machineID(b.UUID)...)
	}
	p.Add(OptArch, uint16Bytes(b.Arch)...)
	p.Add(OptInterface, 1, 2, 1)
	p.Add(OptVendorClass, fmt.Appendf(nil, "PXEClient:Arch:%05d:UNDI:002001", b.Arch)...)
	return p
}

// discover collects offers until a wait ends with an address and a place to
// boot from. What is missing after the last wait stays nil.
func (b *BIOS) discover(ctx context.Context, s *session, xid uint32) (*biosOffers, error) {
	var o biosOffers
	for _, wait := range seconds(4, 8, 16, 32) {
		s.send(portClient, everybody(), b.request(s, xid, Discover, flagBroadcast))
		_, err := s.listen(ctx, time.Now().Add(wait), portClient, xid, func(r *reply) bool {
			o.add(s, r)
			return false
		})
		if err != nil {
			return nil, err
		}
		if o.pxe != nil || o.plain != nil && (o.proxy != nil || o.plain.File != "") {
			break
		}
	}
	return &o, nil
}

// add keeps the first offer of each kind.
func (o *biosOffers) add(s *session, r *reply) {
	isPXE := string(r.Get(OptVendorClass)) == "PXEClient"
	keep := func(slot **reply) {
		if *slot == nil {
			*slot = r
		}
	}
	switch {
	case r.src.Port() != portServer:
		s.refuse(r, "not from port 67")
	case r.Type() != Offer:
		s.refuse(r, "message type %d is not an offer", r.Type())
	case !r.ServerID().IsValid():
		s.refuse(r, "no option 54")
	case r.YIAddr.IsValid() && isPXE:
		keep(&o.pxe)
	case r.YIAddr.IsValid():
		keep(&o.plain)
	case isPXE:
		keep(&o.proxy)
	default:
		s.refuse(r, "option 60 is not PXEClient")
	}
}

// choose finds the boot file once the machine has its address.
func (b *BIOS) choose(ctx context.Context, s *session, o *biosOffers, ack *reply) (*Result, error) {
	info, via := o.proxy, ViaOffer
	if o.pxe != nil {
		info, via = ack, ViaAddressServer
	}
	if info == nil {
		if ack.File == "" {
			return nil, s.fail("PXE-E53", "no boot filename received")
		}
		return &Result{Server: bootServerOf(ack), File: ack.File, Via: ViaAddressServer, Reply: ack.Packet}, nil
	}
	if !info.Has(OptVendor) {
		return b.ask(ctx, s, info, ack)
	}
	v, err := parseVendor(info.Get(OptVendor))
	switch {
	case errors.Is(err, errUnterminated):
		return nil, s.fail("PXE-E77", "option 43 has no end tag: the ROM read on past it")
	case err != nil:
		return nil, s.fail("PXE-E77", "bad or missing discovery server list: %v", err)
	case v.skips() && info.File != "" && !b.AsksAnyway:
		return &Result{Server: bootServerOf(info), File: info.File, Via: via, Reply: info.Packet}, nil
	case len(v.menu) > 0 && !v.skips():
		return s.bootMenu(ctx, v, info, func(kind uint16) *Packet {
			p := b.request(s, s.rng.Uint32(), Request, 0)
			p.CIAddr = ack.YIAddr
			p.Add(OptVendor, bootItem(kind, 0)...)
			return p
		}, portClient)
	}
	return b.ask(ctx, s, info, ack)
}

// ask sends the request to port 4011 of the server behind info.
func (b *BIOS) ask(ctx context.Context, s *session, info, ack *reply) (*Result, error) {
	server := netip.AddrPortFrom(bootServerOf(info), portBoot)
	kind := Request
	if b.Informs {
		kind = Inform
	}
	req := b.request(s, s.rng.Uint32(), kind, 0)
	req.CIAddr = ack.YIAddr
	item := bootItem(0, 0)
	if b.SendsItem {
		req.Add(OptVendor, item...)
	}
	var got *reply
	for _, wait := range seconds(1, 2, 3, 4) {
		s.send(portClient, server, req)
		_, err := s.listen(ctx, time.Now().Add(wait), portClient, req.XID, func(r *reply) bool {
			switch {
			case r.src != server:
				s.refuse(r, "not from %v", server)
			case r.Type() != Ack:
				s.refuse(r, "message type %d is not an acknowledgement", r.Type())
			case !bytes.HasPrefix(r.Get(OptVendorClass), []byte("PXEClient")):
				s.refuse(r, "option 60 is not PXEClient")
			case b.SendsItem && !echoes(r, 0):
				s.refuse(r, "the boot item is not echoed")
			case r.File == "":
				s.refuse(r, "no file")
			default:
				got = r
			}
			return got != nil
		})
		if err != nil {
			return nil, err
		}
		if got != nil {
			return &Result{Server: bootServerOf(got), File: got.File, Via: ViaPort4011, Reply: got.Packet}, nil
		}
	}
	return nil, s.fail("PXE-E55", "proxyDHCP service did not reply to request on port 4011")
}

// bootServerOf returns the address that a reply names for TFTP and port 4011:
// siaddr, otherwise option 54.
func bootServerOf(r *reply) netip.Addr {
	if r.SIAddr.IsValid() {
		return r.SIAddr
	}
	return r.ServerID()
}
