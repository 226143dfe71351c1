package dhcpproxy

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// interfaceAge is how long facts about interfaces and routes are believed.
// Asking the kernel costs far more than answering a packet.
const interfaceAge = 5 * time.Second

// retryAge is how long it is believed that the host lacks an address. Packets
// to a virtual address may come right after the address has moved here.
const retryAge = 100 * time.Millisecond

// maxInterfaces bounds how many interfaces and routes are remembered.
const maxInterfaces = 4096

// A netInterface is what is known of one interface.
type netInterface struct {
	name  string
	addrs []netip.Prefix // IPv4, in the order of preference
	read  time.Time
}

// isLocal reports whether a is one of the interface's own or broadcast
// addresses.
func (n netInterface) isLocal(a netip.Addr) bool {
	return slices.ContainsFunc(n.addrs, func(p netip.Prefix) bool {
		return p.Addr() == a || p.Bits() < 31 && lastAddr(p) == a
	})
}

// onLink reports whether a is in one of the interface's networks.
func (n netInterface) onLink(a netip.Addr) bool { return contains(n.addrs, a) }

// interfaces caches what the operating system, or an [Interfacer], says of
// interfaces. It is safe for concurrent use.
type interfaces struct {
	lookup func(index int) (name string, addrs []netip.Prefix, err error)
	route  func(to netip.Addr) netip.Addr

	mu      sync.Mutex
	byIndex lru[int, netInterface]
	sources lru[netip.Addr, netInterface] // the source towards an address, as addrs[0]
}

func newInterfaces(conn Conn) *interfaces {
	ifs := &interfaces{lookup: systemInterface, route: systemRoute}
	if own, ok := conn.(Interfacer); ok {
		ifs.lookup = own.InterfaceByIndex
		ifs.route = func(netip.Addr) netip.Addr { return netip.Addr{} }
	}
	ifs.byIndex.max, ifs.sources.max = maxInterfaces, maxInterfaces
	return ifs
}

// get returns the interface called index. Index zero stands for all of them
// together; one that does not exist has no name and no addresses.
func (ifs *interfaces) get(index int) netInterface { return ifs.getYounger(index, interfaceAge) }

// getYounger is get, for facts no older than age.
func (ifs *interfaces) getYounger(index int, age time.Duration) netInterface {
	ifs.mu.Lock()
	defer ifs.mu.Unlock()
	nic := ifs.byIndex.at(index)
	if now := time.Now(); nic.read.IsZero() || now.Sub(nic.read) > age {
		name, addrs, err := ifs.lookup(index)
		if err != nil {
			name, addrs = "", nil
		}
		slices.SortStableFunc(addrs, func(a, b netip.Prefix) int { return preference(a.Addr()) - preference(b.Addr()) })
		*nic = netInterface{name: name, addrs: addrs, read: now}
	}
	return *nic
}

// isLocal reports whether a is an own or broadcast address of any interface.
func (ifs *interfaces) isLocal(a netip.Addr) bool {
	return ifs.get(0).isLocal(a) || ifs.getYounger(0, retryAge).isLocal(a)
}

// owns reports whether any interface has the address a, to send from.
func (ifs *interfaces) owns(a netip.Addr) bool {
	return slices.ContainsFunc(ifs.get(0).addrs, func(p netip.Prefix) bool { return p.Addr() == a })
}

// forget makes the next questions be asked anew.
func (ifs *interfaces) forget() {
	ifs.mu.Lock()
	defer ifs.mu.Unlock()
	ifs.byIndex = lru[int, netInterface]{max: maxInterfaces}
	ifs.sources = lru[netip.Addr, netInterface]{max: maxInterfaces}
}

// onLink reports whether a is in a network of any interface.
func (ifs *interfaces) onLink(a netip.Addr) bool { return ifs.get(0).onLink(a) }

// source returns the address from which packets to a leave; it is invalid if
// there is no route.
func (ifs *interfaces) source(a netip.Addr) netip.Addr {
	ifs.mu.Lock()
	defer ifs.mu.Unlock()
	src := ifs.sources.at(a)
	if now := time.Now(); src.read.IsZero() || now.Sub(src.read) > interfaceAge {
		*src = netInterface{read: now, addrs: []netip.Prefix{netip.PrefixFrom(ifs.route(a), 32)}}
	}
	return src.addrs[0].Addr()
}

// preference orders the addresses of an interface: global, link-local,
// loopback.
func preference(a netip.Addr) int {
	switch {
	case a.IsGlobalUnicast():
		return 0
	case a.IsLinkLocalUnicast():
		return 1
	default:
		return 2
	}
}

// systemInterface asks the operating system.
func systemInterface(index int) (string, []netip.Prefix, error) {
	if index == 0 {
		addrs, err := net.InterfaceAddrs()
		return "", prefixes(addrs), err
	}
	nic, err := net.InterfaceByIndex(index)
	if err != nil {
		return "", nil, err
	}
	addrs, err := nic.Addrs()
	return nic.Name, prefixes(addrs), err
}

// prefixes keeps the IPv4 addresses of addrs.
func prefixes(addrs []net.Addr) []netip.Prefix {
	var list []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			list = append(list, p)
		}
	}
	return list
}

// systemRoute learns the source address of a route by connecting a UDP socket,
// which sends nothing.
func systemRoute(to netip.Addr) netip.Addr {
	conn, err := net.DialUDP("udp4", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, 67)))
	if err != nil {
		return netip.Addr{}
	}
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
}

// lastAddr returns the broadcast address of a network.
func lastAddr(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}
