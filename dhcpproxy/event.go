package dhcpproxy

import (
	"log/slog"
	"net"
	"net/netip"
	"time"
)

// An EventKind says what an [Event] tells.
type EventKind uint8

// The kinds of event.
const (
	EventOffer   EventKind = iota + 1 // a DISCOVER was answered with an offer
	EventAck                          // a question on port 4011 was answered
	EventIgnored                      // a packet was not answered; Reason says why
	EventLoop                         // a machine asks for the same file again and again
)

// String returns a lower-case name, such as "offer".
func (k EventKind) String() string {
	names := [...]string{"unknown", "offer", "ack", "ignored", "loop"}
	if int(k) >= len(names) {
		k = 0
	}
	return names[k]
}

// An Event tells what became of one packet. Fields that could not be read from
// it are zero.
type Event struct {
	Kind      EventKind
	MAC       net.HardwareAddr
	Client    Client
	Arch      Arch
	Interface string
	Port      uint16         // the port the packet was sent to, 67 or 4011
	Peer      netip.AddrPort // who sent it
	Server    netip.Addr     // the boot server that the machine was told of
	BootFile  string
	Repeats   int           // see Request.Repeats
	Reason    Reason        // ReasonNone unless Kind is EventIgnored
	Err       error         // nil, or an *Error that says more than Reason
	Duration  time.Duration // from reading the packet to sending the answer
}

// attrs returns what an event and its log line have in common.
func (e *Event) attrs() []slog.Attr {
	attrs := []slog.Attr{
		slog.String("mac", e.MAC.String()),
		slog.String("client", e.Client.String()),
		slog.String("arch", e.Arch.String()),
		slog.String("interface", e.Interface),
		slog.String("peer", e.Peer.String()),
		slog.Int("port", int(e.Port)),
	}
	if e.Server.IsValid() {
		attrs = append(attrs, slog.String("server", e.Server.String()), slog.String("file", e.BootFile))
	}
	if e.Reason != ReasonNone {
		attrs = append(attrs, slog.String("reason", e.Reason.String()))
	}
	if e.Err != nil {
		attrs = append(attrs, slog.Any("error", e.Err))
	}
	return attrs
}
