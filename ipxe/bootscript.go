package ipxe

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

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
