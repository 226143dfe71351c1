package dhcpproxy

import (
	"net/netip"
	"time"
)

// An Offer is what a machine is told. Which of its parts are sent, and in what
// form, depends on the [Client].
type Offer struct {
	// Server is the boot server's IPv4 address; Request.Server if it is the
	// zero Addr.
	Server netip.Addr

	// BootFile is a path on the TFTP server, or a URL for clients that take
	// one: iPXE, and UEFI HTTP boot, which takes nothing else. At most 127
	// bytes; a URL may have 254. It may be empty for a Raspberry Pi, which
	// has names of its own, and where Menu is given.
	BootFile string

	// BootFileSize is the size of the boot file in bytes, up to 32 MiB less
	// 512; zero or more than that is not sent. It saves UEFI firmware a round
	// trip.
	BootFileSize int64

	// Direct tells UEFI firmware on port 67 to load BootFile at once. By
	// default it is sent to port 4011 first, because many vendors' firmware
	// ignores an offer that forbids the detour.
	Direct bool

	// Menu is shown by PXE firmware before it asks again, on port 4011, for
	// the item that was chosen: see Request.BootItem.
	Menu *Menu

	// Options are sent in addition. The server's own options, those of a
	// lease, 0 and 255 are refused.
	Options map[uint8][]byte

	// Reason says why this was offered. It is logged, never sent.
	Reason string
}

// A Menu is a PXE boot menu (PXE 2.1 §3.5).
type Menu struct {
	Prompt string // at most 100 bytes

	// Timeout is how long the prompt is shown before the first item is taken,
	// in whole seconds up to 254. Zero takes it at once; a negative Timeout
	// shows the menu and waits.
	Timeout time.Duration

	Items []MenuItem
}

// A MenuItem is one line of a [Menu].
type MenuItem struct {
	Type    uint16       // sent back as BootItem.Type; 0 boots the local disk
	Text    string       // at most 100 bytes
	Servers []netip.Addr // who serves it; the server itself if empty
}

// A BootItem is the choice that a client made from a [Menu] (option 43.71).
type BootItem struct {
	Type  uint16
	Layer uint16
}
