package pxemodel_test

import (
	"context"
	"net"
	"net/netip"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/pxemodel"
)

func TestNetworkFaults(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name        string
		faults      pxemodel.Faults
		least, most int // of a thousand datagrams
		ordered     bool
	}{
		{"perfect", pxemodel.Faults{}, 1000, 1000, true},
		{"loss", pxemodel.Faults{Loss: 0.2}, 750, 850, true},
		{"duplicates", pxemodel.Faults{Duplicate: 0.5}, 1400, 1600, true},
		{"reordering", pxemodel.Faults{Reorder: 0.3}, 1000, 1000, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			first := deliver(t, tt.faults)
			assert.GreaterOrEqual(t, len(first), tt.least)
			assert.LessOrEqual(t, len(first), tt.most)
			assert.Equal(t, tt.ordered, ordered(first))
			assert.Equal(t, first, deliver(t, tt.faults), "the same seed must give the same fate")
			tt.faults.Seed = 1
			if tt.name != "perfect" {
				assert.NotEqual(t, first, deliver(t, tt.faults), "another seed must give another fate")
			}
		})
	}
}

// deliver sends a thousand numbered datagrams, a millisecond apart, and
// returns the numbers that arrive.
func deliver(t *testing.T, faults pxemodel.Faults) []int {
	t.Helper()
	var got []int
	synctest.Test(t, func(t *testing.T) {
		n := pxemodel.NewNetwork(netip.MustParsePrefix("10.0.0.0/24"), faults)
		a := n.Attach(net.HardwareAddr{2, 0, 0, 0, 0, 1}, netip.MustParseAddr("10.0.0.1"), netip.Addr{})
		b := n.Attach(net.HardwareAddr{2, 0, 0, 0, 0, 2}, netip.MustParseAddr("10.0.0.2"), netip.Addr{})
		go func() {
			for i := range 1000 {
				_ = a.Send(pxemodel.Datagram{
					Src: netip.MustParseAddrPort("0.0.0.0:1"), Dst: netip.MustParseAddrPort("10.0.0.2:2"),
					Payload: []byte{byte(i >> 8), byte(i)},
				})
				time.Sleep(time.Millisecond)
			}
		}()
		until := time.Now().Add(time.Minute)
		for {
			d, err := b.Receive(t.Context(), until)
			if err != nil {
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
				return
			}
			assert.Equal(t, "10.0.0.1:1", d.Src.String())
			got = append(got, int(d.Payload[0])<<8|int(d.Payload[1]))
		}
	})
	return got
}

func ordered(n []int) bool {
	for i := 1; i < len(n); i++ {
		if n[i] < n[i-1] {
			return false
		}
	}
	return true
}

// TestRelay boots every model through a router, which drops replies without
// its option 82, and from which port 4011 is reached by routing.
func TestRelay(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name   string
		client client
		echo   bool
	}{
		{"BIOS", bios(), true},
		{"EDK2", edk2(), true},
		{"iPXE", ipxe(), true},
		{"a proxy that forgets option 82", edk2(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				far := pxemodel.NewNetwork(netip.MustParsePrefix("10.1.0.0/24"), pxemodel.Faults{})
				router := netip.MustParseAddr("10.0.0.254")
				relay := pxemodel.NewRelay(far, l.net, netip.MustParseAddr("10.1.0.254"), router,
					netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"))
				l.running.Go(func() { relay.Run(l.ctx.Done()) })
				l.address.Pool, l.address.Router = netip.MustParsePrefix("10.1.0.0/24"), netip.MustParseAddr("10.1.0.254")
				l.address.Host.Configure(netip.MustParsePrefix("10.0.0.1/24"), router)
				l.serveAddresses()
				proxy := l.proxy("10.0.0.2", func(req, p *pxemodel.Packet) {
					if v := req.Get(82); v != nil && tt.echo {
						p.Add(82, v...)
					}
				})
				proxy.Configure(netip.MustParsePrefix("10.0.0.2/24"), router)

				m := far.Attach(net.HardwareAddr{0x52, 0x54, 0, 0x77, 0, 1}, netip.Addr{}, netip.Addr{})
				r, err := tt.client.Boot(l.ctx, m)
				if !tt.echo {
					requireFailure(t, err, "PXE-E16")
					assert.Positive(t, relay.Dropped())
					return
				}
				require.NoError(t, err)
				assert.Equal(t, "tftp://10.0.0.2/boot.nbp", r.URL())
				assert.Equal(t, "10.1.0.50", r.Address.String())
				assert.Zero(t, relay.Dropped())
			})
		})
	}
}

func TestSocketDeadline(t *testing.T) {
	t.Parallel()

	inLab(t, pxemodel.Faults{}, func(l *lab) {
		t := l.t
		s := l.host("10.0.0.9").Listen(67)
		time.AfterFunc(time.Second, func() { _ = s.SetReadDeadline(time.Unix(1, 0)) })
		_, err := s.Read()
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.NoError(t, s.SetReadDeadline(time.Now().Add(time.Second)))
		start := time.Now()
		_, err = s.Read()
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
		require.NoError(t, s.Close())
		_, err = s.Read()
		require.ErrorIs(t, err, net.ErrClosed)
	})
}

func TestModelStopsWithContext(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]client{"BIOS": bios(), "EDK2": edk2(), "iPXE": ipxe(), "HTTP": httpBoot()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			inLab(t, pxemodel.Faults{}, func(l *lab) {
				t := l.t
				ctx, cancel := context.WithTimeout(l.ctx, time.Second)
				defer cancel()
				_, err := c.Boot(ctx, l.machine(1))
				require.ErrorIs(t, err, context.DeadlineExceeded)
			})
		})
	}
}
