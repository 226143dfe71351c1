// Package pxemodel holds models of the firmware that boots from a network: a
// BIOS boot ROM, the PXE and HTTP boot drivers of EDK2, and iPXE, each with
// the acceptance rules, timers and order of preference of the original. A
// server that boots every model under loss, delay and odd neighbours has a
// fair chance with the machines themselves, and a reply that failed in the
// field fails here with the same error code.
//
// # Models
//
//	type          port  waits for offers         asks 4011       source
//	BIOS          68    4, 8, 16, 32 s           1, 2, 3, 4 s    PXE 2.1 §2.2
//	EDK2          68    4, 8, 16, 32 s           1, 2, 3, 4 s    UefiPxeBcDxe, Dhcp4Dxe
//	HTTPBoot      68    4, 8, 16, 32 s           never           HttpBootDxe
//	IPXE          68    1, 2, 4, 8 s; proxy 2 s  0.25 s … to 2 s src/net/udp/dhcp.c
//	RaspberryPi   68    5 × 5 s                  never           boot ROM of the Pi 3
//	UBoot         68    0.25 … 2 s, ten times    never           net/bootp.c
//
// They were written from the sources named, and from captures of real
// firmware, which lie in testdata/requests; a test compares what the models
// send with what the firmware sent, option by option.
//
// # Networks
//
// A model speaks through a [Wire]. [Network] is a broadcast domain in memory
// that loses, repeats, delays and reorders datagrams as its [Faults] say; the
// fate of a datagram depends on the seed and the datagram, never on the
// scheduler, so that a failure can be repeated. [Relay] joins two networks as
// a router with a DHCP relay agent does. All of it is meant to run inside a
// testing/synctest bubble, where EDK2's minute of waiting costs nothing.
//
// # Packets
//
// The package reads and writes DHCP itself: a library shared with the server
// would hide its own mistakes. [Lint] names what in a reply would trip some
// firmware even where the models get along with it.
//
// # Errors
//
// A boot that fails returns a [*BootError] with the code that the firmware
// shows and a trace of every packet.
//
// # Limits
//
// DHCPv6, multicast discovery and BIS are not modelled. A menu is never shown:
// its first item is taken, as after the prompt's timeout.
package pxemodel
