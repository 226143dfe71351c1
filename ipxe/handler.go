package ipxe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// Bounds of Retry-After, in seconds.
const (
	minRetryAfter = 1
	maxRetryAfter = 60
	busyRetry     = 3
)

// A Handler answers machines that boot: with a script each, and with the
// files which that script names. It implements [http.Handler] for the paths
// under /_/ and is safe for concurrent use.
type Handler struct {
	booter Booter
	cfg    config
	sealer *sealer
	slots  chan struct{}
}

// NewHandler returns a handler that asks b what to boot. It returns all
// faults of the options at once.
func NewHandler(b Booter, opts ...Option) (*Handler, error) {
	if b == nil {
		return nil, errors.New("ipxe: booter is nil")
	}
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	s, err := newSealer(cfg.key)
	if err != nil {
		return nil, err
	}
	return &Handler{booter: b, cfg: cfg, sealer: s, slots: make(chan struct{}, cfg.transfers)}, nil
}

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	t := &transfer{ResponseWriter: w, idle: h.cfg.idle}
	defer h.recover(t, r)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		h.refuse(t, http.StatusMethodNotAllowed, "only GET and HEAD")
		return
	}
	if r.ContentLength != 0 { // A body would be waited for, without a deadline.
		t.limitBody()
		h.refuse(t, http.StatusBadRequest, "request has a body")
		return
	}
	switch path := r.URL.Path; {
	case path == "/_/ipxe":
		h.serveScript(t, r)
	case path == "/_/file":
		h.serveFile(t, r)
	case path == "/_/booting":
		h.serveBooting(t, r)
	case strings.HasPrefix(path, "/_/boot/") && h.cfg.programs != nil:
		h.serveProgram(t, r)
	default:
		h.refuse(t, http.StatusNotFound, "not found")
	}
}

// recover turns a panic of a callback into a status, or a cut connection
// where the status is sent already.
func (h *Handler) recover(t *transfer, r *http.Request) {
	v := recover()
	if v == nil {
		return
	}
	if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(v)
	}
	h.cfg.log.Error("panic while answering", slog.String("path", r.URL.Path),
		slog.String("error", fmt.Sprint(v)), slog.String("stack", string(debug.Stack())))
	if t.status != 0 || t.bytes > 0 {
		panic(http.ErrAbortHandler)
	}
	h.refuse(t, http.StatusInternalServerError, "internal error")
}

// serveScript answers /_/ipxe.
func (h *Handler) serveScript(t *transfer, r *http.Request) {
	start := time.Now()
	m, err := parseMachine(r.URL.Query())
	if err != nil {
		h.refuse(t, http.StatusBadRequest, err.Error())
		return
	}
	e := Event{Stage: StageScript, MAC: m.MAC, UUID: m.UUID, File: "script"}
	spec, err := h.booter.BootSpec(r.Context(), m)
	if err != nil {
		h.fail(t, r, start, e, &Error{Op: "spec", MAC: m.MAC, Err: err})
		return
	}
	if spec == nil {
		h.cfg.log.Info("machine is not ours", slog.String("mac", m.MAC.String()), slog.String("peer", r.RemoteAddr))
		h.refuse(t, http.StatusNotFound, "nothing to boot for this machine")
		return
	}
	if spec.Local != LocalNone {
		e.Stage = StageLocal
	}
	if spec.Local == LocalNotFound {
		h.refuse(t, http.StatusNotFound, "this machine boots from disk")
		h.done(t, r, start, e, nil)
		return
	}
	text, err := h.render(r, m, spec)
	if err != nil {
		h.fail(t, r, start, e, &Error{Op: "spec", MAC: m.MAC, Err: err})
		return
	}
	err = h.sendText(t, r, text)
	h.done(t, r, start, e, err)
	if spec.Script != "" && err == nil && r.Method == http.MethodGet {
		_ = h.booting(r.Context(), m)
	}
}

// render returns the script of spec for m.
func (h *Handler) render(r *http.Request, m *Machine, spec *Spec) ([]byte, error) {
	if spec.Script != "" {
		return rawScript(spec.Script)
	}
	base, err := h.base(r)
	if err != nil {
		return nil, err
	}
	expires := time.Now().Add(h.cfg.lifetime)
	seal := func(stage Stage, label, name string) (string, error) {
		return h.sealer.seal(&ticket{Stage: stage, MAC: m.MAC, UUID: m.UUID, Expires: expires, Label: label, Name: name})
	}
	id, err := seal(StageBooting, "booting", "")
	if err != nil {
		return nil, err
	}
	booting := base + "/_/booting?name=" + id + "&mac=" + m.MAC.String()
	script, err := spec.script(func(stage Stage, label, name string) (string, error) {
		id, err := seal(stage, label, name)
		link := base + "/_/file?name=" + id
		if stage != StageFile { // An & in a command line would need quotes in many an init.
			link += "&type=" + stage.String() + "&mac=" + m.MAC.String()
		}
		return link, err
	}, booting)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	_, err = script.WriteTo(&b)
	return b.Bytes(), err
}

