package dhcpproxy_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/internal/pxemodel"
)

// firmware is any of the client models.
type firmware interface {
	Boot(ctx context.Context, w pxemodel.Wire) (*pxemodel.Result, error)
}

// A simConn is a port of a host on a simulated network. It checks every reply
// for what is known to trip some firmware.
type simConn struct {
	*pxemodel.Socket

	t      *testing.T
	prefix netip.Prefix
	archs  *sync.Map // hardware address to architecture, of every machine that asked
}

func (c *simConn) ReadPacket(b []byte) (int, dhcpproxy.Path, error) {
	d, err := c.Read()
	if err != nil {
		return 0, dhcpproxy.Path{}, err
	}
	if p, err := pxemodel.Parse(d.Payload); err == nil {
		if arch := p.Get(pxemodel.OptArch); len(arch) == 2 {
			c.archs.Store(p.MAC.String(), binary.BigEndian.Uint16(arch))
		}
	}
	return copy(b, d.Payload), dhcpproxy.Path{Interface: 1, Local: d.Dst, Remote: d.Src}, nil
}

func (c *simConn) WritePacket(b []byte, p dhcpproxy.Path) error {
	arch, _ := c.archs.Load(net.HardwareAddr(b[28:34]).String())
	assert.Nil(c.t, pxemodel.Lint(b, arch.(uint16)), "reply to %v", p.Remote)
	want := pxemodel.Offer
	if c.Port() == 4011 {
		want = pxemodel.Ack
	}
	if reply, err := pxemodel.Parse(b); assert.NoError(c.t, err) {
		assert.Equal(c.t, want, reply.Type(), "a REQUEST on port 67 belongs to the address server")
	}
	if p.Local.IsValid() {
		assert.Equal(c.t, c.Port(), p.Local.Port(), "the reply must leave from the port that was asked")
	}
	return c.Write(b, p.Remote)
}

func (c *simConn) InterfaceByIndex(index int) (string, []netip.Prefix, error) {
	if index != 1 && index != 0 {
		return "", nil, errors.New("no such interface")
	}
	return "sim0", []netip.Prefix{c.prefix}, nil
}

// A site is a simulated network with an ordinary DHCP server, 10.0.0.1, and
// the proxy under test, 10.0.0.2.
type site struct {
	t       *testing.T
	ctx     context.Context //nolint:containedctx // The site lives as long as its test.
	net     *pxemodel.Network
	address *pxemodel.AddressServer
	running sync.WaitGroup
}

// atSite runs fn in a bubble of virtual time.
func atSite(t *testing.T, faults pxemodel.Faults, fn func(s *site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		pool := netip.MustParsePrefix("10.0.0.0/24")
		s := &site{t: t, ctx: ctx, net: pxemodel.NewNetwork(pool, faults)}
		s.address = &pxemodel.AddressServer{Host: s.host("10.0.0.1", netip.Addr{}), Pool: pool}
		defer s.running.Wait()
		defer cancel()
		fn(s)
	})
}

func (s *site) host(addr string, router netip.Addr) *pxemodel.Host {
	a := netip.MustParseAddr(addr)
	return s.net.Attach(net.HardwareAddr{2, 0, 0, 1, 0, a.As4()[3]}, a, router)
}

func (s *site) machine(n byte) *pxemodel.Host {
	return s.net.Attach(net.HardwareAddr{0x52, 0x54, 0, 0x77, 0, n}, netip.Addr{}, netip.Addr{})
}

func (s *site) serveAddresses() {
	s.running.Go(func() { s.address.Serve(s.ctx) })
}

// serveProxy runs a server with policy h on both ports of a host.
func (s *site) serveProxy(host *pxemodel.Host, h dhcpproxy.Handler, opts ...dhcpproxy.Option) *dhcpproxy.Server {
	srv, err := dhcpproxy.NewServer(h, opts...)
	require.NoError(s.t, err)
	archs := new(sync.Map)
	for _, port := range []uint16{67, 4011} {
		conn := &simConn{host.Listen(port), s.t, netip.PrefixFrom(host.Addr(), 24), archs}
		s.running.Go(func() {
			assert.NoError(s.t, srv.Serve(s.ctx, conn))
			assert.NoError(s.t, conn.Close())
		})
	}
	return srv
}

// A modelRow is one client of the reply matrix and how it has to boot.
type modelRow struct {
	name  string
	model func(seed uint64) firmware
	mac   net.HardwareAddr // nil for 52:54:00:77:00:01
	want  string           // the URL that it boots
	via   pxemodel.Via

	impatient bool // waits for a proxy for a short time only
}

