package dhcpproxy

import (
	"context"
	"log/slog"
	"net"
	"time"
)

// report counts, logs and tells what became of a packet.
func (w *work) report(ctx context.Context, b []byte, via Path, p *packet) {
	e := p.event(b, via)
	level := slog.LevelInfo
	switch {
	case p.reason != ReasonNone:
		e.Kind, level = EventIgnored, p.reason.level()
		w.counters.ignored[p.reason].Add(1)
	case p.req.discover:
		e.Kind = EventOffer
		w.counters.offers.Add(1)
	default:
		e.Kind = EventAck
		w.counters.acks.Add(1)
	}
	if w.cfg.log.Enabled(ctx, level) {
		w.log(ctx, level, &e)
	}
	w.cfg.onEvent(e)
	if e.Kind == EventOffer {
		w.countRound(ctx, p, e)
	}
}

func (w *work) log(ctx context.Context, level slog.Level, e *Event) {
	switch e.Kind {
	case EventOffer:
		w.cfg.log.LogAttrs(ctx, level, "offer sent", e.attrs()...)
	case EventAck:
		w.cfg.log.LogAttrs(ctx, level, "acknowledgement sent", e.attrs()...)
	default:
		w.cfg.log.LogAttrs(ctx, level, "packet ignored", e.attrs()...)
	}
}

// countRound notices machines that come back for the same file.
func (w *work) countRound(ctx context.Context, p *packet, e Event) {
	n, fresh := w.machines.offered([6]byte(e.MAC), e.Client, e.BootFile, p.req.msg.TransactionID, p.start)
	if !fresh || n != w.cfg.loops {
		return
	}
	w.counters.loops.Add(1)
	e.Kind, e.Repeats = EventLoop, n
	w.cfg.log.LogAttrs(ctx, slog.LevelWarn, "machine asks for the same file again and again",
		append(e.attrs(), slog.Int("repeats", n))...)
	w.cfg.onEvent(e)
}

// event describes p. What it cannot take from a Request it reads from b.
func (p *packet) event(b []byte, via Path) Event {
	e := Event{
		Port: via.Local.Port(), Peer: via.Remote,
		Reason: p.reason, Err: p.err, Duration: time.Since(p.start),
	}
	if p.req == nil {
		if len(b) >= 34 && b[2] == 6 {
			e.MAC = append(net.HardwareAddr{}, b[28:34]...)
		}
		return e
	}
	e.MAC, e.Client, e.Arch = p.req.MAC, p.req.Client, p.req.Arch
	e.Interface, e.Repeats = p.req.Interface, p.req.Repeats
	if p.offer != nil {
		e.Server, e.BootFile = p.offer.serverFor(p.req), p.offer.BootFile
	}
	return e
}

// level returns how loud a reason is logged: what the network does is noise,
// what the caller or the host does wrong is not.
func (r Reason) level() slog.Level {
	switch r {
	case ReasonNoAddress, ReasonHandlerError, ReasonHandlerTimeout, ReasonOfferInvalid,
		ReasonReplyTooLarge, ReasonSendFailed:
		return slog.LevelWarn
	default:
		return slog.LevelDebug
	}
}
