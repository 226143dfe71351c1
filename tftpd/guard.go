package tftpd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// maxReadErrors is how many reads may fail in a row before Serve gives up.
const maxReadErrors = 10

// errRepeated says that a request repeats one that is being served.
var errRepeated = errors.New("repeated request")

// A guard stands between the network and the transfers of one call of Serve.
// It reads every request, refuses what must not be served, and keeps count.
type guard struct {
	srv    *Server
	listen *listener

	sessions sync.WaitGroup

	mu        sync.Mutex
	current   map[netip.AddrPort]*session // by the client's address and port
	perClient map[netip.Addr]int          // transfers by the client's address
	transfers int
}

func newGuard(srv *Server, l *listener) *guard {
	return &guard{
		srv:       srv,
		listen:    l,
		current:   make(map[netip.AddrPort]*session),
		perClient: make(map[netip.Addr]int),
	}
}

// receive reads requests until ctx is done. Their transfers run under work.
func (g *guard) receive(ctx, work context.Context) error {
	buf := make([]byte, maxRequestSize+1) // One more, to see what is too long.
	for failed := 0; ; {
		n, peer, asked, err := g.listen.read(buf)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // The error is of the deadline that ended the read.
		case err == nil:
			failed = 0
			g.handle(work, buf[:n], peer, asked)
		case errors.Is(err, net.ErrClosed) || failed == maxReadErrors:
			return fmt.Errorf("tftpd: read: %w", err)
		default: // Windows reports what ICMP said of an earlier answer.
			failed++
			g.srv.cfg.log.DebugContext(ctx, "read failed", slog.Any("error", err))
			pause(ctx, time.Duration(failed)*time.Millisecond)
		}
	}
}

// pause waits for d, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// handle starts the transfer that a packet asks for, or says why not.
func (g *guard) handle(work context.Context, pkt []byte, peer netip.AddrPort, asked netip.Addr) {
	if peer.Port() == 0 || asked.IsMulticast() || asked == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return // RFC 1123 §4.2.3.5: what was broadcast is not answered.
	}
	s := &session{srv: g.srv, listen: g.listen, packet: bytes.Clone(pkt), peer: peer, asked: asked, start: time.Now()}
	var err error
	if s.req, err = parseRequest(s.packet); err != nil {
		g.refuse(work, s, "request", err)
		return
	}
	ctx, cancel := context.WithCancelCause(work)
	s.cancel = cancel
	if err := g.admit(s); err != nil {
		cancel(nil)
		g.refuse(work, s, "admit", err)
		return
	}
	g.sessions.Go(func() {
		defer cancel(nil)
		t := s.run(ctx)
		g.release(s)
		g.report(work, t)
	})
}

// refuse answers a request that leads to no transfer.
func (g *guard) refuse(ctx context.Context, s *session, op string, err error) {
	var bad *requestError
	stray := errors.As(err, &bad) && (bad.silent || bad.code == CodeUnknownTransferID)
	if stray || errors.Is(err, errRepeated) {
		g.srv.cfg.log.DebugContext(ctx, "packet ignored",
			slog.String("peer", s.peer.String()), slog.String("reason", err.Error()))
	}
	if !errors.Is(err, errRepeated) && (bad == nil || !bad.silent) {
		s.tell(err)
	}
	if !stray && !errors.Is(err, errRepeated) {
		g.report(ctx, Transfer{Name: s.req.name, Peer: s.peer, Duration: time.Since(s.start), Err: s.failure(op, err)})
	}
}

// admit makes room for s, or says why there is none: ErrBusy or errRepeated.
func (g *guard) admit(s *session) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	old := g.current[s.peer]
	if old != nil && bytes.Equal(old.packet, s.packet) && !old.quiet.Load() {
		return errRepeated
	}
	if g.transfers >= g.srv.cfg.transfers || g.perClient[s.peer.Addr()] >= g.srv.cfg.perClient {
		return ErrBusy
	}
	if old != nil {
		old.cancel(ErrSuperseded)
	}
	g.current[s.peer] = s
	g.perClient[s.peer.Addr()]++
	g.transfers++
	return nil
}

// release gives the room of s back.
func (g *guard) release(s *session) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.current[s.peer] == s {
		delete(g.current, s.peer)
	}
	if g.perClient[s.peer.Addr()]--; g.perClient[s.peer.Addr()] == 0 {
		delete(g.perClient, s.peer.Addr())
	}
	g.transfers--
}

// report tells the log and the caller how a request ended.
func (g *guard) report(ctx context.Context, t Transfer) {
	level, msg := slog.LevelInfo, "file sent"
	attrs := []slog.Attr{
		slog.String("peer", t.Peer.String()),
		slog.String("file", t.Name),
		slog.Int64("bytes", t.Bytes),
		slog.Duration("duration", t.Duration),
	}
	if t.Err != nil {
		msg = "transfer failed"
		attrs = append(attrs, slog.Any("error", errors.Unwrap(t.Err)))
	}
	var crash *panicError
	switch {
	case errors.As(t.Err, &crash):
		level = slog.LevelError
		attrs = append(attrs, slog.String("stack", string(crash.stack)))
	case errors.Is(t.Err, ErrBusy):
		level = slog.LevelDebug // A flood must not fill the log.
	case t.Probe:
		level, msg = slog.LevelDebug, "size probed"
	}
	g.srv.cfg.log.LogAttrs(ctx, level, msg, attrs...) //nolint:sloglint // One of three constants.
	crash = nil
	if errors.As(recovered(func() error { g.srv.cfg.onTransfer(t); return nil }), &crash) {
		g.srv.cfg.log.ErrorContext(ctx, "transfer function panicked",
			slog.Any("error", crash), slog.String("stack", string(crash.stack)))
	}
}
