package pxemodel

import (
	"bytes"
	"fmt"
	"slices"
)

// Lint names everything in a boot server's reply that is known to trip some
// firmware, or that a server without leases has no business to say. A good
// reply gives nil. The architecture is that of the client, from option 93: some
// faults matter to UEFI firmware only.
func Lint(b []byte, arch uint16) []string {
	p, err := Parse(b)
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	report := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	lintHeader(b, p, report)
	lintOptions(p, report)
	lintVendor(p, report)
	lintEnd(b, p, arch, report)
	return faults
}

type reporter func(bad bool, format string, args ...any)

func lintHeader(b []byte, p *Packet, report reporter) {
	report(p.Op != opReply, "op is %d, not BOOTREPLY", p.Op)
	report(p.Hops != 0, "hops is %d", p.Hops)
	report(p.YIAddr.IsValid(), "yiaddr %v: a proxy gives no address", p.YIAddr)
	report(len(b) < minimumReply, "%d bytes: relays and old ROMs drop less than 300", len(b))
	report(bytes.IndexByte(b[44:108], 0) < 0, "sname has no NUL")
	report(bytes.IndexByte(b[108:236], 0) < 0, "file has no NUL")
	report(!bytes.Equal(b[34:44], make([]byte, 10)), "chaddr is not padded with zeros")
}

func lintOptions(p *Packet, report reporter) {
	report(p.Type() != Offer && p.Type() != Ack, "message type is %d", p.Type())
	report(len(p.Options) > 0 && p.Options[0].Code != OptMessageType, "the message type is not the first option")
	report(len(p.Get(OptServerID)) != 4, "option 54 is missing or not an address")
	class := string(p.Get(OptVendorClass))
	report(class != "PXEClient" && class != "HTTPClient", "option 60 is %q", class)
	for _, lease := range []byte{OptSubnetMask, OptRouter, OptDNS, 12, 15, 51, 58, 59} {
		report(p.Has(lease), "option %d belongs to the address server", lease)
	}
	if id := p.Get(OptMachineID); id != nil {
		report(len(id) != 17, "option 97 has %d bytes", len(id))
	}
	var seen []byte
	for _, o := range p.Options {
		report(len(o.Value) == 0, "option %d is empty", o.Code)
		report(slices.Contains(seen, o.Code), "option %d appears twice", o.Code)
		seen = append(seen, o.Code)
	}
	if i := slices.Index(seen, OptRelay); i >= 0 {
		report(i != len(seen)-1, "option 82 is not the last")
		report(!p.GIAddr.IsValid(), "option 82 without a relay")
	}
}

// lintVendor checks option 43. Old ROMs read on past its end when its own end
// tag is missing.
func lintVendor(p *Packet, report reporter) {
	if !p.Has(OptVendor) {
		return
	}
	_, err := parseVendor(p.Get(OptVendor))
	report(err != nil, "option 43: %v", err)
}

// lintEnd checks what follows the last option, and the option after 67: EDK2
// writes a NUL behind the boot file's last byte, in place, unless it is one.
func lintEnd(b []byte, p *Packet, arch uint16, report reporter) {
	nul := arch != 0 && bytes.HasPrefix(p.Get(OptVendorClass), []byte("PXEClient"))
	at := fixedLen
	for at < len(b) && b[at] != optEnd {
		if b[at] == optPad {
			at++
			continue
		}
		code, next := b[at], at+2+int(b[at+1])
		if code == OptBootFile && b[next-1] != 0 && nul {
			report(next < len(b) && b[next] != optPad && b[next] != optEnd,
				"option 67 has no NUL and option %d follows: EDK2 overwrites its code", b[min(next, len(b)-1)])
		}
		at = next
	}
	if at >= len(b) {
		report(true, "no end option")
		return
	}
	report(len(bytes.Trim(b[at+1:], "\x00")) > 0, "bytes after the end option")
}