// rawScript checks that iPXE would take text for a script.
func rawScript(text string) ([]byte, error) {
	for _, magic := range []string{"#!ipxe", "#!gpxe"} {
		rest, ok := strings.CutPrefix(text, magic)
		if ok && rest != "" && strings.ContainsRune(" \t\r\n\f\v", rune(rest[0])) {
			return []byte(text), nil
		}
	}
	return nil, &ScriptError{Field: "Script", Value: text[:min(len(text), 32)], Reason: "does not start with a line #!ipxe"}
}

// base returns what links start with: never anything that a client chose.
func (h *Handler) base(r *http.Request) (string, error) {
	if h.cfg.base != "" {
		return h.cfg.base, nil
	}
	local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if local == nil {
		return "", errors.New("ipxe: the connection has no local address; a base URL must be given")
	}
	addr, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return "", fmt.Errorf("ipxe: the connection's local address %v is no IP address; a base URL must be given", local)
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port()).String(), nil
}

// serveFile answers /_/file.
func (h *Handler) serveFile(t *transfer, r *http.Request) {
	start := time.Now()
	ticket, ok := h.ticket(t, r)
	if !ok {
		return
	}
	e := Event{Stage: ticket.Stage, MAC: ticket.MAC, UUID: ticket.UUID, File: ticket.Label, Name: ticket.Name}
	if ticket.Stage == StageBooting {
		h.refuse(t, http.StatusForbidden, errForged.Error())
		return
	}
	if !h.acquire(t) {
		return
	}
	defer h.release()
	f, err := h.booter.OpenBootFile(r.Context(), ticket.Name)
	if err != nil {
		h.fail(t, r, start, e, &Error{Op: "open", MAC: ticket.MAC, Name: ticket.Name, Err: err})
		return
	}
	defer closeFile(f)
	h.done(t, r, start, e, t.send(r, f, ticket.Name))
}

// serveBooting answers /_/booting, the last thing a script fetches.
func (h *Handler) serveBooting(t *transfer, r *http.Request) {
	start := time.Now()
	ticket, ok := h.ticket(t, r)
	if !ok {
		return
	}
	if ticket.Stage != StageBooting {
		h.refuse(t, http.StatusForbidden, errForged.Error())
		return
	}
	e := Event{Stage: StageBooting, MAC: ticket.MAC, UUID: ticket.UUID, File: "booting"}
	if r.Method == http.MethodGet {
		if err := h.booting(r.Context(), &Machine{MAC: ticket.MAC, UUID: ticket.UUID}); err != nil {
			h.fail(t, r, start, e, err)
			return
		}
	}
	h.done(t, r, start, e, h.sendText(t, r, []byte("# Booting\n")))
}

// booting tells the booter that m starts its kernel.
func (h *Handler) booting(ctx context.Context, m *Machine) error {
	n, ok := h.booter.(BootingNotifier)
	if !ok {
		return nil
	}
	if err := n.Booting(ctx, m); err != nil {
		h.cfg.log.Error("booting not recorded", slog.String("mac", m.MAC.String()), slog.Any("error", err))
		return &Error{Op: "booting", MAC: m.MAC, Err: err}
	}
	return nil
}

// ticket opens the ID of r, or answers why it cannot.
func (h *Handler) ticket(t *transfer, r *http.Request) (*ticket, bool) {
	id := r.URL.Query().Get("name")
	if id == "" {
		h.refuse(t, http.StatusBadRequest, "no name")
		return nil, false
	}
	ticket, err := h.sealer.open(id, time.Now())
	if err != nil {
		h.cfg.log.Debug("link refused", slog.String("peer", r.RemoteAddr), slog.String("reason", err.Error()))
		h.refuse(t, http.StatusForbidden, err.Error())
		return nil, false
	}
	return ticket, true
}

// acquire takes a place among the transfers, or tells the client to wait.
func (h *Handler) acquire(t *transfer) bool {
	select {
	case h.slots <- struct{}{}:
		return true
	default:
		t.Header().Set("Retry-After", strconv.Itoa(busyRetry))
		h.refuse(t, http.StatusServiceUnavailable, "too many transfers")
		return false
	}
}

func (h *Handler) release() { <-h.slots }

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

// closeFile closes f if it can be closed.
func closeFile(f File) {
	if c, ok := f.(interface{ Close() error }); ok {
		_ = c.Close() // It was only read.
	}
}
