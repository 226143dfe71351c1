package pxemodel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// maxOffers is how many offers EDK2 keeps.
const maxOffers = 16

// EDK2 is the PXE driver of EDK2 and of the many UEFI firmwares made from it.
type EDK2 struct {
	Machine

	// DropsPXE10 models EDK2 before 2018, and vendors that took it from there:
	// it meant to keep only the first proxy offer with option 43.6 to 43.10,
	// and by an inverted comparison keeps none. To such a machine a proxy
	// that says "43.6 = 8" on port 67 does not exist (danderson/netboot#43).
	DropsPXE10 bool
}

// kind is the type that EDK2 gives an offer.
type kind uint8

const (
	kindDHCPPXE10 kind = iota
	kindDHCPBINL
	kindDHCPOnly
	kindProxyPXE10
	kindProxyBINL
	kindBOOTP
)

// edk2Offer is an offer that was understood.
type edk2Offer struct {
	*reply

	kind   kind
	vendor *vendor
}

// Boot runs the driver until it knows its boot file. It takes up to a minute
// and, with offers of port 4011 that nobody answers, ten seconds for each.
func (e *EDK2) Boot(ctx context.Context, w Wire) (*Result, error) {
	s := newSession("EDK2", &e.Machine, w)
	xid := s.rng.Uint32()
	offers, selected, err := e.discover(ctx, s, xid)
	if err != nil {
		return nil, err
	}
	if selected == nil {
		return nil, s.fail("PXE-E16", "no valid offer received")
	}
	ack := selected.reply
	if selected.kind != kindBOOTP {
		ack, _, err = s.lease(ctx, func(extra ...Option) *Packet {
			return e.request(s, xid, Request, flagBroadcast, extra...)
		}, selected.reply, seconds(4, 8, 16, 32))
		if err != nil {
			return nil, err
		}
		if ack == nil {
			return nil, s.fail("PXE-E18", "server response timeout")
		}
	} else {
		w.Configure(netip.PrefixFrom(ack.YIAddr, 24), netip.Addr{})
	}
	info, via, err := e.inform(ctx, s, offers, selected, ack)
	if err != nil {
		return nil, err
	}
	r, err := e.bootFile(ctx, s, info, via, ack.YIAddr)
	if err != nil {
		return nil, err
	}
	return s.done(r, ack.YIAddr), nil
}

// request builds DISCOVER and REQUEST. EDK2 spoils the maximum message size
// in its REQUEST: a captured one says 65280.
func (e *EDK2) request(s *session, xid uint32, kind byte, flags uint16, extra ...Option) *Packet {
	p := s.request(xid, flags)
	p.Add(OptMessageType, kind)
	p.Options = append(p.Options, extra...)
	size := uint16(1472)
	if kind == Request {
		size = 65280
	}
	p.Add(OptMaxSize, uint16Bytes(size)...)
	p.Add(OptParameters, edk2Parameters()...)
	if e.UUID != nil {
		p.Add(OptMachineID, machineID(e.UUID)...)
	}
	p.Add(OptInterface, 1, 3, 0)
	p.Add(OptArch, uint16Bytes(e.Arch)...)
	p.Add(OptVendorClass, fmt.Appendf(nil, "PXEClient:Arch:%05d:UNDI:003000", e.Arch)...)
	return p
}

func edk2Parameters() []byte {
	return []byte{
		1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60,
		66, 67, 97, 128, 129, 130, 131, 132, 133, 134, 135,
	}
}

// discover collects offers until a wait ends with one that can be selected.
func (e *EDK2) discover(ctx context.Context, s *session, xid uint32) ([]edk2Offer, *edk2Offer, error) {
	var offers []edk2Offer
	for _, wait := range seconds(4, 8, 16, 32) {
		s.send(portClient, everybody(), e.request(s, xid, Discover, flagBroadcast))
		_, err := s.listen(ctx, time.Now().Add(wait), portClient, xid, func(r *reply) bool {
			if o, ok := e.accept(s, r, offers); ok {
				offers = append(offers, o)
			}
			return false
		})
		if err != nil {
			return nil, nil, err
		}
		if selected := selectOffer(offers); selected != nil {
			return offers, selected, nil
		}
	}
	return offers, nil, nil
}

