package pxemodel

import (
	"context"
	"strings"
	"time"
)

// RaspberryPi is the boot ROM or the EEPROM boot loader of a Raspberry Pi. It
// needs no file name, only a server, and knows it by the text of a menu.
type RaspberryPi struct {
	Machine

	// ROM models the boot ROM of the Pi 3: it misreads the length of the
	// menu's text and needs three spaces behind it, and it takes the address
	// of an offer without a REQUEST.
	ROM bool
}

// Boot runs the loader until it knows its server. It takes up to 25 seconds.
func (p *RaspberryPi) Boot(ctx context.Context, w Wire) (*Result, error) {
	s := newSession("Raspberry Pi", &p.Machine, w)
	xid := s.rng.Uint32()
	var offer, info *reply
	for range 5 {
		s.send(portClient, everybody(), p.request(s, xid, Discover))
		_, err := s.listen(ctx, time.Now().Add(5*time.Second), portClient, xid, func(r *reply) bool {
			if r.src.Port() != portServer || r.Type() != Offer || r.Hops != 0 {
				s.refuse(r, "not an offer from port 67 with hops 0")
				return false
			}
			if r.YIAddr.IsValid() && offer == nil {
				offer = r
			}
			if p.wants(r) {
				info = r
			}
			return offer != nil && info != nil
		})
		if err != nil {
			return nil, err
		}
		if offer != nil && info != nil {
			break
		}
	}
	if offer == nil || info == nil {
		return nil, s.fail("timeout", "no server with the menu of a Raspberry Pi")
	}
	r := &Result{Server: bootServerOf(info), Via: ViaOffer, Reply: info.Packet}
	if p.ROM {
		return s.done(r, offer.YIAddr), nil
	}
	ack, _, err := s.lease(ctx, func(extra ...Option) *Packet {
		q := p.request(s, xid, Request)
		q.Options = append(q.Options, extra...)
		return q
	}, offer, seconds(4, 4, 4, 4))
	if err != nil {
		return nil, err
	}
	if ack == nil {
		return nil, s.fail("timeout", "no acknowledgement")
	}
	return s.done(r, ack.YIAddr), nil
}

func (p *RaspberryPi) request(s *session, xid uint32, kind byte) *Packet {
	q := s.request(xid, 0)
	q.Add(OptMessageType, kind)
	q.Add(OptParameters, OptVendor, OptVendorClass, OptServerName, OptBootFile, 128, 129, 130, 131, 132, 133, 134, 135)
	q.Add(OptArch, uint16Bytes(p.Arch)...)
	q.Add(OptInterface, 1, 2, 1)
	if p.UUID != nil {
		q.Add(OptMachineID, machineID(p.UUID)...)
	}
	q.Add(OptVendorClass, []byte("PXEClient:Arch:00000:UNDI:002001")...)
	return q
}

// wants reports whether the offer has the menu that the loader looks for.
func (p *RaspberryPi) wants(r *reply) bool {
	v, err := parseVendor(r.Get(OptVendor))
	if string(r.Get(OptVendorClass)) != "PXEClient" || v == nil || err != nil || !v.has(tagPrompt) {
		return false
	}
	text := "Raspberry Pi Boot"
	if p.ROM {
		text += "   "
	}
	for _, item := range v.menu {
		if strings.HasPrefix(item.text, text) {
			return bootServerOf(r).IsValid()
		}
	}
	return false
}
