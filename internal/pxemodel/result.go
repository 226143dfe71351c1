package pxemodel

import (
	"net/netip"
	"strings"
	"time"
)

// A Via says which packet named the boot file.
type Via string

// The ways to a boot file.
const (
	ViaAddressServer Via = "address server" // its own offer or acknowledgement
	ViaOffer         Via = "proxy offer"    // the proxy's answer on port 67
	ViaPort4011      Via = "port 4011"      // the proxy's answer to a second request
	ViaBootServer    Via = "boot server"    // the answer to a boot item of a menu
)

// A Result is a boot that came to a boot file.
type Result struct {
	Address netip.Addr    // the machine's own, from the address server
	Server  netip.Addr    // where the file is fetched from, for TFTP
	File    string        // a path for TFTP, or a URL
	Size    int64         // bytes, from option 13, a multiple of 512; zero if it was not told
	Via     Via           // which packet named the file
	Reply   *Packet       // that packet
	Elapsed time.Duration // from the first DISCOVER
	Trace   *Trace
}

// URL returns where the boot file is fetched from.
func (r *Result) URL() string {
	if strings.Contains(r.File, "://") {
		return r.File
	}
	return "tftp://" + r.Server.String() + "/" + r.File
}