// accept decides whether an offer is kept.
func (e *EDK2) accept(s *session, r *reply, offers []edk2Offer) (edk2Offer, bool) {
	if r.src.Port() != portServer {
		s.refuse(r, "not from port 67")
		return edk2Offer{}, false
	}
	if r.Type() != 0 && (r.Type() != Offer || !r.ServerID().IsValid()) {
		s.refuse(r, "not an offer with option 54")
		return edk2Offer{}, false
	}
	o, err := classify(r)
	if err != nil {
		s.refuse(r, "%v", err)
		return edk2Offer{}, false
	}
	sameKind := slices.ContainsFunc(offers, func(x edk2Offer) bool { return x.kind == o.kind })
	switch {
	case len(offers) == maxOffers:
		s.refuse(r, "%d offers are enough", maxOffers)
	case o.kind == kindProxyPXE10 && e.DropsPXE10:
		s.refuse(r, "this firmware drops proxy offers with option 43.6")
	case sameKind && (o.kind == kindProxyPXE10 || o.kind == kindBOOTP):
		s.refuse(r, "only the first of its kind is kept")
	default:
		return o, true
	}
	return edk2Offer{}, false
}

// classify gives a reply its type.
func classify(r *reply) (edk2Offer, error) {
	if err := edk2Valid(r.Packet); err != nil {
		return edk2Offer{}, err
	}
	o := edk2Offer{reply: r, vendor: &vendor{}}
	isPXE := bytes.HasPrefix(r.Get(OptVendorClass), []byte("PXEClient"))
	if isPXE && r.Has(OptVendor) {
		v, err := parseVendor(r.Get(OptVendor))
		// A missing end tag is no matter here: EDK2 stops at the length.
		if err != nil && !errors.Is(err, errUnterminated) {
			return o, fmt.Errorf("option 43: %w", err)
		}
		o.vendor = v
	}
	isProxy := !r.YIAddr.IsValid()
	pick := func(dhcp, proxy kind) kind {
		if isProxy {
			return proxy
		}
		return dhcp
	}
	switch {
	case r.Type() == 0 && r.BootFile() == "":
		return o, errors.New("BOOTP without a boot file")
	case r.Type() == 0:
		o.kind = kindBOOTP
	case o.vendor.discovery():
		o.kind = pick(kindDHCPPXE10, kindProxyPXE10)
	case o.vendor.mtftp():
		return o, errors.New("multicast TFTP is not supported")
	case isPXE:
		o.kind = pick(kindDHCPBINL, kindProxyBINL)
	case isProxy:
		return o, errors.New("neither an address nor PXEClient")
	default:
		o.kind = kindDHCPOnly
	}
	return o, nil
}

// edk2Valid checks the length of every option that EDK2 knows. One bad option
// and the packet is dropped.
func edk2Valid(p *Packet) error {
	for _, o := range p.Options {
		least, unit := 0, 1
		switch o.Code {
		case OptSubnetMask, OptRequested, OptLease, OptServerID, 58, 59:
			least, unit = 4, 4
		case OptRouter, OptDNS:
			least, unit = 4, 4
		case OptBootSize, OptMaxSize:
			least, unit = 2, 2
		case OptMessageType, OptOverload, OptVendorClass, OptBootFile:
			least = 1
		}
		if len(o.Value) < least || len(o.Value)%unit != 0 {
			return fmt.Errorf("option %d has %d bytes", o.Code, len(o.Value))
		}
	}
	return nil
}

// selectOffer applies EDK2's order of preference, or returns nil to wait on.
// (2) and (4), multicast TFTP, never happen.
func selectOffer(offers []edk2Offer) *edk2Offer {
	first := func(k kind, withFile bool) *edk2Offer {
		for i := range offers {
			if offers[i].kind == k && (!withFile || offers[i].BootFile() != "") {
				return &offers[i]
			}
		}
		return nil
	}
	dhcp := first(kindDHCPOnly, false)
	switch {
	case first(kindDHCPPXE10, false) != nil: // (1)
		return first(kindDHCPPXE10, false)
	case dhcp != nil && first(kindProxyPXE10, false) != nil: // (3)
		return dhcp
	case first(kindDHCPBINL, false) != nil: // (5)
		return first(kindDHCPBINL, false)
	case dhcp != nil && first(kindProxyBINL, false) != nil: // (6)
		return dhcp
	case first(kindDHCPOnly, true) != nil: // (7)
		return first(kindDHCPOnly, true)
	}
	if b := first(kindBOOTP, true); b != nil && b.YIAddr.IsValid() { // (8)
		return b
	}
	return nil
}