func modelRows() []modelRow {
	machine := func(arch uint16, seed uint64) pxemodel.Machine {
		return pxemodel.Machine{Arch: arch, UUID: make([]byte, 16), Seed: seed}
	}
	bios := func(b pxemodel.BIOS) func(uint64) firmware {
		return func(seed uint64) firmware { b.Machine = machine(0, seed); return &b }
	}
	edk2 := func(arch uint16, e pxemodel.EDK2) func(uint64) firmware {
		return func(seed uint64) firmware { e.Machine = machine(arch, seed); return &e }
	}
	ipxe := func(arch uint16, x pxemodel.IPXE) func(uint64) firmware {
		return func(seed uint64) firmware { x.Machine = machine(arch, seed); x.EFI = arch != 0; return &x }
	}
	web := func(arch uint16) func(uint64) firmware {
		return func(seed uint64) firmware { return &pxemodel.HTTPBoot{Machine: machine(arch, seed)} }
	}
	pi := func(rom bool, id string) func(uint64) firmware {
		return func(seed uint64) firmware {
			return &pxemodel.RaspberryPi{Machine: pxemodel.Machine{UUID: []byte((id + "0123456789abcdef")[:16]), Seed: seed}, ROM: rom}
		}
	}
	const (
		dir    = "52:54:00:77:00:01/"
		script = "http://10.0.0.2/script/52:54:00:77:00:01"
		files  = "tftp://10.0.0.2/" + dir
	)
	chained := pxemodel.IPXE{UserClass: "Tinkerbell", VendorClass: "PXEClient", HasAddress: true, Rounds: 10}
	return []modelRow{
		{"A BIOS", bios(pxemodel.BIOS{}), nil, files + "undionly.kpxe", pxemodel.ViaOffer, false},
		{"A BIOS that asks anyway", bios(pxemodel.BIOS{AsksAnyway: true}), nil, files + "undionly.kpxe", pxemodel.ViaPort4011, false},
		{"A BIOS that informs", bios(pxemodel.BIOS{AsksAnyway: true, Informs: true}), nil, files + "undionly.kpxe", pxemodel.ViaPort4011, false},
		{"A BIOS with boot item", bios(pxemodel.BIOS{AsksAnyway: true, SendsItem: true}), nil, files + "undionly.kpxe", pxemodel.ViaPort4011, false},
		{"B EDK2 x64", edk2(7, pxemodel.EDK2{}), nil, files + "ipxe.efi", pxemodel.ViaPort4011, false},
		{"B EDK2 x64 as 9", edk2(9, pxemodel.EDK2{}), nil, files + "ipxe.efi", pxemodel.ViaPort4011, false},
		{"B EDK2 arm64", edk2(11, pxemodel.EDK2{}), nil, files + "snp.efi", pxemodel.ViaPort4011, false},
		{"B old EDK2", edk2(7, pxemodel.EDK2{DropsPXE10: true}), nil, files + "ipxe.efi", pxemodel.ViaPort4011, false},
		{"C iPXE with HTTP", ipxe(0, pxemodel.IPXE{}), nil, script, pxemodel.ViaOffer, true},
		{"C iPXE with HTTP, EFI", ipxe(7, pxemodel.IPXE{}), nil, script, pxemodel.ViaOffer, true},
		{"C iPXE without HTTP", ipxe(0, pxemodel.IPXE{NoHTTP: true}), nil, files + "undionly.kpxe", pxemodel.ViaOffer, true},
		{"D marked iPXE", ipxe(7, chained), nil, script, pxemodel.ViaOffer, true},
		{"E HTTP x64", web(16), nil, "http://10.0.0.2/boot/" + dir + "ipxe.efi", pxemodel.ViaOffer, false},
		{"E HTTP arm64", web(19), nil, "http://10.0.0.2/boot/" + dir + "snp.efi", pxemodel.ViaOffer, false},
		{"F Pi 3", pi(true, ""), net.HardwareAddr{0xb8, 0x27, 0xeb, 1, 2, 3}, "tftp://10.0.0.2/", pxemodel.ViaOffer, false},
		{"F Pi 4", pi(false, "RPi4"), net.HardwareAddr{0xdc, 0xa6, 0x32, 1, 2, 3}, "tftp://10.0.0.2/", pxemodel.ViaOffer, false},
		{
			"G U-Boot", func(seed uint64) firmware { return &pxemodel.UBoot{Machine: machine(22, seed)} },
			nil, files + "snp.efi", pxemodel.ViaOffer, true,
		},
	}
}

