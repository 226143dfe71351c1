package dhcpproxy

import (
	"net/netip"
	"time"
)

// A Path says how one packet travels: over which interface, between which
// addresses.
type Path struct {
	// Interface is the index of the interface that the packet came in on or
	// must leave by; zero if unknown, and for a reply if routing decides.
	Interface int

	// Local is this host's end. For a packet read it is the address and port
	// that the packet was sent to, which may be a broadcast address; the
	// address is invalid if the transport cannot tell. For a reply it is the
	// source, whose address may be invalid: the transport then chooses.
	Local netip.AddrPort

	// Remote is the other end: the sender of a packet read, the receiver of
	// a reply.
	Remote netip.AddrPort

	// Hardware is the receiver's Ethernet address for a reply whose Remote is
	// the broadcast address; zero is the Ethernet broadcast address. A
	// transport without access to frames ignores it.
	Hardware [6]byte
}

// A Conn sends and receives DHCP packets, without their UDP headers. The port of
// Path.Local says whether a packet was sent to the DHCP or to the boot server.
//
// [Listen] and [ListenPacket] open two kinds; a program with a network stack
// of its own brings its own. ReadPacket is called from one goroutine at a
// time, WritePacket from many. Neither keeps b.
type Conn interface {
	// ReadPacket waits for a packet, copies it into b and returns its length.
	ReadPacket(b []byte) (n int, p Path, err error)

	// WritePacket sends b along p. It does not wait for long.
	WritePacket(b []byte, p Path) error

	// SetReadDeadline unblocks ReadPacket at t, with an error.
	SetReadDeadline(t time.Time) error
}

// An Interfacer is a [Conn] that knows its interfaces itself, because they are
// not those of the operating system.
type Interfacer interface {
	// InterfaceByIndex returns the name of an interface and its IPv4
	// addresses, each with the length of its prefix. Index zero stands for all
	// interfaces together. The answers are remembered for five seconds.
	InterfaceByIndex(index int) (name string, addrs []netip.Prefix, err error)
}
