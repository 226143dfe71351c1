package pxemodel

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"time"
)

// Times of iPXE (config/dhcp.h).
const (
	ipxeProxyWait   = 2 * time.Second // for a proxy's offer, from the start, and for port 4011
	ipxeDiscoverMin = time.Second
	ipxeRequestMin  = 250 * time.Millisecond
	ipxeMax         = 10 * time.Second
)

// Sub-options of option 175, server to client.
const (
	ipxePriority byte = 1
	ipxeNoPXE    byte = 176
)

// IPXE is iPXE, in a ROM or loaded by one.
type IPXE struct {
	Machine

	UserClass   string // option 77, raw; empty says "iPXE"
	VendorClass string // option 60; empty gives the usual PXEClient:Arch:…, a chained iPXE says PXEClient
	EFI         bool   // option 94 and option 175 are those of the EFI build
	NoHTTP      bool   // a build without HTTP
	HasAddress  bool   // was chained and kept its address: asks for broadcasts
	Rounds      int    // attempts of the whole, at least one; the usual embedded script makes ten
}

// ipxeState is one round of DHCP.
type ipxeState struct {
	*session

	ipxe  *IPXE
	xid   uint32
	start time.Time
	count int // packets sent

	offer, proxy         *reply
	priority, proxyPrio  int8
	noPXE                bool
	proxyServer, leaseIP netip.Addr
}

