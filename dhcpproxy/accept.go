package dhcpproxy

import (
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// accept parses a packet and applies the rules of the package comment to it.
// The Request is nil if the packet could not be parsed.
func (s *Server) accept(b []byte, via Path, ifs *interfaces) (*Request, Reason) {
	if reason := checkHeader(b); reason != ReasonNone {
		return nil, reason
	}
	nic := ifs.get(via.Interface)
	if !s.cfg.serves(nic.name) {
		return nil, ReasonInterface
	}
	if !s.isDestination(via, nic, ifs) {
		return nil, ReasonDestination
	}
	msg, raw, err := decode(b)
	if err != nil {
		return nil, ReasonMalformed
	}
	req := newRequest(msg, raw, via, s.cfg.markers)
	req.Interface = nic.name
	if reason := checkOptions(msg); reason != ReasonNone {
		return req, reason
	}
	if !isBootClient(req, s.cfg.vendors) {
		return req, ReasonVendorClass
	}
	if reason := checkArch(msg); reason != ReasonNone {
		return req, reason
	}
	if reason := s.checkSource(req, nic, ifs); reason != ReasonNone {
		return req, reason
	}
	req.Server = s.serverAddr(req, nic, ifs)
	if reason := s.checkType(req, ifs); reason != ReasonNone {
		return req, reason
	}
	if !req.Server.IsValid() {
		return req, ReasonNoAddress
	}
	return req, ReasonNone
}

// checkHeader looks at the fixed fields, which costs nothing, so that most of
// the packets that are not ours are never parsed.
func checkHeader(b []byte) Reason {
	switch {
	case len(b) > maxPayload:
		return ReasonOversized
	case len(b) < headerLen:
		return ReasonMalformed
	case b[0] != 1:
		return ReasonNotRequest
	case b[2] != 6:
		return ReasonHardwareType
	case b[28]&1 != 0, [6]byte(b[28:34]) == [6]byte{}:
		return ReasonHardwareAddr
	default:
		return ReasonNone
	}
}

// isDestination reports whether a packet was sent to this host. Sockets only
// receive such packets, but a packet socket also sees those that the host
// forwards.
func (s *Server) isDestination(via Path, nic netInterface, ifs *interfaces) bool {
	dst := via.Local.Addr()
	switch {
	case !dst.IsValid(), dst == broadcastAddr(), dst == s.cfg.advertise, nic.isLocal(dst):
		return true
	default:
		return ifs.isLocal(dst)
	}
}

func checkOptions(msg *dhcpv4.DHCPv4) Reason {
	// Some PXE ROMs on other media say so in the hardware type; option 93
	// shows that they mean it.
	if _, ok := msg.Options[optionArch]; msg.HWType != 1 && !ok {
		return ReasonHardwareType
	}
	if len(msg.Options[optionMessageType]) != 1 {
		return ReasonBOOTP
	}
	switch dhcpv4.MessageType(msg.Options[optionMessageType][0]) {
	case dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest, dhcpv4.MessageTypeInform:
		return ReasonNone
	default:
		return ReasonMessageType
	}
}

// isBootClient compares prefixes, since what follows varies without end.
func isBootClient(req *Request, vendors []string) bool {
	switch class := req.VendorClass; {
	case strings.HasPrefix(class, vendorPXE), strings.HasPrefix(class, vendorHTTP):
		return true
	case strings.HasPrefix(class, vendorBoot) && req.Arch.UBoot():
		return true
	default:
		return slices.ContainsFunc(vendors, func(v string) bool { return strings.HasPrefix(class, v) })
	}
}

func checkArch(msg *dhcpv4.DHCPv4) Reason {
	switch b, ok := msg.Options[optionArch]; {
	case !ok:
		return ReasonNoArch
	case len(b) == 0, len(b)%2 != 0:
		return ReasonBadArch
	default:
		return ReasonNone
	}
}

// checkSource guards against being made to send packets to strangers: through
// giaddr on port 67, and by forged sources on port 4011.
func (s *Server) checkSource(req *Request, nic netInterface, ifs *interfaces) Reason {
	if relay := req.Relay; relay.IsValid() {
		if !isHost(relay) || len(s.cfg.relays) > 0 && !contains(s.cfg.relays, relay) {
			return ReasonRelay
		}
	}
	src := req.via.Remote.Addr()
	if req.Port != s.cfg.bootPort || !src.IsValid() || src.IsUnspecified() {
		return ReasonNone
	}
	near := nic.onLink(src) || contains(s.cfg.relays, src) || ifs.onLink(src)
	if !isHost(src) || !near && !s.machines.introduced([6]byte(req.MAC), time.Now()) {
		return ReasonSource
	}
	return ReasonNone
}

// checkType decides by message type and port whether the packet is a question
// to a boot server. On port 67 a REQUEST belongs to the server that leases
// addresses, save a broadcast for a boot server, which names its boot item.
func (s *Server) checkType(req *Request, ifs *interfaces) Reason {
	typ := dhcpv4.MessageType(req.msg.Options[optionMessageType][0])
	named, ok := req.msg.Options[optionServerID]
	ours := ok && isOurs(addrFrom(named), req, ifs)
	onBoot := req.Port == s.cfg.bootPort
	switch {
	case typ == dhcpv4.MessageTypeDiscover && onBoot:
		return ReasonMessageType
	case typ == dhcpv4.MessageTypeDiscover:
		req.discover = true
	case !onBoot && req.BootItem == nil && typ == dhcpv4.MessageTypeInform:
		return ReasonMessageType
	case !onBoot && typ == dhcpv4.MessageTypeRequest && (req.BootItem == nil || !ours):
		return ReasonOtherServer
	case ok && !ours:
		return ReasonOtherServer
	}
	if req.BootItem != nil && req.BootItem.Layer&0x8000 != 0 {
		return ReasonBIS
	}
	return ReasonNone
}

// isOurs reports whether a client means this server by id.
func isOurs(id netip.Addr, req *Request, ifs *interfaces) bool {
	return id == req.Server || id == req.via.Local.Addr() || ifs.isLocal(id)
}

// serves reports whether the interface called name is one that was chosen.
func (c *config) serves(name string) bool {
	return len(c.interfaces) == 0 || slices.ContainsFunc(c.interfaces, func(pattern string) bool {
		ok, _ := path.Match(pattern, name) // Patterns were checked by validate.
		return ok
	})
}

func contains(prefixes []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}

// broadcastAddr returns 255.255.255.255.
func broadcastAddr() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

// isHost reports whether a can be the address of one other host.
func isHost(a netip.Addr) bool {
	return a.Is4() && !a.IsUnspecified() && !a.IsMulticast() && !a.IsLoopback() &&
		a != broadcastAddr() && a.As4()[0] != 0 && a.As4()[0] < 240
}
