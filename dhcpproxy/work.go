package dhcpproxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
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
	jobs    chan job // to workers that wait for one
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
	j := job{buf, n, via}
	select {
	case w.jobs <- j:
	default:
		w.running.Go(func() { w.work(ctx, j) })
	}
}

// A job is a received packet.
type job struct {
	buf *[bufferLen]byte
	n   int
	via Path
}

// work does j, and then other jobs until there will be no more. Workers are
// kept because a new one has to grow its stack before it gets anywhere.
func (w *work) work(ctx context.Context, j job) {
	for ok := true; ok; j, ok = <-w.jobs {
		w.do(ctx, j)
	}
}

// do answers a packet and lets the next one be worked on.
func (w *work) do(ctx context.Context, j job) {
	defer func() {
		w.buffers.Put(j.buf)
		<-w.slots
	}()
	w.answer(ctx, j.buf[:j.n], j.via)
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
	close(w.jobs)
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
		if p.req.Relay.IsValid() {
			w.machines.introduce([6]byte(p.req.MAC), p.start)
		}
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
	defer w.asking.Add(-1)
	offer, reason, err := w.decide(hctx, p.req)
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
