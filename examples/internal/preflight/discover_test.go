package preflight_test

import (
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/examples/internal/preflight"
)

// wire answers the first packet that is sent with those that its servers
// return, and then falls silent.
type wire struct {
	servers []func(*dhcpv4.DHCPv4) *dhcpv4.DHCPv4
	replies chan []byte
}

func (w *wire) WritePacket(b []byte, p dhcpproxy.Path) error {
	ask, err := dhcpv4.FromBytes(b)
	if err != nil || p.Remote.String() != "255.255.255.255:67" || p.Interface != 7 {
		return os.ErrInvalid
	}
	w.replies = make(chan []byte, len(w.servers))
	for _, server := range w.servers {
		w.replies <- server(ask).ToBytes()
	}
	return nil
}

func (w *wire) ReadPacket(b []byte) (int, dhcpproxy.Path, error) {
	select {
	case reply := <-w.replies:
		return copy(b, reply), dhcpproxy.Path{Remote: netip.MustParseAddrPort("192.0.2.99:67")}, nil
	default:
		return 0, dhcpproxy.Path{}, os.ErrDeadlineExceeded
	}
}

func (*wire) SetReadDeadline(time.Time) error { return nil }

func server(addr string, yiaddr, class, file string) func(*dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
	return func(ask *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
		reply, err := dhcpv4.NewReplyFromRequest(ask,
			dhcpv4.WithMessageType(dhcpv4.MessageTypeOffer), dhcpv4.WithServerIP(net.ParseIP(addr)),
			dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.ParseIP(addr))))
		if err != nil {
			panic(err)
		}
		reply.YourIPAddr, reply.BootFileName = net.ParseIP(yiaddr), file
		if class != "" {
			reply.UpdateOption(dhcpv4.OptClassIdentifier(class))
		}
		return reply
	}
}

func TestDiscover(t *testing.T) {
	t.Parallel()

	stranger := server("192.0.2.66", "192.0.2.7", "", "")
	w := &wire{servers: []func(*dhcpv4.DHCPv4) *dhcpv4.DHCPv4{
		server("192.0.2.1", "192.0.2.7", "", ""),
		server("192.0.2.2", "192.0.2.8", "PXEClient", "old.0"),
		server("192.0.2.3", "192.0.2.9", "", "file.0"),
		server("192.0.2.4", "0.0.0.0", "PXEClient", "other.efi"),
		func(ask *dhcpv4.DHCPv4) *dhcpv4.DHCPv4 {
			reply := stranger(ask)
			reply.TransactionID[0] ^= 1 // The answer to somebody else.
			return reply
		},
	}}
	nic := &net.Interface{Index: 7, HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}}
	answers, err := preflight.Discover(t.Context(), w, nic, time.Second)
	require.NoError(t, err)
	var got []string
	for _, a := range answers {
		got = append(got, a.String())
	}
	assert.Equal(t, []string{
		"DHCP server 192.0.2.1 leases addresses",
		`DHCP server 192.0.2.2 also sends PXE options (boot file "old.0"): UEFI firmware prefers them to any ProxyDHCP server; remove option 60 there`,
		`DHCP server 192.0.2.3 names a boot file ("file.0"); ProxyDHCP takes precedence over it`,
		`another boot server, 192.0.2.4, offers "other.efi": machines take one or the other`,
	}, got)
}

func TestInterfaces(t *testing.T) {
	t.Parallel()

	nics, err := preflight.Interfaces([]string{"lo*"})
	require.NoError(t, err)
	assert.Contains(t, nics[0].String(), "127.0.0.1/8")
	_, err = preflight.Interfaces([]string{"lo*", "nope0"})
	require.ErrorContains(t, err, "no interface of this host is called nope0; there are ")
}

func TestSourceAddr(t *testing.T) {
	t.Parallel()

	assert.Equal(t, "127.0.0.1", preflight.SourceAddr(netip.MustParseAddr("127.0.0.1")).String())
}
