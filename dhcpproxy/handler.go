package dhcpproxy

import "context"

// A Handler decides what a machine is told.
//
// Offer is called from many goroutines. A nil Offer is silence: the machine
// goes on with another server or its next boot device. So is an error; one
// that matches [ErrDeclined] is a reason, any other is logged as a failure.
// The request may be kept but not changed.
//
// Ctx ends after the time set by [WithHandlerTimeout]. What a Handler returns
// later is dropped, and it occupies its worker until it does return.
type Handler interface {
	Offer(ctx context.Context, req *Request) (*Offer, error)
}

// HandlerFunc makes a function a [Handler].
type HandlerFunc func(ctx context.Context, req *Request) (*Offer, error)

// Offer calls f.
func (f HandlerFunc) Offer(ctx context.Context, req *Request) (*Offer, error) { return f(ctx, req) }
