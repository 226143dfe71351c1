package ipxe

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Limits of the server that [Handler.Serve] runs. There is none for a whole
// response: a large file on a slow link takes as long as it takes.
const (
	readHeaderTimeout = 10 * time.Second
	keepAliveTimeout  = 2 * time.Minute
	maxHeaderBytes    = 16 << 10
)

// ListenAndServe serves on the TCP address addr, such as ":8090", until ctx is
// done. See [Handler.Serve].
func (h *Handler) ListenAndServe(ctx context.Context, addr string) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return fmt.Errorf("ipxe: %w", err)
	}
	defer func() { _ = ln.Close() }() // Serve has ended all that used it.
	return h.Serve(ctx, ln)
}

// Serve answers HTTP requests on ln, or HTTPS with [WithTLS], until ctx is
// cancelled. Then it stops accepting, gives running transfers the grace
// period, and returns nil. Any other return is a failure. Serve does not
// close ln, unless ln lacks the SetDeadline method that would stop it
// otherwise; those of package net have one.
func (h *Handler) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler:           h,
		ConnContext:       withConn,
		ReadHeaderTimeout: readHeaderTimeout,
		IdleTimeout:       keepAliveTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(h.cfg.log.Handler(), slog.LevelDebug),
		// No HTTP/2: no boot firmware speaks it, and it takes no sendfile.
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
	}
	lent := borrowed{ln}
	defer lent.restore()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(h.secure(lent)) }()
	select {
	case err := <-served:
		_ = srv.Close()
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), h.cfg.grace)
	defer cancel()
	if srv.Shutdown(grace) != nil {
		_ = srv.Close() // What is still running has had its time.
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// secure puts TLS around ln if there is a certificate.
func (h *Handler) secure(ln net.Listener) net.Listener {
	if h.cfg.tls == nil {
		return ln
	}
	cfg := h.cfg.tls.Clone()
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	cfg.NextProtos = []string{"http/1.1"}
	return tls.NewListener(ln, cfg)
}

// borrowed is a listener that is not ours to close. Closing it only stops it
// from accepting.
type borrowed struct{ net.Listener }

type deadliner interface{ SetDeadline(t time.Time) error }

// Close unblocks Accept.
func (l borrowed) Close() error {
	if d, ok := l.Listener.(deadliner); ok {
		return d.SetDeadline(time.Unix(1, 0))
	}
	return l.Listener.Close() // There is no other way to stop it.
}

// restore undoes Close.
func (l borrowed) restore() {
	if d, ok := l.Listener.(deadliner); ok {
		_ = d.SetDeadline(time.Time{}) // It may be closed by now.
	}
}
