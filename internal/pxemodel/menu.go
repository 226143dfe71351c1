package pxemodel

import (
	"context"
	"encoding/binary"
	"net/netip"
	"time"
)

// bootMenu takes the first item of a menu, as all firmware does when nobody
// presses a key, and asks its boot servers for the file.
func (s *session) bootMenu(ctx context.Context, v *vendor, info *reply, request func(kind uint16) *Packet, port uint16) (*Result, error) {
	kind := v.menu[0].kind
	s.trace.Note("  menu: takes %q", v.menu[0].text)
	if kind == 0 {
		return nil, s.fail("LOCAL", "the menu says to boot from the local disk")
	}
	req := request(kind)
	for _, server := range v.bootServers(kind, info) {
		to := netip.AddrPortFrom(server, portBoot)
		if server == everybody().Addr() {
			to = everybody()
		}
		var got *reply
		for _, wait := range seconds(1, 2, 3, 4) {
			s.send(port, to, req)
			_, err := s.listen(ctx, time.Now().Add(wait), port, req.XID, func(r *reply) bool {
				switch {
				case r.Type() != Ack:
					s.refuse(r, "message type %d is not an acknowledgement", r.Type())
				case !echoes(r, kind):
					s.refuse(r, "the boot item is not echoed")
				case r.BootFile() == "":
					s.refuse(r, "no boot file")
				default:
					got = r
				}
				return got != nil
			})
			if err != nil {
				return nil, err
			}
			if got != nil {
				return &Result{Server: bootServerOf(got), File: got.BootFile(), Via: ViaBootServer, Reply: got.Packet}, nil
			}
		}
	}
	return nil, s.fail("PXE-E55", "no boot server replied")
}

// bootServers lists where to ask for an item: the broadcast address unless
// that is forbidden, then the addresses listed for it.
func (v *vendor) bootServers(kind uint16, info *reply) []netip.Addr {
	var to []netip.Addr
	if v.control()&controlNoBroadcast == 0 {
		to = append(to, everybody().Addr())
	}
	for _, s := range v.servers {
		if s.kind == kind {
			to = append(to, s.addrs...)
		}
	}
	if len(v.servers) == 0 && v.control()&controlOnlyListed == 0 {
		to = append(to, bootServerOf(info))
	}
	return to
}

// echoes reports whether a reply carries boot item kind (option 43.71).
func echoes(r *reply, kind uint16) bool {
	v, _ := parseVendor(r.Get(OptVendor))
	if v == nil {
		return false
	}
	item := v.tags[tagBootItem]
	return len(item) == 4 && binary.BigEndian.Uint16(item) == kind
}
