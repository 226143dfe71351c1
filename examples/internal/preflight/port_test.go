package preflight_test

import (
	"io/fs"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/preflight"
)

func TestPortFree(t *testing.T) {
	t.Parallel()

	for _, network := range []string{"udp4", "tcp4"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()

			port := preflight.Port{Network: network, Use: "TFTP", Flag: "-tftp-port", Remedy: "ask its owner"}
			port.Addr = netip.MustParseAddrPort("127.0.0.1:0")
			require.NoError(t, port.Free(t.Context()))

			port.Addr = listen(t, network)
			err := port.Free(t.Context())
			require.ErrorIs(t, err, syscall.EADDRINUSE)
			for _, want := range []string{strconv.Itoa(int(port.Addr.Port())), "TFTP", "-tftp-port", "ask its owner"} {
				assert.ErrorContains(t, err, want)
			}
			if runtime.GOOS == "linux" {
				assert.ErrorContains(t, err, "(process "+strconv.Itoa(os.Getpid())+")")
			}
		})
	}
}

func TestPortExplain(t *testing.T) {
	t.Parallel()

	port := preflight.Port{Network: "udp4", Addr: netip.MustParseAddrPort("192.0.2.1:67"), Use: "DHCP", Flag: "-dhcp-port"}
	assert.NoError(t, port.Explain(nil))
	assert.ErrorContains(t, port.Explain(syscall.EACCES), "no privilege to open port 67/udp (DHCP): run as root")
	require.ErrorIs(t, port.Explain(syscall.EACCES), fs.ErrPermission)
	assert.ErrorContains(t, port.Explain(syscall.EADDRNOTAVAIL), "no interface of this host has the address 192.0.2.1")
	assert.EqualError(t, port.Explain(syscall.EINVAL), "port 67/udp (DHCP): invalid argument")
}

func listen(t *testing.T, network string) netip.AddrPort {
	t.Helper()
	if network == "tcp4" {
		l, err := new(net.ListenConfig).Listen(t.Context(), network, "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = l.Close() })
		return l.Addr().(*net.TCPAddr).AddrPort()
	}
	c, err := new(net.ListenConfig).ListenPacket(t.Context(), network, "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c.LocalAddr().(*net.UDPAddr).AddrPort()
}
