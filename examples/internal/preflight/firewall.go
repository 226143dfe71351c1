package preflight

import (
	"fmt"
	"io/fs"
	"strings"
)

// Firewalls looks, in the file system of a Linux host, for firewalls that may
// drop what machines send, and returns a hint for each with the command that
// lets the given ports through. It reads no rules, which would take privilege
// and other programs, so a hint is no proof.
func Firewalls(host fs.FS, ports []Port) []string {
	var hints []string
	if conf, err := fs.ReadFile(host, "etc/ufw/ufw.conf"); err == nil && strings.Contains(string(conf), "ENABLED=yes") {
		hints = append(hints, "ufw is enabled; let machines in with: "+commands(ports, "ufw allow %d/%s"))
	}
	if running(host, "firewalld") {
		hints = append(hints, "firewalld is running; let machines in with: "+commands(ports, "firewall-cmd --add-port=%d/%s"))
	}
	modules, err := fs.ReadFile(host, "proc/modules")
	if err != nil {
		return hints
	}
	for line := range strings.Lines(string(modules)) {
		switch name, _, _ := strings.Cut(line, " "); name {
		case "nf_tables":
			hints = append(hints, "nftables is loaded; see whether its rules drop these ports: nft list ruleset")
		case "iptable_filter":
			hints = append(hints, "iptables has a filter table; see whether its rules drop these ports: iptables -S")
		case "br_netfilter":
			hints = append(hints, "br_netfilter is loaded: frames of a bridge pass the firewall as well, DHCP broadcasts among them")
		}
	}
	return hints
}

func commands(ports []Port, format string) string {
	var all []string
	for _, p := range ports {
		all = append(all, fmt.Sprintf(format, p.Addr.Port(), p.Network[:3]))
	}
	return strings.Join(all, "; ")
}

// running reports whether a process has the name comm.
func running(host fs.FS, comm string) bool {
	names, err := fs.Glob(host, "proc/[0-9]*/comm")
	if err != nil {
		return false
	}
	for _, name := range names {
		if b, err := fs.ReadFile(host, name); err == nil && strings.TrimSpace(string(b)) == comm {
			return true
		}
	}
	return false
}