// Boot runs DHCP as iPXE's autoboot does. A round takes up to 32 seconds.
func (x *IPXE) Boot(ctx context.Context, w Wire) (*Result, error) {
	s := newSession("iPXE", &x.Machine, w)
	var err error
	for range max(x.Rounds, 1) {
		st := &ipxeState{session: s, ipxe: x, xid: s.rng.Uint32(), start: time.Now(), leaseIP: netip.Addr{}}
		var r *Result
		if r, err = st.round(ctx); err == nil {
			return s.done(r, st.leaseIP), nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
	}
	return nil, err
}

func (s *ipxeState) round(ctx context.Context) (*Result, error) {
	if err := s.discover(ctx); err != nil {
		return nil, err
	}
	ack, err := s.request(ctx)
	if err != nil {
		return nil, err
	}
	proxy, via := s.proxy, ViaOffer
	if s.noPXE {
		proxy = nil
	}
	if proxy != nil && !hasPXEOptions(proxy) {
		if proxy, err = s.askProxy(ctx); err != nil {
			return nil, err
		}
		via = ViaPort4011
	}
	return s.boot(ctx, ack, proxy, via)
}

// packet builds any of iPXE's requests. Its secs field is the number of
// packets so far and whether there are offers, not a time.
func (s *ipxeState) packet(xid uint32, kind byte, extra ...Option) *Packet {
	x := s.ipxe
	s.count++
	p := s.session.request(xid, 0)
	p.Secs = uint16(s.count << 2)
	if s.offer != nil {
		p.Secs |= 2
	}
	if s.proxy != nil {
		p.Secs |= 1
	}
	if x.HasAddress || s.leaseIP.IsValid() {
		p.Flags, p.CIAddr = flagBroadcast, s.leaseIP
	}
	p.Add(OptMessageType, kind)
	p.Add(OptMaxSize, uint16Bytes(1472)...)
	p.Add(OptArch, uint16Bytes(x.Arch)...)
	if x.EFI {
		p.Add(OptInterface, 1, 3, 10)
	} else {
		p.Add(OptInterface, 1, 2, 1)
	}
	p.Add(OptVendorClass, []byte(x.vendorClass())...)
	p.Add(OptUserClass, []byte(x.userClass())...)
	p.Add(OptParameters, 1, 3, 6, 7, 12, 15, 17, 26, 43, 60, 66, 67, 119, 128, 129, 130, 131, 132, 133,
		134, 135, 175, 203)
	p.Add(OptIPXE, x.features()...)
	p.Add(OptClientID, append([]byte{1}, s.wire.HardwareAddr()...)...)
	if x.UUID != nil {
		p.Add(OptMachineID, machineID(x.UUID)...)
	}
	p.Options = append(p.Options, extra...)
	return p
}

func (x *IPXE) userClass() string {
	if x.UserClass != "" {
		return x.UserClass
	}
	return "iPXE"
}

func (x *IPXE) vendorClass() string {
	if x.VendorClass != "" {
		return x.VendorClass
	}
	undi := "002001"
	if x.EFI {
		undi = "003010"
	}
	return fmt.Sprintf("PXEClient:Arch:%05d:UNDI:%s", x.Arch, undi)
}

// features encodes option 175 in the order of the build.
func (x *IPXE) features() []byte {
	b := []byte{0xb1, 5, 1, 0x1a, 0xf4, 0x10, 0, 0xeb, 3, 1, 0, 0}
	tags := []byte{23, 34, 19, 17, 39, 25, 41, 16, 33, 21, 24, 18}
	if x.EFI {
		tags = []byte{23, 36, 19, 17, 39, 41, 21, 18}
	}
	for _, t := range tags {
		if t == 19 && x.NoHTTP {
			continue
		}
		version := byte(1)
		if t == 16 {
			version = 2 // PXE extensions are in their second version.
		}
		b = append(b, t, 1, version)
	}
	return b
}

// backoff sends what build returns until take is satisfied. Every wait is
// twice the one before; after limit the second result is false.
func (s *ipxeState) backoff(ctx context.Context, first time.Duration, dst netip.AddrPort, build func() *Packet,
	take func(*reply) bool, limit func() bool,
) (bool, error) {
	for wait := first; wait <= ipxeMax; wait *= 2 {
		p := build()
		s.send(portClient, dst, p)
		ok, err := s.listen(ctx, time.Now().Add(wait), portClient, p.XID, take)
		if ok || err != nil {
			return ok, err
		}
		if limit() {
			return false, nil
		}
	}
	return false, nil
}

// discover ends when there is an address, and a proxy or two seconds gone.
func (s *ipxeState) discover(ctx context.Context) error {
	enough := func() bool {
		return s.offer != nil && (s.noPXE || s.proxy != nil || time.Since(s.start) > ipxeProxyWait)
	}
	_, err := s.backoff(ctx, ipxeDiscoverMin, everybody(), func() *Packet { return s.packet(s.xid, Discover) },
		func(r *reply) bool {
			s.consider(r)
			return enough()
		}, func() bool { return s.offer != nil && time.Since(s.start) > ipxeProxyWait })
	if err == nil && s.offer == nil {
		err = s.fail("040ee1", "no configuration methods succeeded: no DHCP offer")
	}
	return err
}

// consider may make a packet the offer, the proxy's offer, both or neither.
// Of equal priority the last one wins.
func (s *ipxeState) consider(r *reply) {
	priority := int8(0)
	if v := ipxeOption(r, ipxePriority); len(v) == 1 {
		priority = int8(v[0])
	}
	taken := false
	if r.YIAddr.IsValid() && r.src.Port() == portServer && (r.Type() == Offer || r.Type() == 0) &&
		(s.offer == nil || priority >= s.priority) {
		s.offer, s.priority, taken = r, priority, true
		v := ipxeOption(r, ipxeNoPXE)
		s.noPXE = len(v) == 1 && v[0] != 0
	}
	if bytes.HasPrefix(r.Get(OptVendorClass), []byte("PXEClient")) && (s.proxy == nil || priority >= s.proxyPrio) {
		s.proxy, s.proxyPrio, s.proxyServer, taken = r, priority, pseudoID(r), true
	}
	if !taken {
		s.refuse(r, "neither an address nor a PXEClient of enough priority")
	}
}

// request obtains the address.
func (s *ipxeState) request(ctx context.Context) (*reply, error) {
	var ack *reply
	ok, err := s.backoff(ctx, ipxeRequestMin, everybody(), func() *Packet {
		return s.packet(s.xid, Request, Option{OptServerID, s.offer.ServerID().AsSlice()},
			Option{OptRequested, s.offer.YIAddr.AsSlice()})
	}, func(r *reply) bool {
		if r.src.Port() != portServer || r.Type() != 0 && r.Type() != Ack ||
			r.ServerID() != s.offer.ServerID() || r.YIAddr != s.offer.YIAddr {
			s.refuse(r, "not the acknowledgement of the offer")
			return false
		}
		ack = r
		return true
	}, func() bool { return false })
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, s.fail("040ee1", "no configuration methods succeeded: no acknowledgement")
	}
	s.leaseIP = ack.YIAddr
	bits := 24
	if m := ack.Get(OptSubnetMask); len(m) == 4 {
		bits = netmaskBits(m)
	}
	s.wire.Configure(netip.PrefixFrom(ack.YIAddr, bits), ack.addr(OptRouter))
	return ack, nil
}

