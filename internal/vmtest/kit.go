package vmtest

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
)

// NewNetworkT makes a network for a test, which skips where that cannot be
// done.
func NewNetworkT(tb testing.TB) *Network {
	tb.Helper()
	oracle.Root(tb)
	for _, tool := range []string{"ip", "dnsmasq", "busybox", "qemu-system-x86_64"} {
		oracle.Need(tb, tool)
	}
	n, err := NewNetwork(tb.Context())
	if err != nil { // Root in a container may not be allowed to.
		oracle.Skip(tb, err.Error())
	}
	tb.Cleanup(func() { require.NoError(tb, n.Close()) })
	return n
}

// HostT adds a host to a test's network.
func (n *Network) HostT(tb testing.TB, name string, addrs ...string) *Host {
	tb.Helper()
	prefixes := make([]netip.Prefix, len(addrs))
	for i, addr := range addrs {
		prefixes[i] = netip.MustParsePrefix(addr)
	}
	h, err := n.Host(tb.Context(), name, prefixes...)
	require.NoError(tb, err)
	return h
}

// NewGuestT makes a guest for a test and writes its kernel and initramfs to
// the files kernel and initrd of a new folder.
func NewGuestT(tb testing.TB) (dir string) {
	tb.Helper()
	g, err := NewGuest(tb.Context())
	if err != nil {
		oracle.Skip(tb, err.Error())
	}
	dir = tb.TempDir()
	require.NoError(tb, g.Write(dir))
	return dir
}

// BootT switches on a machine of a test, whose console is shown when the test
// fails.
func (n *Network) BootT(tb testing.TB, spec Spec) *Machine {
	tb.Helper()
	if spec.Firmware == BIOS {
		oracle.File(tb, "/usr/lib/ipxe/qemu/pxe-virtio.rom", "/usr/share/qemu/pxe-virtio.rom")
	} else if _, _, err := findOVMF("/usr/share", spec.Firmware == UEFISecure); err != nil {
		oracle.Skip(tb, err.Error())
	}
	m, err := n.Boot(tb.Context(), spec)
	require.NoError(tb, err)
	tb.Cleanup(func() {
		m.Kill()
		if tb.Failed() {
			tb.Logf("console of %v:\n%s", spec.MAC, m.Console.Tail())
		}
	})
	return m
}
