package pxemodel

import (
	"context"
	"net/netip"
	"time"
)

// ubootProxyWait is how long U-Boot waits for a proxy once it has an address
// (CONFIG_SERVERIP_FROM_PROXYDHCP_DELAY_MS).
const ubootProxyWait = 100 * time.Millisecond

// UBoot is U-Boot built to take its server from a proxy
// (CONFIG_SERVERIP_FROM_PROXYDHCP). It reads no option 43 and never asks port
// 4011.
type UBoot struct {
	Machine

	VendorClass string // option 60; empty says "U-Boot.armv8"
}

// Boot runs U-Boot's dhcp command. It takes up to 15 seconds.
func (u *UBoot) Boot(ctx context.Context, w Wire) (*Result, error) {
	s := newSession("U-Boot", &u.Machine, w)
	xid := s.rng.Uint32()
	var offer, proxy *reply
	take := func(r *reply) bool {
		switch {
		case r.src.Port() != portServer || r.Type() != Offer:
			s.refuse(r, "not an offer from port 67")
		case !r.YIAddr.IsValid():
			proxy = r
		case offer == nil:
			offer = r
		}
		return offer != nil
	}
	wait := 250 * time.Millisecond
	for range 10 {
		s.send(portClient, everybody(), u.request(s, xid, Discover))
		ok, err := s.listen(ctx, time.Now().Add(wait), portClient, xid, take)
		if err != nil {
			return nil, err
		}
		if ok {
			break
		}
		wait = min(2*wait, 2*time.Second)
	}
	if offer == nil {
		return nil, s.fail("retry", "retry time exceeded")
	}
	if _, err := s.listen(ctx, time.Now().Add(ubootProxyWait), portClient, xid, func(r *reply) bool {
		take(r)
		return false
	}); err != nil {
		return nil, err
	}
	ack, _, err := s.lease(ctx, func(extra ...Option) *Packet {
		q := u.request(s, xid, Request)
		q.Options = append(q.Options, extra...)
		return q
	}, offer, seconds(1, 2, 2, 2))
	if err != nil {
		return nil, err
	}
	if ack == nil {
		return nil, s.fail("retry", "retry time exceeded")
	}
	return u.choose(s, ack, proxy)
}

func (u *UBoot) choose(s *session, ack, proxy *reply) (*Result, error) {
	info, via := ack, ViaAddressServer
	if proxy != nil {
		info, via = proxy, ViaOffer
	}
	server := info.SIAddr
	if a, err := netip.ParseAddr(cutNUL(info.Get(OptServerName))); err == nil {
		server = a
	}
	if info.BootFile() == "" || !server.IsValid() {
		return nil, s.fail("nofile", "no boot file or no server")
	}
	return s.done(&Result{Server: server, File: info.BootFile(), Via: via, Reply: info.Packet}, ack.YIAddr), nil
}

func (u *UBoot) request(s *session, xid uint32, kind byte) *Packet {
	class := u.VendorClass
	if class == "" {
		class = "U-Boot.armv8"
	}
	q := s.request(xid, 0)
	q.Add(OptMessageType, kind)
	q.Add(OptMaxSize, uint16Bytes(576)...)
	q.Add(OptArch, uint16Bytes(u.Arch)...)
	q.Add(OptInterface, 1, 0, 0)
	if u.UUID != nil {
		q.Add(OptMachineID, machineID(u.UUID)...)
	}
	q.Add(OptVendorClass, []byte(class)...)
	q.Add(OptParameters, OptSubnetMask, OptRouter, OptDNS, 12, 15, 17, OptServerName, OptBootFile)
	return q
}
