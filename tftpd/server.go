package tftpd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// errShutdown is why transfers end that outlast the grace period.
var errShutdown = errors.New("server is shutting down")

// A Server answers TFTP read requests. It is safe for concurrent use.
type Server struct {
	handler Handler
	cfg     config
	buffers sync.Pool // of *buffer
}

// NewServer returns a Server that takes its files from h.
func NewServer(h Handler, opts ...Option) (*Server, error) {
	if h == nil {
		return nil, errors.New("tftpd: nil Handler")
	}
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, fmt.Errorf("tftpd: %w", err)
	}
	return &Server{
		handler: h,
		cfg:     cfg,
		buffers: sync.Pool{New: func() any { return new(buffer) }},
	}, nil
}

// ListenAndServe serves on the UDP address addr, such as ":69", until ctx is
// done. See [Server.Serve].
func (s *Server) ListenAndServe(ctx context.Context, addr string) error {
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", addr)
	if err != nil {
		return fmt.Errorf("tftpd: %w", err)
	}
	defer conn.Close()
	return s.Serve(ctx, conn)
}

// Serve answers the requests that arrive on conn until ctx is done, waits for
// running transfers as long as the grace period lasts, and returns nil. Any
// other return is a failure of conn. Serve does not close conn, which can be
// used again afterwards.
//
// Each transfer has a UDP socket of its own beside conn, on the address that
// the client asked. If conn is a [*net.UDPConn] bound to no address in
// particular, Serve turns on the control messages that tell which one that was.
func (s *Server) Serve(ctx context.Context, conn net.PacketConn) error {
	work, abort := context.WithCancelCause(context.WithoutCancel(ctx))
	defer abort(nil)

	unblocked := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetReadDeadline(time.Unix(1, 0)) // Ends a read.
		close(unblocked)
	})
	g := newGuard(s, newListener(conn))
	err := g.receive(ctx, work)
	if !stop() {
		<-unblocked
		_ = conn.SetReadDeadline(time.Time{})
	}

	timer := time.AfterFunc(s.cfg.grace, func() { abort(errShutdown) })
	defer timer.Stop()
	g.sessions.Wait()
	return err
}
