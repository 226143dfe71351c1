package dhcpproxy_test

import (
	"context"
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

// eachRow runs fn for every row of the matrix, at a site of its own.
func eachRow(t *testing.T, fn func(s *site, r modelRow)) {
	t.Helper()
	for _, r := range modelRows() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			atSite(t, pxemodel.Faults{}, func(s *site) { fn(s, r) })
		})
	}
}

// requireBoots boots the row's machine and requires its URL.
func (r *modelRow) requireBoots(s *site, m *pxemodel.Host) *pxemodel.Result {
	s.t.Helper()
	res, err := r.model(0).Boot(s.ctx, m)
	require.NoError(s.t, err)
	require.Equal(s.t, r.want, res.URL(), "%v", res.Trace)
	return res
}

// TestModelsBootWithDirect is row B' of the matrix.
func TestModelsBootWithDirect(t *testing.T) {
	t.Parallel()

	eachRow(t, func(s *site, r modelRow) {
		policy := everyone()
		policy.Direct = func(*dhcpproxy.Request) bool { return true }
		s.serveAddresses()
		s.serveProxy(s.host("10.0.0.2", netip.Addr{}), policy)
		if r.name == "B old EDK2" {
			_, err := r.model(0).Boot(s.ctx, s.machine(1))
			require.ErrorContains(s.t, err, "PXE-E16", "this firmware must not be told to go on directly")
			return
		}
		res := r.requireBoots(s, r.at(s))
		if r.name[0] == 'B' {
			assert.Equal(s.t, pxemodel.ViaOffer, res.Via)
		}
	})
}

// TestModelsBootWithSlowHandler takes as long as a handler may, and once for
// each machine longer.
func TestModelsBootWithSlowHandler(t *testing.T) {
	t.Parallel()

	slow := func(delay func(call int) time.Duration) dhcpproxy.Handler {
		var mu sync.Mutex
		calls := 0
		return dhcpproxy.HandlerFunc(func(ctx context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
			mu.Lock()
			calls++
			wait := delay(calls)
			mu.Unlock()
			time.Sleep(wait)
			return everyone().Offer(ctx, req)
		})
	}
	t.Run("700 ms", func(t *testing.T) {
		t.Parallel()

		eachRow(t, func(s *site, r modelRow) {
			s.serveAddresses()
			srv := s.serveProxy(s.host("10.0.0.2", netip.Addr{}), slow(func(int) time.Duration { return 700 * time.Millisecond }))
			if r.name[0] == 'G' { // U-Boot waits for a tenth of a second.
				_, err := r.model(0).Boot(s.ctx, r.at(s))
				require.Error(s.t, err)
				return
			}
			r.requireBoots(s, r.at(s))
			requireAllAnswered(s.t, srv.Stats())
		})
	})
	t.Run("first call too slow", func(t *testing.T) {
		t.Parallel()

		eachRow(t, func(s *site, r modelRow) {
			s.serveAddresses()
			srv := s.serveProxy(s.host("10.0.0.2", netip.Addr{}), slow(func(call int) time.Duration {
				if call == 1 {
					return 5 * time.Second
				}
				return 0
			}))
			if r.name[0] == 'G' {
				return // Covered by the case above.
			}
			r.requireBoots(s, r.at(s))
			assert.Equal(s.t, uint64(1), srv.Stats().Ignored[dhcpproxy.ReasonHandlerTimeout])
			time.Sleep(5 * time.Second) // A bubble has to see the handler return.
		})
	})
}

// TestModelsBootThroughRelay boots machines behind a router with a relay agent
// that passes no reply on without its option 82, and that in one case wants to
// be named in option 54. The second request of the firmware, to port 4011, is
// routed.
func TestModelsBootThroughRelay(t *testing.T) {
	t.Parallel()

	for _, override := range []bool{false, true} {
		t.Run(fmt.Sprintf("override %v", override), func(t *testing.T) {
			t.Parallel()

			eachRow(t, func(s *site, r modelRow) { bootThroughRelay(s, r, override) })
		})
	}
}

