package ipxe

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

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

// closeFile closes f if it can be closed.
func closeFile(f File) {
	if c, ok := f.(interface{ Close() error }); ok {
		_ = c.Close() // It was only read.
	}
}
