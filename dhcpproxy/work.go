package dhcpproxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// work is one call of Serve.
type work struct {
	*Server

	conn    Conn
	ifs     *interfaces
	running sync.WaitGroup
}

// A packet is one received message on its way through a worker.
type packet struct {
	req    *Request
	offer  *Offer
	reply  []byte
	to     Path
	reason Reason
	err    error // says more than reason
	start  time.Time
}

// start hands a packet to a worker, or drops it if none is free.
func (w *work) start(ctx context.Context, buf *[bufferLen]byte, n int, via Path) {
	if !w.acquire() {
		w.drop(ctx, buf[:n], via)
		w.buffers.Put(buf)
		return
	}
	w.running.Go(func() {
		defer func() {
			w.buffers.Put(buf)
			<-w.slots
		}()
		w.answer(ctx, buf[:n], via)
	})
}

// drop reports a packet that no worker was free for.
func (w *work) drop(ctx context.Context, b []byte, via Path) {
	defer w.recoverCallback(ctx)
	w.report(ctx, b, via, &packet{reason: ReasonBusy, start: time.Now()})
}

// reportTime is what the report of a handler that was cut off may take.
const reportTime = 100 * time.Millisecond

// wait gives the workers time to end. Each ends by the handler timeout at the
// latest, or has been cut off by then and will send nothing any more.
func (w *work) wait() {
	done := make(chan struct{})
	go func() {
		w.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(w.cfg.timeout + reportTime):
	}
}

// answer does everything for one packet.
func (w *work) answer(ctx context.Context, b []byte, via Path) {
	p := &packet{start: time.Now()}
	defer w.recoverCallback(ctx)
	p.req, p.reason = w.accept(b, via, w.ifs)
	if p.reason == ReasonNone && !w.machines.allow([6]byte(p.req.MAC), p.start, false) {
		p.reason = ReasonRateLimited
	}
	if p.reason == ReasonNone && !w.ask(ctx, via, p) {
		return // Reported when it was cut off.
	}
	if p.reason == ReasonNone {
		w.compose(p, w.ifs)
	}
	if p.reason == ReasonNone {
		w.send(p)
	}
	w.report(ctx, b, via, p)
}

// recoverCallback keeps a panic of the event function, of the logger or of a
// Conn from ending the program.
func (w *work) recoverCallback(ctx context.Context) {
	if v := recover(); v != nil {
		w.counters.panics.Add(1)
		w.cfg.log.ErrorContext(ctx, "callback panicked", slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
	}
}

// ask calls the handler, with a time limit. It returns false if the limit
// passed, which was reported at that moment.
func (w *work) ask(ctx context.Context, via Path, p *packet) bool {
	w.recall(p.req, p.start)
	hctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var ended atomic.Bool
	reported := make(chan struct{})
	timer := time.AfterFunc(w.cfg.timeout, func() {
		defer close(reported)
		if ended.CompareAndSwap(false, true) {
			cancel(context.DeadlineExceeded)
			w.reportLate(ctx, via, p)
		}
	})
	defer timer.Stop()
	w.asking.Add(1)
	offer, reason, err := w.decide(hctx, p.req)
	w.asking.Add(-1)
	if !ended.CompareAndSwap(false, true) {
		<-reported
		return false
	}
	p.offer, p.reason, p.err = offer, reason, err
	if reason != ReasonNone && ctx.Err() != nil {
		p.reason = ReasonShutdown
	}
	return true
}

// reportLate reports that the handler for p was cut off.
func (w *work) reportLate(ctx context.Context, via Path, p *packet) {
	defer w.recoverCallback(ctx)
	late := &packet{req: p.req, start: p.start}
	late.fail(ReasonHandlerTimeout, "handle", fmt.Errorf("no decision within %v", w.cfg.timeout))
	w.report(ctx, nil, via, late)
}

// recall fills in what is known of the machine's past.
func (s *Server) recall(req *Request, now time.Time) {
	req.Repeats = s.machines.repeats([6]byte(req.MAC), req.Client, now)
	req.Looping = s.cfg.loops > 0 && req.Repeats >= s.cfg.loops
}

// decide calls the handler.
func (s *Server) decide(ctx context.Context, req *Request) (o *Offer, reason Reason, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.cfg.log.ErrorContext(ctx, "handler panicked", slog.String("mac", req.MAC.String()),
				slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			o, reason = nil, ReasonHandlerPanic
			err = &Error{Op: "handle", MAC: req.MAC, Err: fmt.Errorf("panic: %v", v)}
		}
	}()
	o, err = s.handler.Offer(ctx, req)
	switch {
	case err == nil && o != nil:
		return o, ReasonNone, nil
	case err == nil:
		return nil, ReasonDeclined, nil
	case errors.Is(err, ErrDeclined):
		return nil, ReasonDeclined, &Error{Op: "handle", MAC: req.MAC, Err: err}
	default:
		return nil, ReasonHandlerError, &Error{Op: "handle", MAC: req.MAC, Err: err}
	}
}

// compose turns the offer of p into its reply.
func (s *Server) compose(p *packet, ifs *interfaces) {
	p.to = s.replyPath(p.req, ifs.get(p.req.via.Interface), ifs)
	reply, reason, err := compose(p.req, p.offer, p.to)
	if err != nil {
		p.fail(reason, "encode", err)
	}
	p.reply = reply
}

// send sends the reply. The commonest failure is an address that the host has
// lost since it was last looked at, so the path is chosen a second time.
func (w *work) send(p *packet) {
	if w.conn.WritePacket(p.reply, p.to) == nil {
		return
	}
	w.ifs.forget()
	p.to = w.replyPath(p.req, w.ifs.get(p.req.via.Interface), w.ifs)
	if err := w.conn.WritePacket(p.reply, p.to); err != nil {
		p.fail(ReasonSendFailed, "write", err)
	}
}

func (p *packet) fail(reason Reason, op string, err error) {
	p.reason = reason
	p.err = &Error{Op: op, MAC: p.req.MAC, Err: err}
}

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
		w.warnOfRelay(ctx, p)
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

// warnOfRelay says, once, that a machine was sent to port 4011 from where it
// will not be answered: the commonest reason why UEFI fails behind a relay.
func (w *work) warnOfRelay(ctx context.Context, p *packet) {
	relay := p.req.Relay
	if p.req.Client != ClientUEFI || p.offer.Direct || !relay.IsValid() ||
		contains(w.cfg.relays, relay) || w.ifs.onLink(relay) || !w.warned.CompareAndSwap(false, true) {
		return
	}
	w.cfg.log.WarnContext(ctx, "uefi machines behind this relay agent will not be answered on the boot port; see WithRelays",
		slog.String("relay", relay.String()), slog.String("mac", p.req.MAC.String()))
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
