package tftpd

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
)

var (
	// ErrWriteRefused is the cause of an [*Error] for a write request.
	ErrWriteRefused = errors.New("write requests are not served")

	// ErrBusy is the cause of an [*Error] for a request beyond the limits set by
	// [WithMaxTransfers] and [WithMaxTransfersPerClient].
	ErrBusy = errors.New("too many transfers")

	// ErrAborted is the cause of an [*Error] when the client ended the transfer.
	ErrAborted = errors.New("aborted by the client")

	// ErrSuperseded is the cause of an [*Error] when the client asked for
	// something else from the same port before the transfer had ended.
	ErrSuperseded = errors.New("superseded by another request from the same port")
)

// A Code is a TFTP error code (RFC 1350, appendix).
type Code uint16

// The codes this package sends.
const (
	CodeUndefined         Code = 0 // busy, shutting down, or the file could not be read
	CodeNotFound          Code = 1
	CodeAccessViolation   Code = 2
	CodeIllegalOperation  Code = 4
	CodeUnknownTransferID Code = 5
)

// An Error describes one request that was refused or one transfer that failed.
type Error struct {
	Op   string         // "request", "admit", "open" or "send": how far it came
	Name string         // the file asked for, empty if the request had none
	Peer netip.AddrPort // who asked
	Code Code           // what the peer was told, if it was told anything
	Err  error          // why; matches fs.ErrNotExist for a missing file
}

// Error implements the error interface.
func (e *Error) Error() string {
	return fmt.Sprintf("tftpd: %s %q for %v: %v", e.Op, e.Name, e.Peer, e.Err)
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// codeFor says what a client is told about err.
func codeFor(err error) Code {
	var bad *requestError
	switch {
	case errors.As(err, &bad):
		return bad.code
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrInvalid):
		return CodeNotFound
	case errors.Is(err, fs.ErrPermission), errors.Is(err, ErrWriteRefused):
		return CodeAccessViolation
	default:
		return CodeUndefined
	}
}

// textFor is the whole of what a client is told beside the code: fixed words,
// so that no path and no system message reaches the network.
func textFor(err error) string {
	switch codeFor(err) {
	case CodeNotFound:
		return "file not found"
	case CodeAccessViolation:
		return "access violation"
	case CodeIllegalOperation:
		return "illegal operation"
	case CodeUnknownTransferID:
		return "unknown transfer ID"
	default:
		if errors.Is(err, ErrBusy) {
			return "server busy"
		}
		return "transfer failed"
	}
}