func bootThroughRelay(s *site, r modelRow, override bool) {
	far, router := netip.MustParsePrefix("10.1.0.0/24"), netip.MustParseAddr("10.0.0.254")
	giaddr := netip.MustParseAddr("10.1.0.254")
	farNet := pxemodel.NewNetwork(far, pxemodel.Faults{})
	relay := pxemodel.NewRelay(farNet, s.net, giaddr, router, netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"))
	relay.Override = override
	s.running.Go(func() { relay.Run(s.ctx.Done()) })
	s.address.Pool, s.address.Router = far, giaddr
	s.address.Host.Configure(netip.MustParsePrefix("10.0.0.1/24"), router)
	s.serveAddresses()
	srv := s.serveProxy(s.host("10.0.0.2", router), everyone()) // The relay introduces its machines.

	mac := r.mac
	if mac == nil {
		mac = net.HardwareAddr{0x52, 0x54, 0, 0x77, 0, 1}
	}
	res := r.requireBoots(s, farNet.Attach(mac, netip.Addr{}, netip.Addr{}))
	assert.Equal(s.t, "10.1.0.50", res.Address.String())
	assert.Zero(s.t, relay.Dropped(), "option 82 must come back as it was")
	if override && res.Via == pxemodel.ViaOffer {
		assert.Equal(s.t, giaddr, res.Reply.ServerID())
	}
	requireAllAnswered(s.t, srv.Stats())
}

// TestModelsBootBesideSecondProxy runs two proxies with the same policy: every
// machine boots from one of them, and never mixes the two.
func TestModelsBootBesideSecondProxy(t *testing.T) {
	t.Parallel()

	eachRow(t, func(s *site, r modelRow) {
		s.serveAddresses()
		s.serveProxy(s.host("10.0.0.2", netip.Addr{}), everyone())
		s.serveProxy(s.host("10.0.0.3", netip.Addr{}), everyone())
		res, err := r.model(0).Boot(s.ctx, r.at(s))
		require.NoError(s.t, err)
		other := netip.MustParseAddr("10.0.0.3")
		if res.Reply.ServerID() == other {
			assert.Equal(s.t, other, res.Reply.SIAddr)
			assert.Contains(s.t, res.URL(), "//10.0.0.3/")
			return
		}
		assert.Equal(s.t, r.want, res.URL())
	})
}

// TestModelsBootBesideSilentProxy has a proxy that sends machines to its port
// 4011 and never answers there. EDK2 tries the other one.
func TestModelsBootBesideSilentProxy(t *testing.T) {
	t.Parallel()

	for _, r := range modelRows() {
		if r.name[0] != 'B' {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()

			atSite(t, pxemodel.Faults{}, func(s *site) {
				s.serveAddresses()
				dead := s.host("10.0.0.9", netip.Addr{})
				s.running.Go(func() {
					pxemodel.Answer(s.ctx, dead, 67, func(req *pxemodel.Packet, _ pxemodel.Datagram) [][]byte {
						if req.Type() != pxemodel.Discover {
							return nil
						}
						p := pxemodel.ReplyTo(req)
						p.SIAddr = dead.Addr()
						p.Add(pxemodel.OptMessageType, pxemodel.Offer)
						p.AddAddr(pxemodel.OptServerID, dead.Addr())
						p.Add(pxemodel.OptVendorClass, []byte("PXEClient")...)
						return [][]byte{p.Marshal(300)}
					})
				})
				s.serveProxy(s.host("10.0.0.2", netip.Addr{}), everyone())
				r.requireBoots(s, r.at(s))
			})
		})
	}
}

// TestModelsBootBesideAddressServer has an address server with boot settings
// of its own. What wins is decided by the firmware. iPXE prefers a file name
// of the address server to one of a proxy, unless the proxy's answer has a
// higher priority, option 175.1, so answers to iPXE carry "af 03 01 01 01";
// QEMU's iPXE ROM behaves so.
func TestModelsBootBesideAddressServer(t *testing.T) {
	t.Parallel()

	const own = "tftp://10.0.0.1/own.nbp"
	stale := func(a *pxemodel.AddressServer) {
		a.NextServer, a.File, a.Class, a.Vendor = a.Host.Addr(), "own.nbp", "PXEClient", []byte{6, 1, 8, 255}
	}
	tests := []struct {
		name   string
		config func(a *pxemodel.AddressServer)
		wait   time.Duration // of the proxy, before it answers
		proxy  string        // the rows, by their letters, that boot from the proxy
	}{
		{"with next-server and file", func(a *pxemodel.AddressServer) {
			a.NextServer, a.File = a.Host.Addr(), "own.nbp"
		}, 0, "ABCDEFG"},
		{"with PXEClient, 43.6 and a file, later than the proxy", func(a *pxemodel.AddressServer) {
			stale(a)
			a.Delay = 10 * time.Millisecond
		}, 0, "CDEFG"},
		// iPXE takes the first PXEClient that it hears of.
		{"with PXEClient, 43.6 and a file, before the proxy", stale, 10 * time.Millisecond, "EFG"},
		{"that pings before its offer", func(a *pxemodel.AddressServer) { a.Delay = 3 * time.Second }, 0, "ABCDEFG"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			eachRow(t, func(s *site, r modelRow) {
				tt.config(s.address)
				s.serveAddresses()
				s.serveProxy(s.host("10.0.0.2", netip.Addr{}), dhcpproxy.HandlerFunc(
					func(ctx context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
						time.Sleep(tt.wait)
						return everyone().Offer(ctx, req)
					}))
				res, err := r.model(0).Boot(s.ctx, r.at(s))
				stubborn := r.name[0] == 'A' && r.via == pxemodel.ViaPort4011
				switch {
				case stubborn && !contains(tt.proxy, 'A'):
					assert.ErrorContains(s.t, err, "PXE-E55", "it asks port 4011 of the address server")
				case contains(tt.proxy, r.name[0]):
					require.NoError(s.t, err)
					assert.Equal(s.t, r.want, res.URL(), "%v", res.Trace)
				default:
					require.NoError(s.t, err)
					assert.Equal(s.t, own, res.URL(), "%v", res.Trace)
				}
			})
		})
	}
}

func contains(letters string, b byte) bool {
	for i := range len(letters) {
		if letters[i] == b {
			return true
		}
	}
	return false
}

// TestModelsBootFromMenu shows a menu on port 67 and serves its first item on
// port 4011. A menu whose first item is the local disk sends firmware there.
func TestModelsBootFromMenu(t *testing.T) {
	t.Parallel()

	for _, local := range []bool{false, true} {
		policy := dhcpproxy.HandlerFunc(func(_ context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
			items := []dhcpproxy.MenuItem{{Type: 0x8001, Text: "Install"}, {Type: 0x8002, Text: "Rescue"}}
			switch {
			case req.BootItem != nil:
				return &dhcpproxy.Offer{BootFile: fmt.Sprintf("item-%x", req.BootItem.Type)}, nil
			case local:
				items = slices.Insert(items, 0, dhcpproxy.MenuItem{Text: "Local disk"})
			}
			return &dhcpproxy.Offer{Menu: &dhcpproxy.Menu{Prompt: "Press F8", Items: items}}, nil
		})
		for _, r := range modelRows() {
			if r.name != "A BIOS" && r.name != "B EDK2 x64" && r.name != "C iPXE with HTTP" {
				continue
			}
			t.Run(fmt.Sprintf("%s, local %v", r.name, local), func(t *testing.T) {
				t.Parallel()

				atSite(t, pxemodel.Faults{}, func(s *site) {
					s.serveAddresses()
					s.serveProxy(s.host("10.0.0.2", netip.Addr{}), policy)
					res, err := r.model(0).Boot(s.ctx, s.machine(1))
					if local {
						require.ErrorContains(s.t, err, "LOCAL")
						return
					}
					require.NoError(s.t, err)
					assert.Equal(s.t, pxemodel.ViaBootServer, res.Via)
					assert.Equal(s.t, "tftp://10.0.0.2/item-8001", res.URL())
				})
			})
		}
	}
}

