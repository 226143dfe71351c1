package tftpd

import (
	"net/netip"
	"time"
)

// A Transfer describes one request that was refused, or one transfer that has
// ended.
type Transfer struct {
	Name string         // the path asked for, empty if the request had none
	Peer netip.AddrPort // who asked

	Size      int64 // of the file, in bytes
	Bytes     int64 // acknowledged by the client, in bytes
	BlockSize int   // agreed, in bytes; 0 if the transfer did not begin
	Window    int   // agreed, in blocks; 0 if the transfer did not begin
	Repeated  int   // how often silence made the server send again

	Duration time.Duration // from the request to the last acknowledgement

	// Probe says that the client asked for the size and then ended the
	// transfer, as boot ROMs do before they ask for the file. Err is nil.
	Probe bool

	Err error // nil, or an *Error
}