// askProxy asks port 4011 for at most two seconds; nothing is no failure.
func (s *ipxeState) askProxy(ctx context.Context) (*reply, error) {
	start := time.Now()
	var got *reply
	_, err := s.backoff(ctx, ipxeRequestMin, netip.AddrPortFrom(s.proxyServer, portBoot), func() *Packet {
		return s.packet(s.xid, Request, Option{OptServerID, s.proxyServer.AsSlice()})
	}, func(r *reply) bool {
		if r.src.Port() != portBoot || r.Type() != Offer && r.Type() != Ack ||
			pseudoID(r) != s.proxyServer || !hasPXEOptions(r) {
			s.refuse(r, "not a useful answer of %v:4011", s.proxyServer)
			return false
		}
		got = r
		return true
	}, func() bool { return time.Since(start) > ipxeProxyWait })
	return got, err
}

// boot looks for a menu, then for a file name. Settings of equal priority
// rank in the order of their registration, so that a file name of the address
// server hides the proxy's, unless the proxy's option 175.1 is higher.
func (s *ipxeState) boot(ctx context.Context, ack, proxy *reply, via Via) (*Result, error) {
	if proxy != nil {
		if v, _ := parseVendor(proxy.Get(OptVendor)); v != nil && len(v.menu) > 0 &&
			(!v.skips() || proxy.BootFile() == "") && string(proxy.Get(OptVendorClass)) == "PXEClient" {
			return s.bootMenu(ctx, v, proxy, func(kind uint16) *Packet {
				return s.packet(0, Request, Option{OptVendor, bootItem(kind, 0)})
			}, portClient)
		}
	}
	switch {
	case proxy != nil && proxy.BootFile() != "" && (ack.BootFile() == "" || s.outranks(proxy, ack)):
		return &Result{Server: proxy.SIAddr, File: proxy.BootFile(), Via: via, Reply: proxy.Packet}, nil
	case ack.BootFile() != "":
		return &Result{Server: ack.SIAddr, File: ack.BootFile(), Via: ViaAddressServer, Reply: ack.Packet}, nil
	}
	return nil, s.fail("2d0362", "nothing to boot: no filename")
}

func (s *ipxeState) outranks(a, b *reply) bool {
	rank := func(r *reply) int8 {
		if v := ipxeOption(r, ipxePriority); len(v) == 1 {
			return int8(v[0])
		}
		return 0
	}
	return rank(a) > rank(b)
}

// ipxeOption returns a sub-option of option 175.
func ipxeOption(r *reply, tag byte) []byte {
	opts, _ := parseOptions(r.Get(OptIPXE))
	for _, o := range opts {
		if o.Code == tag {
			return o.Value
		}
	}
	return nil
}

// pseudoID is what iPXE knows a server by: option 54, siaddr or the source.
func pseudoID(r *reply) netip.Addr {
	if id := bootServerOf(r); r.ServerID().IsValid() {
		return r.ServerID()
	} else if id.IsValid() {
		return id
	}
	return r.src.Addr()
}

// hasPXEOptions reports whether iPXE can boot from a proxy's packet without
// asking port 4011.
func hasPXEOptions(r *reply) bool {
	if r.SIAddr.IsValid() && r.BootFile() != "" {
		return true
	}
	v, _ := parseVendor(r.Get(OptVendor))
	return v != nil && v.has(tagMenu)
}
