package pxemodel_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/pxemodel"
)

// client is any of the models.
type client interface {
	Boot(ctx context.Context, w pxemodel.Wire) (*pxemodel.Result, error)
}

// lab is a network with an address server, 10.0.0.1, and room for others.
type lab struct {
	t       *testing.T
	net     *pxemodel.Network
	address *pxemodel.AddressServer
	ctx     context.Context //nolint:containedctx // The lab lives as long as its test.
	running sync.WaitGroup
}

// inLab runs fn in a bubble of virtual time with a lab in it.
func inLab(t *testing.T, faults pxemodel.Faults, fn func(l *lab)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		pool := netip.MustParsePrefix("10.0.0.0/24")
		l := &lab{t: t, net: pxemodel.NewNetwork(pool, faults), ctx: ctx}
		l.address = &pxemodel.AddressServer{Host: l.host("10.0.0.1"), Pool: pool}
		defer l.running.Wait()
		defer cancel()
		fn(l)
	})
}

// host attaches a server.
func (l *lab) host(addr string) *pxemodel.Host {
	a := netip.MustParseAddr(addr)
	return l.net.Attach(net.HardwareAddr{2, 0, 0, 1, 0, a.As4()[3]}, a, netip.Addr{})
}

// machine attaches a machine that was just switched on.
func (l *lab) machine(n byte) *pxemodel.Host {
	return l.net.Attach(net.HardwareAddr{0x52, 0x54, 0, 0x77, 0, n}, netip.Addr{}, netip.Addr{})
}

// serveAddresses starts the address server.
func (l *lab) serveAddresses() {
	l.running.Go(func() { l.address.Serve(l.ctx) })
}

// answer starts a server on a port of h.
func (l *lab) answer(h *pxemodel.Host, port uint16, fn func(*pxemodel.Packet, pxemodel.Datagram) [][]byte) {
	l.running.Go(func() { pxemodel.Answer(l.ctx, h, port, fn) })
}

// proxy starts a proxy at addr that answers every DISCOVER with what shape
// makes of a good offer, and every request to port 4011 likewise.
func (l *lab) proxy(addr string, shape func(req, reply *pxemodel.Packet)) *pxemodel.Host {
	h := l.host(addr)
	answer := func(kind byte, wants ...byte) func(*pxemodel.Packet, pxemodel.Datagram) [][]byte {
		return func(req *pxemodel.Packet, _ pxemodel.Datagram) [][]byte {
			if req.Type() != wants[0] && req.Type() != wants[len(wants)-1] {
				return nil
			}
			p := proxyReply(req, kind, h.Addr())
			shape(req, p)
			return [][]byte{p.Marshal(300)}
		}
	}
	l.answer(h, 67, answer(pxemodel.Offer, pxemodel.Discover))
	l.answer(h, 4011, answer(pxemodel.Ack, pxemodel.Request, pxemodel.Inform))
	return h
}

// proxyReply is a reply that every PXE client takes, without option 43.
func proxyReply(req *pxemodel.Packet, kind byte, server netip.Addr) *pxemodel.Packet {
	p := pxemodel.ReplyTo(req)
	p.SIAddr, p.SName, p.File = server, server.String(), "boot.nbp"
	p.Add(pxemodel.OptMessageType, kind)
	p.AddAddr(pxemodel.OptServerID, server)
	p.Add(pxemodel.OptVendorClass, []byte("PXEClient")...)
	if id := req.Get(pxemodel.OptMachineID); id != nil {
		p.Add(pxemodel.OptMachineID, id...)
	}
	return p
}

// requireFailure requires err to be a failure with code.
func requireFailure(t *testing.T, err error, code string) {
	t.Helper()
	var f *pxemodel.BootError
	require.ErrorAs(t, err, &f)
	require.Equal(t, code, f.Code, "%v", err)
}

// without removes an option.
func without(p *pxemodel.Packet, code byte) {
	kept := p.Options[:0]
	for _, o := range p.Options {
		if o.Code != code {
			kept = append(kept, o)
		}
	}
	p.Options = kept
}

func bios() *pxemodel.BIOS { return &pxemodel.BIOS{Machine: pxemodel.Machine{Arch: 0, UUID: uuid()}} }

func edk2() *pxemodel.EDK2 { return &pxemodel.EDK2{Machine: pxemodel.Machine{Arch: 7, UUID: uuid()}} }

func ipxe() *pxemodel.IPXE { return &pxemodel.IPXE{Machine: pxemodel.Machine{Arch: 0, UUID: uuid()}} }
func uuid() []byte         { return make([]byte, 16) }
func httpBoot() *pxemodel.HTTPBoot {
	return &pxemodel.HTTPBoot{Machine: pxemodel.Machine{Arch: 16, UUID: uuid()}}
}