// at attaches the row's machine.
func (r *modelRow) at(s *site) *pxemodel.Host {
	if r.mac == nil {
		return s.machine(1)
	}
	return s.net.Attach(r.mac, netip.Addr{}, netip.Addr{})
}

// everyone is the usual policy, for all machines.
func everyone() *dhcpproxy.Chainload {
	return &dhcpproxy.Chainload{
		Known: func(context.Context, *dhcpproxy.Request) (bool, error) { return true, nil },
		Program: func(req *dhcpproxy.Request) (string, int64, bool) {
			switch {
			case req.Client == dhcpproxy.ClientRaspberryPi:
				return "", 0, true
			case req.Arch == dhcpproxy.ArchX86BIOS:
				return "undionly.kpxe", 70000, true
			case slices.Contains([]uint16{11, 19, 22}, uint16(req.Arch)):
				return "snp.efi", 900000, true
			default:
				return "ipxe.efi", 1000000, true
			}
		},
		Script: func(req *dhcpproxy.Request) string {
			return fmt.Sprintf("http://%v/script/%v", req.Server, req.MAC)
		},
		HTTPBase: func(req *dhcpproxy.Request) string { return fmt.Sprintf("http://%v/boot", req.Server) },
	}
}

// TestModelsBoot boots every row of the reply matrix on networks good and bad,
// with twenty seeds each. The number of boots is that of the seeds, not a
// matter of luck: EDK2 gives up when four exchanges in a row are lost, iPXE
// when none succeeds within two seconds, U-Boot within a tenth of a second.
func TestModelsBoot(t *testing.T) {
	t.Parallel()

	const seeds = 20
	networks := []struct {
		name               string
		faults             pxemodel.Faults
		patient, impatient int // least number of boots
	}{
		{"perfect network", pxemodel.Faults{}, seeds, seeds},
		{"5 % loss", pxemodel.Faults{Loss: 0.05}, seeds, 16},
		{"20 % loss", pxemodel.Faults{Loss: 0.2}, 17, 9},
		{"duplicates", pxemodel.Faults{Duplicate: 0.5}, seeds, seeds},
		{"reordering", pxemodel.Faults{Reorder: 0.5}, seeds, seeds},
		{"slow", pxemodel.Faults{Delay: 20 * time.Millisecond}, seeds, seeds},
		{"all at once", pxemodel.Faults{Loss: 0.1, Duplicate: 0.3, Reorder: 0.3}, seeds, 15},
	}
	for _, n := range networks {
		for _, r := range modelRows() {
			t.Run(n.name+"/"+r.name, func(t *testing.T) {
				t.Parallel()

				boots := 0
				for seed := range uint64(seeds) {
					faults := n.faults // Shared by the rows.
					faults.Seed = seed
					if r.boots(t, faults) {
						boots++
					}
				}
				least := n.patient
				if r.impatient {
					least = n.impatient
				}
				assert.GreaterOrEqual(t, boots, least)
			})
		}
	}
}

// boots runs the row once. Every request that reached the proxy must have been
// answered, and a machine that boots must boot the right thing.
func (r *modelRow) boots(t *testing.T, faults pxemodel.Faults) bool {
	t.Helper()
	booted := false
	atSite(t, faults, func(s *site) {
		t := s.t
		s.serveAddresses()
		srv := s.serveProxy(s.host("10.0.0.2", netip.Addr{}), everyone())
		res, err := r.model(faults.Seed).Boot(s.ctx, r.at(s))
		synctest.Wait()
		requireAllAnswered(t, srv.Stats())
		booted = err == nil
		if !booted {
			require.Positive(t, faults.Loss, "%v", err)
			return
		}
		assert.Equal(t, r.want, res.URL(), "%v", res.Trace)
		if faults.Loss == 0 && faults.Reorder == 0 {
			assert.Equal(t, r.via, res.Via, "%v", res.Trace)
		}
	})
	return booted
}

// requireAllAnswered requires that nothing was ignored but what belongs to the
// address server.
func requireAllAnswered(t *testing.T, st dhcpproxy.Stats) {
	t.Helper()
	require.Equal(t, st.Received, st.Offers+st.Acks+st.Ignored[dhcpproxy.ReasonOtherServer])
	delete(st.Ignored, dhcpproxy.ReasonOtherServer)
	require.Empty(t, st.Ignored)
}
