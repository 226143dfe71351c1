package main

import "net/netip"

// Offsets into a DHCP message, and what its first byte says (RFC 2131 §2).
const (
	offOp     = 0
	offXID    = 4
	offCIAddr = 12
	offMAC    = 28
	offEnd    = 236 // of the part before the options

	opRequest = 1
	opReply   = 2
)

// dhcpRequest returns what EDK2 sends on x86-64 (RFC 4578 §2): a DISCOVER, or
// the REQUEST for port 4011 if local has an address. Its transaction and its
// machine are for the caller to fill in.
func dhcpRequest(local netip.AddrPort) []byte {
	b := make([]byte, offEnd, 400)
	copy(b, []byte{opRequest, 1, 6, 0}) // Ethernet, addresses of six bytes.
	b[offMAC] = 0x02                    // A locally administered address.
	kind := byte(1)
	if !local.Addr().IsUnspecified() {
		kind = 3
		copy(b[offCIAddr:], local.Addr().AsSlice())
	}
	b = append(b, 99, 130, 83, 99)
	option := func(code byte, data ...byte) {
		b = append(append(b, code, byte(len(data))), data...)
	}
	option(53, kind)
	option(57, 0x05, 0xc0)
	option(55, 1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58, 59, 60,
		66, 67, 97, 128, 129, 130, 131, 132, 133, 134, 135)
	option(97, make([]byte, 17)...)
	option(94, 1, 3, 16)
	option(93, 0, 7)
	option(60, []byte("PXEClient:Arch:00007:UNDI:003016")...)
	return append(b, 255)
}
