package dhcpproxy

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// An Explanation is the verdict on one packet.
type Explanation struct {
	Reason  Reason   // ReasonNone if the packet is answered
	Err     error    // nil, or an *Error that says more than Reason
	Request *Request // as it was understood; nil if it could not be parsed
	Offer   *Offer   // what the handler decided; nil if it was not asked or chose silence
	Reply   []byte   // what is sent, without UDP header; nil if nothing is
	To      Path     // where it is sent
}

// Explain says what [Server.Serve] would do with the packet b, received over
// via, and why. It asks the handler, as Serve does, but sends nothing and
// counts towards no limit. An invalid via.Local is taken for a broadcast to
// port 67. Where [WithInterfaces] is used, via.Interface must name an interface
// that is served. A handler that ignores its context holds Explain up.
func (s *Server) Explain(ctx context.Context, b []byte, via Path) Explanation {
	if !via.Local.IsValid() {
		via.Local = netip.AddrPortFrom(broadcastAddr(), s.cfg.dhcpPort)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.timeout)
	defer cancel()
	p := &packet{start: time.Now()}
	p.req, p.reason = s.accept(b, via, s.system)
	if p.reason == ReasonNone && !s.machines.allow([6]byte(p.req.MAC), p.start, true) {
		p.reason = ReasonRateLimited
	}
	if p.reason == ReasonNone {
		s.recall(p.req, p.start)
		p.offer, p.reason, p.err = s.decide(ctx, p.req)
	}
	if p.reason == ReasonNone && ctx.Err() != nil {
		p.fail(ReasonHandlerTimeout, "handle", context.Cause(ctx))
	}
	if p.reason == ReasonNone {
		s.compose(p, s.system)
	}
	return Explanation{Reason: p.reason, Err: p.err, Request: p.req, Offer: p.offer, Reply: p.reply, To: p.to}
}

// String returns a few lines of text for people.
func (e Explanation) String() string {
	var b strings.Builder
	if req := e.Request; req != nil {
		fmt.Fprintf(&b, "%v asks as %v, architecture %v, vendor class %q", req.MAC, req.Client, req.Arch, req.VendorClass)
		if len(req.UserClasses) > 0 {
			fmt.Fprintf(&b, ", user class %q", req.UserClasses)
		}
		if req.Relay.IsValid() {
			fmt.Fprintf(&b, ", behind relay agent %v", req.Relay)
		}
		b.WriteString(".\n")
	}
	if e.Reason != ReasonNone {
		fmt.Fprintf(&b, "The packet is ignored: %s.\n", e.Reason.Text())
		if e.Err != nil {
			fmt.Fprintf(&b, "Cause: %v.\n", e.Err)
		}
		return b.String()
	}
	what := "an acknowledgement"
	if e.Request.discover {
		what = "an offer"
	}
	fmt.Fprintf(&b, "It gets %s of %d bytes, sent to %v", what, len(e.Reply), e.To.Remote)
	if e.Request.Interface != "" {
		fmt.Fprintf(&b, " on %s", e.Request.Interface)
	}
	fmt.Fprintf(&b, ": boot file %q from %v.\n", e.Offer.BootFile, e.Offer.serverFor(e.Request))
	if e.Offer.Reason != "" {
		fmt.Fprintf(&b, "Policy: %s.\n", e.Offer.Reason)
	}
	if e.Request.discover && e.Request.Client == ClientUEFI && !e.Offer.Direct {
		b.WriteString("UEFI firmware then asks port 4011 for the file.\n")
	}
	return b.String()
}
