package preflight

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Owner names the program that holds a port, as "dnsmasq (process 812)", or
// returns "" when it cannot be told: reading other users' processes takes
// root. Network is "udp4", "tcp4" or the like.
func Owner(network string, port uint16) string {
	inodes := make(map[string]bool)
	for _, file := range []string{network[:3], network[:3] + "6"} {
		addInodes(inodes, "/proc/net/"+file, port)
	}
	fds, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return ""
	}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if err != nil || !inodes[target] {
			continue
		}
		pid := strings.Split(fd, "/")[2]
		name, err := os.ReadFile("/proc/" + pid + "/comm") //nolint:gosec // The pid comes from /proc itself.
		if err == nil {
			return fmt.Sprintf("%s (process %s)", strings.TrimSpace(string(name)), pid)
		}
	}
	return ""
}

// addInodes adds the sockets of a table as of proc_net_udp(5) that are bound
// to port and listen, in the form that /proc/PID/fd has them.
func addInodes(inodes map[string]bool, table string, port uint16) {
	text, err := os.ReadFile(table) //nolint:gosec // One of four constant names.
	if err != nil {
		return
	}
	const listening, unconnected = "0A", "07"
	suffix := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(text)) {
		cols := strings.Fields(line)
		if len(cols) > 9 && strings.HasSuffix(cols[1], suffix) && (cols[3] == listening || cols[3] == unconnected) {
			inodes["socket:["+cols[9]+"]"] = true
		}
	}
}
