package pxemodel

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// A Datagram is one UDP datagram.
type Datagram struct {
	Src, Dst netip.AddrPort
	Payload  []byte
}

// A Wire is a machine's network card with just enough IP on top. One
// goroutine uses it at a time.
type Wire interface {
	// Send sends d. The source is the machine's own address, or zero while
	// it has none; d.Src gives the port. A lost datagram is no error.
	Send(d Datagram) error

	// Receive returns the next datagram that reaches the machine, on any
	// port. At until it gives up with an error matching
	// os.ErrDeadlineExceeded.
	Receive(ctx context.Context, until time.Time) (Datagram, error)

	// Configure gives the machine its address and its default router, which
	// may be the zero address.
	Configure(addr netip.Prefix, router netip.Addr)

	// HardwareAddr returns the address of the card.
	HardwareAddr() net.HardwareAddr
}
