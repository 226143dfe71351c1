package dhcpproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// A Server answers boot requests beside the DHCP server that leases addresses.
// It is safe for concurrent use.
type Server struct {
	handler  Handler
	cfg      config
	slots    chan struct{} // one value for each busy worker
	asking   atomic.Int64  // workers that wait for the handler
	buffers  sync.Pool     // of *[bufferLen]byte
	machines *machines
	system   *interfaces
	counters counters
}

// socketBuffer is how many bytes of packets a socket may hold back while all
// machines of a room are switched on at once, if the system allows it.
const socketBuffer = 1 << 20

// bufferLen is longer than any packet that is answered, so that longer ones
// are noticed.
const bufferLen = 2048

// NewServer returns a Server that asks h what each machine is told.
func NewServer(h Handler, opts ...Option) (*Server, error) {
	if h == nil {
		return nil, errors.New("dhcpproxy: nil Handler")
	}
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, fmt.Errorf("dhcpproxy: %w", err)
	}
	s := &Server{
		handler: h,
		cfg:     cfg,
		slots:   make(chan struct{}, cfg.workers),
		buffers: sync.Pool{New: func() any { return new([bufferLen]byte) }},
		system:  newInterfaces(nil),
	}
	s.machines = newMachines(&s.cfg)
	return s, nil
}

// ListenAndServe opens both ports on all interfaces and serves them until ctx
// is done, when it returns nil, or until one fails. If one port cannot be
// opened, neither is served.
func (s *Server) ListenAndServe(ctx context.Context) error {
	boot, err := Listen(ctx, s.cfg.bootPort)
	if err != nil {
		return err
	}
	defer func() { _ = boot.Close() }()

	var dhcp interface {
		Conn
		io.Closer
	}
	if s.cfg.packet {
		dhcp, err = ListenPacket(ctx, s.cfg.dhcpPort)
	} else {
		dhcp, err = Listen(ctx, s.cfg.dhcpPort)
	}
	if err != nil {
		return err
	}
	defer func() { _ = dhcp.Close() }()

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Serve(ctx, dhcp) })
	group.Go(func() error { return s.Serve(ctx, boot) })
	return group.Wait()
}

// Serve answers the requests that arrive on conn until ctx is done, and
// returns nil. Any other return is a failure of conn that lasted. Serve may be
// called for several Conns at once, which share workers and limits. It does
// not close conn, and leaves a read deadline in the past on it.
func (s *Server) Serve(ctx context.Context, conn Conn) error {
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetReadDeadline(time.Unix(1, 0)) // Unblocks ReadPacket.
	})
	defer stop()

	w := &work{Server: s, conn: conn, ifs: s.system, jobs: make(chan job)}
	if _, ok := conn.(Interfacer); ok {
		w.ifs = newInterfaces(conn)
	}
	defer w.wait()

	var backoff backoff
	for {
		buf := s.buffers.Get().(*[bufferLen]byte)
		n, via, err := conn.ReadPacket(buf[:])
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			s.buffers.Put(buf)
			if err := s.readFailed(ctx, err, &backoff); err != nil {
				return err
			}
			continue
		}
		backoff = 0
		s.counters.received.Add(1)
		w.start(ctx, buf, n, via)
	}
}

// A backoff counts reads that failed in a row.
type backoff int

// maxReadErrors in a row, some 20 seconds' worth, mean that a Conn is broken
// for good.
const maxReadErrors = 30

// readFailed waits a little after a read error: an interface that goes down
// causes some and comes back. It returns an error if there is no hope.
func (s *Server) readFailed(ctx context.Context, err error, b *backoff) error {
	*b++
	broken := errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed) || errors.Is(err, io.EOF)
	if broken || *b > maxReadErrors {
		return &Error{Op: "read", Err: err}
	}
	s.counters.readErrors.Add(1)
	s.cfg.log.WarnContext(ctx, "read failed", slog.Any("error", err), slog.Int("in_a_row", int(*b)))
	select {
	case <-ctx.Done():
	case <-time.After(min(time.Second, time.Millisecond<<*b)):
	}
	return nil
}

// sendTime is how long the reader waits for workers that compute or send,
// which takes microseconds unless the host is overloaded.
const sendTime = 5 * time.Millisecond

// acquire takes a worker if one is free. It waits a moment for those that
// compute or send, and for no handler.
func (s *Server) acquire() bool {
	for range cap(s.slots) + 1 {
		select {
		case s.slots <- struct{}{}:
			return true
		default:
			runtime.Gosched() // Lets those that compute finish.
		}
	}
	if s.asking.Load() == int64(cap(s.slots)) {
		return false
	}
	timer := time.NewTimer(sendTime)
	defer timer.Stop()
	select {
	case s.slots <- struct{}{}:
		return true
	case <-timer.C:
		return false
	}
}
