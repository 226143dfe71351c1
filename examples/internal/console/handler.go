package console

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// Stamp is how a line begins, the local time.
const Stamp = "2006/01/02 15:04:05"

// A Handler is a [slog.Handler] that writes one line for each record. It is
// safe for concurrent use.
type Handler struct {
	mu    *sync.Mutex
	w     io.Writer
	level slog.Level
	group string // the names of open groups, each followed by a dot
	attrs string // what WithAttrs was given, ready to be written
}

// NewHandler returns a Handler that writes records of at least level to w.
func NewHandler(w io.Writer, level slog.Level) *Handler {
	return &Handler{mu: new(sync.Mutex), w: w, level: level}
}

// Enabled implements [slog.Handler].
func (h *Handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.level }

// Handle implements [slog.Handler].
func (h *Handler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(r.Time.Local().Format(Stamp))
	if r.Level != slog.LevelInfo {
		b.WriteString(" " + r.Level.String())
	}
	b.WriteString(" " + r.Message + h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.group, a)
		return true
	})
	b.WriteByte('\n')
	h.mu.Lock()
	defer h.mu.Unlock()
	_, err := io.WriteString(h.w, b.String())
	return err
}

// WithAttrs implements [slog.Handler].
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		writeAttr(&b, h.group, a)
	}
	c := *h
	c.attrs += b.String()
	return &c
}

// WithGroup implements [slog.Handler].
func (h *Handler) WithGroup(name string) slog.Handler {
	c := *h
	if name != "" {
		c.group += name + "."
	}
	return &c
}

func writeAttr(b *strings.Builder, group string, a slog.Attr) {
	v := a.Value.Resolve()
	if v.Kind() == slog.KindGroup {
		for _, sub := range v.Group() {
			writeAttr(b, group+a.Key+".", sub)
		}
		return
	}
	if a.Equal(slog.Attr{}) {
		return
	}
	fmt.Fprintf(b, " %s%s=%s", group, a.Key, quote(v.String()))
}

// quote makes s one word, so that nothing from the network can look like
// another attribute or another line.
func quote(s string) string {
	odd := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '"' || r == '=' }
	if s == "" || slices.ContainsFunc([]rune(s), odd) {
		return strconv.Quote(s)
	}
	return s
}
