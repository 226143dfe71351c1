// Package dhcpproxy tells booting machines what to boot, beside the DHCP server
// that gives them their addresses.
//
// A [Server] listens on UDP ports 67 and 4011. It answers PXE ROMs, UEFI
// firmware, iPXE, U-Boot and Raspberry Pis with the name of a boot file, and it
// never gives an address away: the network's own DHCP server needs no change.
// A [Handler] decides what each machine is told; [Chainload] is the usual one.
// A [Conn] carries the packets: [Listen] opens a UDP socket, and
// [ListenPacket] a packet socket that works beside a DHCP server on the same
// host.
//
// # Protocol
//
// What each kind of client is told (RFC 2131, RFC 4578, PXE 2.1, UEFI 2.10
// §24.3 and §24.7). Every answer names the server in siaddr, sname and option
// 54, and echoes options 97 and 82:
//
//	client        known by                      port 67                     port 4011
//	bios          option 93 is 0                file, 43 "load it now"      the same
//	uefi          option 93, such as 7          file, no 43                 file, size in 13, no 43
//	uefi, Direct  the same                      file, 43 "load it now"      as above
//	ipxe          option 77 "iPXE", or 175      file or URL, 43 as bios     the same
//	chained       option 77, a marker           URL, 43 as bios             the same
//	http          option 60 "HTTPClient"        URL in 67 and file, no 43   not asked
//	raspberry-pi  option 97, or its Ethernet    43 with the menu it wants,  the same
//	              address                       66
//	u-boot        option 93 is 21 to 24         file, 66, 67, no 43         not asked
//	other         none of these                 file, 66, 67, no 43         the same
//
// Answers to iPXE have priority 1 in option 175, so that it prefers them to a
// file name of the DHCP server. Other firmware decides alone: a DHCP server that
// itself sends PXEClient in option 60 beats every proxy, so turn that off.
// Options 66 and 67 are also sent when option 55 asks for them. UEFI firmware
// is sent to port 4011 by leaving option 43 out, since the menu code of many
// vendors ignores an offer that forbids the detour.
//
// # Rules
//
// A packet is answered if all of this holds; a [Reason] names each rule:
//
//   - It is a BOOTP request of at most 1472 bytes with well-formed options, from
//     a six-byte hardware address that is neither zero nor multicast.
//   - It arrived on an interface that is served, and is addressed to this host.
//   - It is a DISCOVER on port 67; or a REQUEST or INFORM on port 4011; or one of
//     these on port 67 if it names a boot item (option 43.71) and, being a
//     REQUEST, this server.
//   - Option 60 begins with PXEClient or HTTPClient, or with U-Boot if option 93
//     agrees, or with a prefix set by [WithVendorClasses].
//   - Option 93 has at least one 16-bit number. The first that is known counts.
//   - Its relay agent is allowed; on port 4011 its source is local or allowed,
//     or a relay agent has lately passed a request of the machine on.
//   - The machine keeps to the rate limit, a worker is free, and the handler
//     makes an offer in time.
//
// Options 94 and 97 may be missing. Answers go where RFC 2131 §4.1 says, save
// that a machine without an address is always answered by broadcast, on the
// interface that it asked on.
//
// # The codec
//
// Packets are parsed by github.com/insomniacslk/dhcp/dhcpv4. This package does
// itself what that codec leaves out: options that overflow into the file and
// sname fields (RFC 2132 §9.3), a missing END, an END in option 43, and the
// order of options, message type first and relay agent information last. Names
// that do not fit are errors; the codec would shorten them.
//
// # Errors
//
// Failures that concern one packet are counted, logged and passed to the
// function set by [WithEventFunc] as an [*Error]; Serve goes on. Read errors
// are retried with growing pauses; Serve returns one that lasts half a minute.
//
// # Concurrency
//
// Each call of Serve reads on its own goroutine and hands packets to workers
// that all calls share. Reading never waits for a [Handler]: if all workers are
// busy, packets are dropped and counted. A handler that exceeds its time is cut
// off; whatever it returns later is dropped, and its worker stays busy until it
// does. Panics of handlers and event functions are recovered, logged and
// counted.
//
// # Shutdown
//
// Cancelling the context of Serve ends the contexts of its handlers and makes
// it return nil once they have returned, or a moment after the handler timeout
// at the latest. A handler that ignores its context is the only thing that can outlive
// Serve.
//
// # Limits
//
// DHCPv6, MTFTP and Boot Integrity Services are not supported. The protocol has
// no authentication: anyone on the network can answer faster, and anyone can
// claim any hardware address. At most 10000 machines are remembered for limits
// and loops; the ones seen longest ago are forgotten first.
package dhcpproxy
