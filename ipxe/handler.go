package ipxe

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
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
