package ipxe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// Bounds of Retry-After, in seconds.
const (
	minRetryAfter = 1
	maxRetryAfter = 60
	busyRetry     = 3
)

// sendText answers r with a short text.
func (h *Handler) sendText(t *transfer, r *http.Request, text []byte) error {
	header := t.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(text)))
	header.Set("Cache-Control", "no-store")
	t.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	_, _ = t.Write(text) // The transfer keeps the error.
	return t.finish(r.Method)
}

// refuse answers with a status and a reason that says nothing about the
// server.
func (h *Handler) refuse(t *transfer, status int, reason string) {
	header := t.Header()
	header.Del("ETag")
	reason += "\n"
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("Content-Length", strconv.Itoa(len(reason)))
	t.WriteHeader(status)
	_, _ = t.Write([]byte(reason))
}

// fail answers with the status that err calls for, and reports the event.
func (h *Handler) fail(t *transfer, r *http.Request, start time.Time, e Event, err error) {
	switch {
	case errors.Is(err, ErrNotReady):
		seconds := minRetryAfter
		if wait, ok := errors.AsType[*NotReadyError](err); ok {
			seconds = int(math.Ceil(wait.RetryAfter.Seconds()))
		}
		t.Header().Set("Retry-After", strconv.Itoa(min(max(seconds, minRetryAfter), maxRetryAfter)))
		h.refuse(t, http.StatusServiceUnavailable, "not ready yet")
	case errors.Is(err, fs.ErrNotExist):
		h.refuse(t, http.StatusNotFound, "not found")
	case errors.Is(err, fs.ErrPermission):
		h.refuse(t, http.StatusForbidden, "not allowed")
	default:
		h.refuse(t, http.StatusInternalServerError, "internal error")
	}
	h.done(t, r, start, e, err)
}

// done reports how a step ended. A HEAD request is no step.
func (h *Handler) done(t *transfer, r *http.Request, start time.Time, e Event, err error) {
	if r.Method == http.MethodHead && err == nil {
		return
	}
	if _, known := errors.AsType[*Error](err); err != nil && !known {
		err = &Error{Op: "send", MAC: e.MAC, Name: e.Name, Err: err}
	}
	e.Err = err
	e.Time = time.Now()
	e.Duration = e.Time.Sub(start)
	e.Bytes = t.bytes
	e.Peer = peer(r)
	h.log(&e)
	h.emit(e)
}

// log writes the line that an operator wants to see.
func (h *Handler) log(e *Event) {
	attrs := []slog.Attr{
		slog.String("stage", e.Stage.String()), slog.String("mac", e.MAC.String()), slog.String("peer", e.Peer.String()),
		slog.String("file", e.File), slog.Int64("bytes", e.Bytes), slog.Duration("duration", e.Duration),
	}
	switch {
	case errors.Is(e.Err, ErrNotReady):
		h.cfg.log.LogAttrs(context.Background(), slog.LevelInfo, "not ready yet", attrs...)
	case e.Err != nil:
		h.cfg.log.LogAttrs(context.Background(), slog.LevelWarn, "step failed", append(attrs, slog.Any("error", e.Err))...)
	default:
		h.cfg.log.LogAttrs(context.Background(), slog.LevelInfo, "step done", attrs...)
	}
}

// emit calls the event function, whose panics end nothing.
func (h *Handler) emit(e Event) {
	defer func() {
		if v := recover(); v != nil {
			h.cfg.log.Error("panic in event function", slog.String("error", fmt.Sprint(v)))
		}
	}()
	h.cfg.onEvent(e)
}

// peer returns where r came from, or the zero value.
func peer(r *http.Request) netip.AddrPort {
	p, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(p.Addr().Unmap(), p.Port())
}