// inform finds the packet that tells about booting, asking port 4011 where
// the offers say so.
func (e *EDK2) inform(ctx context.Context, s *session, offers []edk2Offer, selected *edk2Offer, ack *reply) (*edk2Offer, Via, error) {
	if selected.kind == kindDHCPBINL {
		r, err := e.ask(ctx, s, selected, ack)
		return r, ViaPort4011, err
	}
	if selected.kind == kindDHCPOnly {
		for i, o := range offers {
			if o.kind == kindProxyPXE10 {
				return &offers[i], ViaOffer, nil
			}
		}
		asked := false
		for i, o := range offers {
			if o.kind != kindProxyBINL {
				continue
			}
			asked = true
			r, err := e.ask(ctx, s, &offers[i], ack)
			if err == nil {
				return r, ViaPort4011, nil
			}
			if ctx.Err() != nil {
				return nil, "", err
			}
		}
		if asked {
			return nil, "", s.fail("PXE-E18", "server response timeout")
		}
	}
	return selected, ViaAddressServer, nil
}

// ask sends the request for the boot file to port 4011. Every wait is sat out,
// and then the first packet with the transaction's id counts, good or bad.
func (e *EDK2) ask(ctx context.Context, s *session, o *edk2Offer, ack *reply) (*edk2Offer, error) {
	server := netip.AddrPortFrom(bootServerOf(o.reply), portBoot)
	p := e.bootRequest(s, ack.YIAddr)
	var got *reply
	for i, wait := range seconds(1, 2, 3, 4) {
		p.Secs = uint16(i)
		s.send(portBoot, server, p)
		_, err := s.listen(ctx, time.Now().Add(wait), portBoot, p.XID, func(r *reply) bool {
			if r.src.Port() != portBoot {
				s.refuse(r, "not from port 4011")
			} else if got == nil {
				got = r
			}
			return false
		})
		if err != nil {
			return nil, err
		}
		if got != nil {
			break
		}
	}
	if got == nil {
		return nil, s.fail("PXE-E18", "server response timeout")
	}
	answer, err := classify(got)
	if err != nil {
		return nil, s.fail("PXE-E18", "the answer from port 4011 is useless: %v", err)
	}
	if answer.kind != kindProxyPXE10 && answer.BootFile() == "" {
		return nil, s.fail("PXE-E18", "the answer from port 4011 names no boot file")
	}
	return &answer, nil
}

// bootRequest builds the request to port 4011: a transaction of its own, no
// broadcast flag and no option 54.
func (e *EDK2) bootRequest(s *session, own netip.Addr) *Packet {
	p := s.request(s.rng.Uint32(), 0)
	p.CIAddr = own
	p.Add(OptMessageType, Request)
	p.Add(OptParameters, edk2Parameters()...)
	p.Add(OptMaxSize, uint16Bytes(1472)...)
	p.Add(OptVendorClass, fmt.Appendf(nil, "PXEClient:Arch:%05d:UNDI:003000", e.Arch)...)
	p.Add(OptArch, uint16Bytes(e.Arch)...)
	p.Add(OptInterface, 1, 3, 0)
	if e.UUID != nil {
		p.Add(OptMachineID, machineID(e.UUID)...)
	}
	return p
}

// bootFile takes the file out of info, or out of what a menu's server says.
func (e *EDK2) bootFile(ctx context.Context, s *session, info *edk2Offer, via Via, own netip.Addr) (*Result, error) {
	v := info.vendor
	if len(v.menu) > 0 && (!v.skips() || info.BootFile() == "") {
		return s.bootMenu(ctx, v, info.reply, func(kind uint16) *Packet {
			p := e.bootRequest(s, own)
			p.Add(OptVendor, bootItem(kind, 0)...)
			return p
		}, portBoot)
	}
	if info.BootFile() == "" {
		return nil, s.fail("PXE-E16", "no boot file in the offer")
	}
	r := &Result{Server: bootServerOf(info.reply), File: info.BootFile(), Via: via, Reply: info.Packet}
	if len(v.servers) > 0 && len(v.servers[0].addrs) > 0 {
		r.Server = v.servers[0].addrs[0]
	}
	if size := info.Get(OptBootSize); len(size) == 2 {
		r.Size = 512 * (int64(size[0])<<8 + int64(size[1]))
	}
	return r, nil
}
