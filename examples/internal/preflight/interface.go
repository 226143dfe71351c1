package preflight

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path"
	"strings"
)

// An Interface is one that machines can be served on.
type Interface struct {
	net.Interface

	Addrs []netip.Prefix // its IPv4 addresses
}

// String returns its name and addresses, as "eth0 (192.0.2.1/24)".
func (i Interface) String() string {
	var addrs []string
	for _, a := range i.Addrs {
		addrs = append(addrs, a.String())
	}
	return fmt.Sprintf("%s (%s)", i.Name, strings.Join(addrs, ", "))
}

// Interfaces returns the interfaces whose names match one of patterns, in the
// form of [path.Match], that are up and have an IPv4 address; without patterns
// all such that can broadcast, as DHCP does. It is an error if there is none,
// or if a pattern matches nothing.
func Interfaces(patterns []string) ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var usable []Interface
	var why []string
	matched := make(map[string]bool)
	for _, nic := range all {
		if !matches(patterns, nic.Name, matched) || nic.Flags&net.FlagLoopback != 0 && len(patterns) == 0 {
			continue // The loopback is only for who asks for it: tests do.
		}
		i := Interface{Interface: nic, Addrs: ipv4(nic)}
		switch {
		case nic.Flags&net.FlagUp == 0:
			why = append(why, nic.Name+" is down")
		case len(i.Addrs) == 0:
			why = append(why, nic.Name+" has no IPv4 address")
		case nic.Flags&net.FlagBroadcast == 0 && len(patterns) == 0:
			why = append(why, nic.Name+" cannot broadcast")
		default:
			usable = append(usable, i)
		}
	}
	for _, p := range patterns {
		if !matched[p] {
			return nil, fmt.Errorf("no interface of this host is called %s; there are %s", p, names(all))
		}
	}
	switch {
	case len(usable) > 0:
		return usable, nil
	case len(why) > 0:
		return nil, fmt.Errorf("no interface can serve machines: %s; give one an IPv4 address and set it up", strings.Join(why, ", "))
	default:
		return nil, errors.New("no interface can serve machines: this host has none but the loopback")
	}
}

// matches reports whether name matches one of patterns, and notes which did.
func matches(patterns []string, name string, matched map[string]bool) bool {
	found := len(patterns) == 0
	for _, p := range patterns {
		if ok, err := path.Match(p, name); err == nil && ok {
			matched[p], found = true, true
		}
	}
	return found
}

// ipv4 returns the IPv4 addresses of nic.
func ipv4(nic net.Interface) []netip.Prefix {
	addrs, err := nic.Addrs()
	if err != nil {
		return nil // It has just gone.
	}
	var out []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Is4() {
			out = append(out, p)
		}
	}
	return out
}

func names(nics []net.Interface) string {
	var all []string
	for _, nic := range nics {
		all = append(all, nic.Name)
	}
	return strings.Join(all, ", ")
}

// SourceAddr returns the address that this host uses towards peer. It sends
// nothing.
func SourceAddr(peer netip.Addr) netip.Addr {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(peer, 9))) // No packet is sent.
	if err != nil {
		return netip.Addr{}
	}
	defer func() { _ = conn.Close() }()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}