// TestModelsGoOnWhenUnknown: a machine that the policy does not know hears
// nothing and gives up as without any server, so that its next boot device
// has its turn.
func TestModelsGoOnWhenUnknown(t *testing.T) {
	t.Parallel()

	eachRow(t, func(s *site, r modelRow) {
		policy := everyone()
		policy.Known = func(context.Context, *dhcpproxy.Request) (bool, error) { return false, nil }
		s.serveAddresses()
		srv := s.serveProxy(s.host("10.0.0.2", netip.Addr{}), policy)
		start := time.Now()
		_, err := r.model(0).Boot(s.ctx, r.at(s))
		var failed *pxemodel.BootError
		require.ErrorAs(s.t, err, &failed)
		assert.LessOrEqual(s.t, time.Since(start), 61*time.Second)
		st := srv.Stats()
		assert.Zero(s.t, st.Offers+st.Acks)
		assert.Positive(s.t, st.Ignored[dhcpproxy.ReasonDeclined])
	})
}

// TestModelsBootSideBySide boots every row at the same moment on one network,
// with one machine that is unknown among them.
func TestModelsBootSideBySide(t *testing.T) {
	t.Parallel()

	atSite(t, pxemodel.Faults{Loss: 0.02, Reorder: 0.2, Seed: 4}, func(s *site) {
		t := s.t
		stranger := net.HardwareAddr{0x52, 0x54, 0, 0x77, 1, 0}
		policy := everyone()
		policy.Known = func(_ context.Context, req *dhcpproxy.Request) (bool, error) {
			return req.MAC.String() != stranger.String(), nil
		}
		s.serveAddresses()
		srv := s.serveProxy(s.host("10.0.0.2", netip.Addr{}), policy)
		var booting sync.WaitGroup
		for i, r := range modelRows() {
			mac := r.mac
			if mac == nil {
				mac = net.HardwareAddr{0x52, 0x54, 0, 0x77, 0, byte(i)}
			}
			m := s.net.Attach(mac, netip.Addr{}, netip.Addr{})
			booting.Go(func() {
				res, err := r.model(uint64(i)).Boot(s.ctx, m)
				if assert.NoError(t, err, r.name) && r.mac == nil {
					assert.Contains(t, res.URL(), mac.String(), r.name)
				}
			})
		}
		booting.Go(func() {
			_, err := modelRows()[0].model(99).Boot(s.ctx, s.net.Attach(stranger, netip.Addr{}, netip.Addr{}))
			assert.ErrorContains(t, err, "PXE-E53")
		})
		booting.Wait()
		synctest.Wait()
		assert.Positive(t, srv.Stats().Ignored[dhcpproxy.ReasonDeclined])
	})
}

// TestModelsBootAmongOddPackets boots every row while somebody sends one
// packet for each rule that says to ignore it, over and over.
func TestModelsBootAmongOddPackets(t *testing.T) {
	t.Parallel()

	eachRow(t, func(s *site, r modelRow) {
		s.serveAddresses()
		srv := s.serveProxy(s.host("10.0.0.2", netip.Addr{}), everyone())
		noise := s.host("10.0.0.66", netip.Addr{})
		ctx, stop := context.WithCancel(s.ctx)
		defer stop()
		s.running.Go(func() { sendOddPackets(ctx, noise) })
		r.requireBoots(s, r.at(s))
		stop()
		synctest.Wait()

		st := srv.Stats()
		for _, reason := range []dhcpproxy.Reason{
			dhcpproxy.ReasonOversized, dhcpproxy.ReasonMalformed, dhcpproxy.ReasonNotRequest,
			dhcpproxy.ReasonHardwareAddr, dhcpproxy.ReasonBOOTP, dhcpproxy.ReasonMessageType,
			dhcpproxy.ReasonOtherServer, dhcpproxy.ReasonVendorClass, dhcpproxy.ReasonNoArch,
			dhcpproxy.ReasonBadArch, dhcpproxy.ReasonRelay,
		} {
			assert.Positive(s.t, st.Ignored[reason], "%v", reason)
		}
	})
}

