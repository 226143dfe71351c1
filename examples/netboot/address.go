package main

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/netbootkit/netbootkit/examples/internal/preflight"
	"github.com/netbootkit/netbootkit/ipxe/firmware"
)

// What the ports are for, in the words of messages.
const (
	useDHCP = "DHCP"
	usePXE  = "PXE boot server"
	useTFTP = "TFTP"
	useHTTP = "HTTP"
)

// ports returns every port that is listened on. DHCP's are opened on all
// addresses, since broadcasts reach no other socket.
func (c *config) ports() []preflight.Port {
	all := netip.IPv4Unspecified()
	dhcp := preflight.Port{
		Network: "udp4", Addr: netip.AddrPortFrom(all, uint16(c.dhcpPort)), Use: useDHCP, Flag: "-dhcp-port",
		Remedy: "run beside it with -packet",
	}
	if c.packet {
		dhcp.Network, dhcp.Remedy = "packet", ""
	}
	return []preflight.Port{
		dhcp,
		{Network: "udp4", Addr: netip.AddrPortFrom(all, uint16(c.pxePort)), Use: usePXE, Flag: "-pxe-port"},
		{Network: "udp4", Addr: netip.AddrPortFrom(c.listen, uint16(c.tftpPort)), Use: useTFTP, Flag: "-tftp-port"},
		{Network: "tcp4", Addr: netip.AddrPortFrom(c.listen, uint16(c.httpPort)), Use: useHTTP, Flag: "-http-port"},
	}
}

// base returns what URLs begin with for machines that reach this server under
// host.
func (c *config) base(host string) string {
	if c.baseURL != "" {
		return strings.TrimSuffix(c.baseURL, "/")
	}
	scheme := "http"
	if c.cert != "" {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s:%d", scheme, host, c.httpPort)
}

// scriptURL returns the URL of the script of the machine mac. IPXE fills in
// what only it knows.
func scriptURL(base, mac string) string {
	return base + "/_/ipxe?mac=" + mac + "&arch=${buildarch}&platform=${platform}&uuid=${uuid}&serial=${serial:uristring}"
}

// newPrograms returns the boot programs. Those that are embedded go straight
// to the script, without asking DHCP once more who has just sent them.
func newPrograms(c *config) (*firmware.Set, error) {
	opts := []firmware.Option{firmware.WithScriptURL(scriptURL(c.base("${proxydhcp/next-server}"), "${netX/mac}"))}
	if c.firmware == "" {
		return firmware.NewSet(opts...)
	}
	root, err := os.OpenRoot(c.firmware)
	if err != nil {
		return nil, fmt.Errorf("-firmware: %w", err)
	}
	// The folder stays open until the process ends, as long as the Set is used.
	return firmware.NewSet(append(opts, firmware.WithTree(root.FS()))...)
}
