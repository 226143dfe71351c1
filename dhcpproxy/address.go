package dhcpproxy

import "net/netip"

// serverAddr chooses the address that a client is told is the server's: the
// advertised one, else the one that was asked on port 4011, else one in the
// network of the relay agent or client, else the one that the route to a relay
// agent starts from, else the interface's best. It is invalid if there is none.
func (s *Server) serverAddr(req *Request, nic netInterface, ifs *interfaces) netip.Addr {
	if s.cfg.advertise.IsValid() {
		return s.cfg.advertise
	}
	if dst := req.via.Local.Addr(); req.Port == s.cfg.bootPort && isHost(dst) && ifs.isLocal(dst) {
		return dst
	}
	near := req.Relay
	if !near.IsValid() {
		near = addrFrom(req.msg.ClientIPAddr)
	}
	for _, p := range nic.addrs {
		if p.Contains(near) {
			return p.Addr()
		}
	}
	if req.Relay.IsValid() {
		if src := ifs.source(req.Relay); src.IsValid() {
			return src
		}
	}
	return nic.best()
}

// best returns the preferred address of the interface, or the zero Addr.
func (n netInterface) best() netip.Addr {
	if len(n.addrs) == 0 {
		return netip.Addr{}
	}
	return n.addrs[0].Addr()
}

// replyPath says where the answer to req goes, and from which address.
//
//	asked on port 4011         the sender, from the address that it asked
//	through a relay agent      the agent's port 67
//	has the address it claims  that address, port 68
//	otherwise                  255.255.255.255, port 68, the same interface
func (s *Server) replyPath(req *Request, nic netInterface, ifs *interfaces) Path {
	src, ciaddr := req.via.Remote, addrFrom(req.msg.ClientIPAddr)
	to := Path{Local: netip.AddrPortFrom(s.sourceAddr(req, nic, ifs), req.Port)}
	switch {
	case req.Port == s.cfg.bootPort && isHost(src.Addr()):
		to.Remote = src
	case req.Port == s.cfg.bootPort:
		to.Remote = netip.AddrPortFrom(broadcastAddr(), src.Port())
	case req.Relay.IsValid():
		to.Remote = netip.AddrPortFrom(req.Relay, 67)
	case isHost(ciaddr) && ciaddr == src.Addr():
		to.Remote = netip.AddrPortFrom(ciaddr, 68)
	default:
		to.Remote = netip.AddrPortFrom(broadcastAddr(), 68)
	}
	// Without a pinned interface a broadcast leaves by the default route. A
	// packet to another network must be free to take another interface.
	if dst := to.Remote.Addr(); dst == broadcastAddr() || nic.onLink(dst) {
		to.Interface = req.via.Interface
	}
	if s.cfg.unicast {
		to.Hardware = [6]byte(req.MAC)
	}
	return to
}

// sourceAddr chooses the source of the answer: the address that was asked if
// it was one of ours, else the server's if this host has it, else the
// interface's best. An advertised address may be none of ours.
func (s *Server) sourceAddr(req *Request, nic netInterface, ifs *interfaces) netip.Addr {
	switch asked := req.via.Local.Addr(); {
	case isHost(asked) && ifs.isLocal(asked) && ifs.owns(asked):
		return asked
	case isHost(req.Server) && ifs.owns(req.Server):
		return req.Server
	default:
		return nic.best()
	}
}