// sendOddPackets sends what must be ignored, ten rounds a second, until ctx is
// done.
func sendOddPackets(ctx context.Context, from *pxemodel.Host) {
	all := netip.MustParseAddrPort("255.255.255.255:67")
	boot := netip.MustParseAddrPort("10.0.0.2:4011")
	for {
		for _, b := range oddPackets() {
			for _, to := range []netip.AddrPort{all, boot} {
				_ = from.Send(pxemodel.Datagram{Src: netip.MustParseAddrPort("0.0.0.0:68"), Dst: to, Payload: b})
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func oddPackets() [][]byte {
	good := func() *pxemodel.Packet {
		p := &pxemodel.Packet{Op: 1, XID: 7, MAC: net.HardwareAddr{2, 0, 0, 0, 9, 9}}
		p.Add(pxemodel.OptMessageType, pxemodel.Discover)
		p.Add(pxemodel.OptVendorClass, []byte("PXEClient:Arch:00007:UNDI:003000")...)
		p.Add(pxemodel.OptArch, 0, 7)
		return p
	}
	var odd [][]byte
	add := func(spoil func(p *pxemodel.Packet)) {
		p := good()
		spoil(p)
		odd = append(odd, p.Marshal(0))
	}
	set := func(code byte, value ...byte) func(*pxemodel.Packet) {
		return func(p *pxemodel.Packet) {
			for i := range p.Options {
				if p.Options[i].Code == code {
					p.Options[i].Value = value
				}
			}
		}
	}
	for _, typ := range []byte{0, 2, 4, 5, 6, 7, 9, 10, 13, 17, 255} {
		add(set(pxemodel.OptMessageType, typ))
	}
	add(set(pxemodel.OptMessageType))
	add(set(pxemodel.OptArch))
	add(set(pxemodel.OptArch, 7))
	add(set(pxemodel.OptArch, 0, 7, 0))
	add(set(pxemodel.OptVendorClass, []byte("MSFT 5.0")...))
	add(set(pxemodel.OptVendorClass))
	add(func(p *pxemodel.Packet) { p.Options = p.Options[:2] }) // no architecture
	add(func(p *pxemodel.Packet) { p.Options = p.Options[1:] }) // BOOTP
	add(func(p *pxemodel.Packet) { p.Options = p.Options[2:] }) // BOOTP without a class
	add(func(p *pxemodel.Packet) { p.Op = 2 })                  // a reply
	add(func(p *pxemodel.Packet) { p.MAC = make([]byte, 6) })   // nobody
	add(func(p *pxemodel.Packet) { p.MAC[0] = 1 })              // everybody
	add(func(p *pxemodel.Packet) { p.GIAddr = netip.MustParseAddr("255.255.255.255") })
	add(func(p *pxemodel.Packet) { p.GIAddr = netip.MustParseAddr("127.0.0.1") })
	add(func(p *pxemodel.Packet) { // a REQUEST for the address server
		set(pxemodel.OptMessageType, pxemodel.Request)(p)
		p.AddAddr(pxemodel.OptServerID, netip.MustParseAddr("10.0.0.1"))
	})
	whole := good().Marshal(0)
	odd = append(odd, nil, whole[:1], whole[:235], whole[:240], whole[:len(whole)-6],
		append(whole[:len(whole)-1:len(whole)-1], 43, 200, 1), good().Marshal(1600))
	return odd
}

// TestServerServeSurvivesEventFuncWhenBusy: a packet that is dropped because
// all workers are busy is reported by the goroutine that reads.
func TestServerServeSurvivesEventFuncWhenBusy(t *testing.T) {
	t.Parallel()

	atSite(t, pxemodel.Faults{}, func(s *site) {
		s.serveAddresses()
		slow := dhcpproxy.HandlerFunc(func(ctx context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
			time.Sleep(500 * time.Millisecond)
			return everyone().Offer(ctx, req)
		})
		srv := s.serveProxy(s.host("10.0.0.2", netip.Addr{}), slow, dhcpproxy.WithWorkers(1),
			dhcpproxy.WithEventFunc(func(e dhcpproxy.Event) {
				if e.Reason == dhcpproxy.ReasonBusy {
					panic("event function")
				}
			}))
		rows := modelRows()
		first, second := rows[0].model(1), rows[0].model(2)
		m1, m2 := s.machine(1), s.machine(2)
		s.running.Go(func() { _, _ = first.Boot(s.ctx, m1) })
		_, err := second.Boot(s.ctx, m2)
		assert.NoError(s.t, err)
		assert.Positive(s.t, srv.Stats().Ignored[dhcpproxy.ReasonBusy])
	})
}
