package preflight

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/iana"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

// An Answer is what one server on the wire told a machine that wants to boot.
type Answer struct {
	Server   netip.Addr
	Address  bool   // it leases addresses
	PXE      bool   // it calls itself a PXE server (option 60)
	BootFile string // what it would boot
}

// String says what the answer means for a boot server on the same wire.
func (a Answer) String() string {
	switch {
	case a.Address && a.PXE:
		return fmt.Sprintf("DHCP server %v also sends PXE options (boot file %q): UEFI firmware prefers them to any ProxyDHCP server; remove option 60 there", a.Server, a.BootFile)
	case a.Address && a.BootFile != "":
		return fmt.Sprintf("DHCP server %v names a boot file (%q); ProxyDHCP takes precedence over it", a.Server, a.BootFile)
	case a.Address:
		return fmt.Sprintf("DHCP server %v leases addresses", a.Server)
	case a.BootFile != "":
		return fmt.Sprintf("another boot server, %v, offers %q: machines take one or the other", a.Server, a.BootFile)
	default:
		return fmt.Sprintf("another boot server, %v, answers as well: machines take one or the other", a.Server)
	}
}

// Discover asks, as a UEFI machine on the interface ifi would, who boots it,
// and returns the answers that arrive within wait. Conn receives what is sent
// to port 68.
func Discover(ctx context.Context, conn dhcpproxy.Conn, ifi *net.Interface, wait time.Duration) ([]Answer, error) {
	ask, err := discover(ifi.HardwareAddr)
	if err != nil {
		return nil, err
	}
	path := dhcpproxy.Path{
		Interface: ifi.Index,
		Local:     netip.AddrPortFrom(netip.IPv4Unspecified(), dhcpv4.ClientPort),
		Remote:    netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), dhcpv4.ServerPort),
	}
	if err := conn.WritePacket(ask.ToBytes(), path); err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	var answers []Answer
	buf := make([]byte, 1500)
	for {
		n, from, err := conn.ReadPacket(buf)
		if err != nil {
			return answers, ctx.Err() // Most likely the deadline, which is how this ends.
		}
		reply, err := dhcpv4.FromBytes(buf[:n])
		if err == nil && reply.OpCode == dhcpv4.OpcodeBootReply && reply.TransactionID == ask.TransactionID {
			answers = append(answers, answer(reply, from.Remote.Addr()))
		}
	}
}

// discover makes the request of a UEFI machine, to be answered by broadcast.
func discover(mac net.HardwareAddr) (*dhcpv4.DHCPv4, error) {
	uuid := make([]byte, 17)
	rand.Read(uuid[1:]) // Never fails.
	return dhcpv4.NewDiscovery(mac,
		dhcpv4.WithBroadcast(true),
		dhcpv4.WithOption(dhcpv4.OptClassIdentifier("PXEClient:Arch:00007:UNDI:003016")),
		dhcpv4.WithOption(dhcpv4.OptClientArch(iana.EFI_X86_64)),
		dhcpv4.WithGeneric(dhcpv4.OptionClientNetworkInterfaceIdentifier, []byte{1, 3, 16}),
		dhcpv4.WithGeneric(dhcpv4.OptionClientMachineIdentifier, uuid),
		dhcpv4.WithRequestedOptions(dhcpv4.OptionTFTPServerName, dhcpv4.OptionBootfileName, dhcpv4.OptionVendorSpecificInformation),
	)
}

func answer(reply *dhcpv4.DHCPv4, from netip.Addr) Answer {
	a := Answer{
		Server:   from,
		Address:  !reply.YourIPAddr.IsUnspecified(),
		PXE:      strings.HasPrefix(reply.ClassIdentifier(), "PXEClient"),
		BootFile: strings.TrimRight(reply.BootFileNameOption(), "\x00"),
	}
	if a.BootFile == "" {
		a.BootFile = reply.BootFileName
	}
	if id, ok := netip.AddrFromSlice(reply.ServerIdentifier().To4()); ok {
		a.Server = id
	}
	return a
}
