package pxemodel

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"time"
)

// HTTPBoot is the HTTP boot driver of EDK2 (UEFI 2.10 §24.7).
type HTTPBoot struct {
	Machine

	// HTTPSOnly refuses http URLs, as EDK2 does by default and OVMF does not.
	HTTPSOnly bool
}

// httpOffers is what the driver remembers of the discovery, the first of each.
type httpOffers struct {
	dhcpURI, dhcpName   *reply // an address and a URL with an IP literal or a host name
	dhcpDNS, dhcpOnly   *reply // an address with and without a name server
	proxyURI, proxyName *reply
}

// Boot runs the driver until it knows its URL. It takes up to a minute.
func (h *HTTPBoot) Boot(ctx context.Context, w Wire) (*Result, error) {
	s := newSession("HTTP boot", &h.Machine, w)
	xid := s.rng.Uint32()
	var o httpOffers
	var offer, info *reply
	for _, wait := range seconds(4, 8, 16, 32) {
		s.send(portClient, everybody(), h.request(s, xid, Discover))
		_, err := s.listen(ctx, time.Now().Add(wait), portClient, xid, func(r *reply) bool {
			if err := o.add(r, h.HTTPSOnly); err != nil {
				s.refuse(r, "%v", err)
			}
			return false
		})
		if err != nil {
			return nil, err
		}
		if offer, info = o.choose(); offer != nil {
			break
		}
	}
	if offer == nil {
		return nil, s.fail("HTTP-E16", "no valid offer received")
	}
	ack, _, err := s.lease(ctx, func(extra ...Option) *Packet {
		return h.request(s, xid, Request, extra...)
	}, offer, seconds(4, 8, 16, 32))
	if err != nil {
		return nil, err
	}
	if ack == nil {
		return nil, s.fail("HTTP-E18", "server response timeout")
	}
	via := ViaOffer
	if info == offer {
		via = ViaAddressServer
	}
	return s.done(&Result{File: info.BootFile(), Via: via, Reply: info.Packet}, ack.YIAddr), nil
}

func (h *HTTPBoot) request(s *session, xid uint32, kind byte, extra ...Option) *Packet {
	p := s.request(xid, flagBroadcast)
	p.Add(OptMessageType, kind)
	p.Options = append(p.Options, extra...)
	p.Add(OptMaxSize, uint16Bytes(1472)...)
	p.Add(OptParameters, 1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51,
		54, 58, 59, 60, 235, 67, 97)
	if h.UUID != nil {
		p.Add(OptMachineID, machineID(h.UUID)...)
	}
	p.Add(OptInterface, 1, 3, 0)
	p.Add(OptArch, uint16Bytes(h.Arch)...)
	p.Add(OptVendorClass, fmt.Appendf(nil, "HTTPClient:Arch:%05d:UNDI:003000", h.Arch)...)
	return p
}

// add sorts an offer in, or says why it is refused.
func (o *httpOffers) add(r *reply, httpsOnly bool) error {
	if r.src.Port() != portServer || r.Type() != Offer || !r.ServerID().IsValid() {
		return fmt.Errorf("not an offer with option 54 from port 67")
	}
	if err := edk2Valid(r.Packet); err != nil {
		return err
	}
	keep := func(slot **reply) error {
		if *slot == nil {
			*slot = r
		}
		return nil
	}
	if bytes.HasPrefix(r.Get(OptVendorClass), []byte("HTTPClient")) {
		u, err := url.Parse(r.BootFile())
		if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || httpsOnly) {
			return fmt.Errorf("boot file %q is not a URL that may be used", r.BootFile())
		}
		_, err = netip.ParseAddr(u.Hostname())
		switch literal := err == nil; {
		case r.YIAddr.IsValid() && literal:
			return keep(&o.dhcpURI)
		case r.YIAddr.IsValid():
			return keep(&o.dhcpName)
		case literal:
			return keep(&o.proxyURI)
		default:
			return keep(&o.proxyName)
		}
	}
	switch {
	case !r.YIAddr.IsValid():
		return fmt.Errorf("neither an address nor HTTPClient")
	case r.Has(OptDNS):
		return keep(&o.dhcpDNS)
	default:
		return keep(&o.dhcpOnly)
	}
}

// choose applies the driver's order of preference to the offers: who gives
// the address, and who the URL.
func (o *httpOffers) choose() (offer, info *reply) {
	switch {
	case o.dhcpURI != nil:
		return o.dhcpURI, o.dhcpURI
	case o.dhcpName != nil && o.dhcpName.Has(OptDNS):
		return o.dhcpName, o.dhcpName
	case o.dhcpOnly != nil && o.proxyURI != nil:
		return o.dhcpOnly, o.proxyURI
	case o.dhcpDNS != nil && o.proxyURI != nil:
		return o.dhcpDNS, o.proxyURI
	case o.dhcpDNS != nil && o.proxyName != nil:
		return o.dhcpDNS, o.proxyName
	}
	return nil, nil
}
