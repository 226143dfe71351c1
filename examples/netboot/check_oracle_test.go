package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// TestCheck looks at a network with a DHCP server and another boot server, on
// a host where one port is taken.
func TestCheck(t *testing.T) {
	t.Parallel()

	oracle.Need(t, "dnsmasq")
	n := vmtest.NewNetworkT(t)
	_, err := n.HostT(t, "address", "192.168.77.1/24").StartDHCP(within(t))
	require.NoError(t, err)
	_, err = n.HostT(t, "other", "192.168.77.9/24").Start(within(t), "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
		"--user=root", "--pid-file=", "--port=0", "--dhcp-range=192.168.77.0,proxy", "--pxe-service=X86-64_EFI,other,other.efi")
	require.NoError(t, err)

	host := n.HostT(t, "boot", "192.168.77.2/24")
	_, err = host.Start(within(t), "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
		"--user=root", "--pid-file=", "--port=0", "--enable-tftp", "--tftp-root=/")
	require.NoError(t, err)
	self, err := os.Executable()
	require.NoError(t, err)
	p, err := host.Start(within(t), "env", asProgram+"=1", self, "-check")
	require.NoError(t, err)
	for _, want := range []string{
		`ok    interfaces: \[eth0 \(192\.168\.77\.2/24\)\]`,
		`ok    port 67/udp \(DHCP\) is free`,
		`FAIL  port 69/udp \(TFTP\) is taken by dnsmasq \(process \d+\)`,
		`note  eth0: DHCP server 192\.168\.77\.1 leases addresses`,
		`note  eth0: another boot server, 192\.168\.77\.9, answers as well`,
		`netboot: this host cannot serve machines as it is`,
	} {
		assert.NoError(t, p.Output.Await(within(t), want), p.Output.Tail())
	}
}
