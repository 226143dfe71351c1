package ipxe

import (
	"errors"
	"fmt"
	"net"
	"time"
)

// ErrNotReady says that something to boot exists but cannot be served yet. A
// [Booter] returns it, or a [*NotReadyError], while it prepares; the
// [Handler] answers 503 with Retry-After, which iPXE obeys by itself.
var ErrNotReady = errors.New("ipxe: not ready yet")

// A NotReadyError is [ErrNotReady] with a time.
type NotReadyError struct {
	// RetryAfter is how long the machine should wait. The handler rounds it
	// up to whole seconds and keeps it in 1..60: iPXE takes 0 as "at once"
	// and would ask in a busy loop.
	RetryAfter time.Duration
}

// Error implements the error interface.
func (e *NotReadyError) Error() string {
	return fmt.Sprintf("%v, retry after %v", ErrNotReady, e.RetryAfter)
}

// Is says that every NotReadyError is [ErrNotReady].
func (e *NotReadyError) Is(target error) bool { return target == ErrNotReady }

// A ScriptError describes a value that cannot be written in iPXE's language,
// which has neither quotes nor escapes.
type ScriptError struct {
	Field  string // where the value is, such as "Initrd[1]"
	Value  string // what it is
	Reason string // why it cannot be written
}

// Error implements the error interface.
func (e *ScriptError) Error() string {
	return fmt.Sprintf("ipxe: %s %.100q: %s", e.Field, e.Value, e.Reason)
}

// An Error describes one failed step of a machine's boot, or of a request to
// an API server.
type Error struct {
	Op   string           // "spec", "open", "send", "booting" or "fetch"
	MAC  net.HardwareAddr // the machine; nil when the step belongs to none
	Name string           // the file or address; empty when there is none
	Err  error            // why; matches fs.ErrNotExist for a missing file
}

// Error implements the error interface.
func (e *Error) Error() string {
	s := "ipxe: " + e.Op
	if e.Name != "" {
		s += fmt.Sprintf(" %q", e.Name)
	}
	if e.MAC != nil {
		s += " for " + e.MAC.String()
	}
	return s + ": " + e.Err.Error()
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }
