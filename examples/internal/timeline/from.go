package timeline

import (
	"net"
	"strings"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/ipxe"
	"github.com/netbootkit/netbootkit/tftpd"
)

// FromDHCP returns the step that a DHCP server's event tells of.
func FromDHCP(e dhcpproxy.Event) Step {
	s := Step{
		MAC: e.MAC.String(), Client: e.Client.String(), File: e.BootFile,
		Peer: e.Peer, Duration: e.Duration, Err: e.Err,
	}
	switch e.Kind {
	case dhcpproxy.EventOffer:
		s.Stage, s.Path = DHCP, "proxydhcp"
	case dhcpproxy.EventAck:
		s.Stage, s.Path = DHCP, "pxe"
	case dhcpproxy.EventLoop:
		s.Stage, s.Reason = Loop, "offered "+e.BootFile+" too often"
	default:
		s.Stage, s.Reason = Ignored, e.Reason.Text()
		if e.Err != nil {
			s.Reason += ": " + e.Err.Error()
		}
	}
	return s
}

// FromTFTP returns the step that a TFTP transfer was. The machine is known
// when the name begins with its address.
func FromTFTP(t tftpd.Transfer) Step {
	s := Step{
		Stage: Program, Path: "tftp", File: t.Name, Peer: t.Peer,
		Bytes: t.Bytes, Duration: t.Duration, Probe: t.Probe, Err: t.Err,
	}
	dir, _, _ := strings.Cut(t.Name, "/")
	if mac, err := net.ParseMAC(dir); err == nil && len(mac) == 6 {
		s.MAC = mac.String()
	}
	return s
}

// FromHTTP returns the step that an HTTP event tells of.
func FromHTTP(e ipxe.Event) Step {
	stages := map[ipxe.Stage]Stage{
		ipxe.StageProgram: Program, ipxe.StageScript: Script, ipxe.StageKernel: Kernel, ipxe.StageInitrd: Initrd,
		ipxe.StageBooting: Booting, ipxe.StageFile: File, ipxe.StageLocal: Local,
	}
	return Step{
		Time: e.Time, MAC: e.MAC.String(), Stage: stages[e.Stage], Path: "http", File: e.File,
		Peer: e.Peer, Bytes: e.Bytes, Duration: e.Duration, Err: e.Err,
	}
}
