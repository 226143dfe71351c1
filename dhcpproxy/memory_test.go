package dhcpproxy_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

// A datagram is one packet and where it goes.
type datagram struct {
	payload []byte
	path    dhcpproxy.Path
	err     error // returned by ReadPacket in place of a packet
}

// A memoryConn is a Conn without a network: what is put into in is read, what
// is written comes out of out.
type memoryConn struct {
	in   chan datagram
	out  chan datagram
	stop chan struct{}
	once sync.Once
	lost netip.Addr // an address that the host has no more
}

func newMemoryConn() *memoryConn {
	return &memoryConn{in: make(chan datagram), out: make(chan datagram, 100), stop: make(chan struct{})}
}

func (c *memoryConn) ReadPacket(b []byte) (int, dhcpproxy.Path, error) {
	select {
	case d := <-c.in:
		return copy(b, d.payload), d.path, d.err
	case <-c.stop:
		return 0, dhcpproxy.Path{}, os.ErrDeadlineExceeded
	}
}

func (c *memoryConn) WritePacket(b []byte, p dhcpproxy.Path) error {
	if p.Remote.Port() == 0 || p.Local.Addr() == c.lost && c.lost.IsValid() {
		return errors.New("cannot send")
	}
	c.out <- datagram{payload: append([]byte{}, b...), path: p}
	return nil
}

// SetReadDeadline knows one deadline: now.
func (c *memoryConn) SetReadDeadline(time.Time) error {
	c.once.Do(func() { close(c.stop) })
	return nil
}

// InterfaceByIndex describes a host with three interfaces.
func (c *memoryConn) InterfaceByIndex(index int) (string, []netip.Prefix, error) {
	lab := []netip.Prefix{netip.MustParsePrefix("169.254.7.7/16"), netip.MustParsePrefix("192.0.2.1/24"), netip.MustParsePrefix("192.0.3.1/24")}
	lab = slices.DeleteFunc(lab, func(p netip.Prefix) bool { return p.Addr() == c.lost })
	office := []netip.Prefix{netip.MustParsePrefix("198.51.100.1/24")}
	switch index {
	case 0:
		return "", append(lab, office...), nil
	case 1:
		return "lab0", lab, nil
	case 2:
		return "office0", office, nil
	case 3:
		return "bare0", nil, nil
	default:
		return "", nil, errors.New("no such interface")
	}
}

// serve runs a server on a memoryConn until the test ends.
func serve(t *testing.T, h dhcpproxy.Handler, opts ...dhcpproxy.Option) (*dhcpproxy.Server, *memoryConn) {
	t.Helper()
	srv, err := dhcpproxy.NewServer(h, opts...)
	require.NoError(t, err)
	conn := newMemoryConn()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, conn) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
	})
	return srv, conn
}

// events collects what a server tells.
type events chan dhcpproxy.Event

func (e events) option() dhcpproxy.Option {
	return dhcpproxy.WithEventFunc(func(ev dhcpproxy.Event) { e <- ev })
}

// send gives the server a packet and returns what became of it.
func (c *memoryConn) send(t *testing.T, e events, payload []byte, via dhcpproxy.Path) (dhcpproxy.Event, *datagram) {
	t.Helper()
	c.in <- datagram{payload: payload, path: via}
	ev := <-e
	select {
	case d := <-c.out:
		return ev, &d
	default:
		return ev, nil
	}
}

// Where packets usually come from.
var (
	onPort67   = dhcpproxy.Path{Interface: 1, Local: netip.MustParseAddrPort("255.255.255.255:67"), Remote: netip.MustParseAddrPort("0.0.0.0:68")}
	onPort4011 = dhcpproxy.Path{Interface: 1, Local: netip.MustParseAddrPort("192.0.2.1:4011"), Remote: netip.MustParseAddrPort("192.0.2.77:4011")}
)

// program is a policy that offers everyone a boot file.
func program(file string) dhcpproxy.Handler {
	return dhcpproxy.HandlerFunc(func(context.Context, *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
		return &dhcpproxy.Offer{BootFile: file}, nil
	})
}
