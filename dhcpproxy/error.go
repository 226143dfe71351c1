package dhcpproxy

import (
	"errors"
	"fmt"
	"net"
)

// ErrDeclined is matched by the errors of a [Handler] that has a reason for
// its silence, to be logged: the machine is not answered, and nothing failed.
var ErrDeclined = errors.New("declined")

// An Error describes one thing that failed.
type Error struct {
	Op  string           // "listen", "read", "handle", "encode" or "write"
	MAC net.HardwareAddr // the machine concerned; nil if none is
	Err error            // why
}

// Error implements the error interface.
func (e *Error) Error() string {
	if e.MAC == nil {
		return fmt.Sprintf("dhcpproxy: %s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("dhcpproxy: %s for %v: %v", e.Op, e.MAC, e.Err)
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }
