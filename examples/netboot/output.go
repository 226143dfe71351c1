package main

import (
	"context"
	"io"
	"log/slog"

	"github.com/netbootkit/netbootkit/examples/internal/console"
	"github.com/netbootkit/netbootkit/examples/internal/timeline"
)

// An output is where steps and log records go: lines for people, or JSON.
type output struct {
	log   *slog.Logger // what this program has to say
	quiet *slog.Logger // what the packages log: their steps come as events already
	lines *timeline.Timeline
	w     *console.Writer
}

func newOutput(c *config, w io.Writer) *output {
	level := slog.LevelInfo
	if c.debug {
		level = slog.LevelDebug
	}
	lines := console.NewWriter(w)
	var h slog.Handler = console.NewHandler(lines, level)
	if c.logFormat == "json" {
		h = slog.NewJSONHandler(lines, &slog.HandlerOptions{Level: level})
	}
	out := &output{log: slog.New(h), quiet: slog.New(atLeast{h, slog.LevelError}), w: lines}
	if c.debug {
		out.quiet = out.log
	}
	write := out.writeText
	if c.logFormat == "json" {
		write = out.writeJSON
	}
	out.lines = timeline.New(write)
	return out
}

// close writes what has not been written yet.
func (o *output) close() { _ = o.w.Close() } // There is nowhere to report a failing log.

// add logs one step, and what a boot's steps took when it is complete.
func (o *output) add(s timeline.Step) {
	o.lines.Add(s)
	if s.Stage == timeline.Booting && s.Err == nil {
		if sum := timeline.Summary(o.lines.Boot(s.MAC)); sum != "" {
			o.log.Info(sum)
		}
	}
}

func (o *output) writeText(s timeline.Step) {
	if s.Stage != timeline.Booting { // The summary says that as well.
		o.write(s, s.String())
	}
}

func (o *output) writeJSON(s timeline.Step) { o.write(s, "step", s.Attrs()...) }

func (o *output) write(s timeline.Step, msg string, attrs ...slog.Attr) {
	ctx := context.Background()
	if o.log.Enabled(ctx, s.Level()) {
		r := slog.NewRecord(s.Time, s.Level(), msg, 0)
		r.AddAttrs(attrs...)
		_ = o.log.Handler().Handle(ctx, r) // There is nowhere to report a failing log.
	}
}

// atLeast lets through records of a level or above.
type atLeast struct {
	slog.Handler

	level slog.Level
}

// Enabled implements [slog.Handler].
func (h atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= h.level && h.Handler.Enabled(ctx, l)
}

// WithAttrs implements [slog.Handler].
func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.Handler.WithAttrs(attrs), h.level}
}

// WithGroup implements [slog.Handler].
func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.Handler.WithGroup(name), h.level}
}

var _ slog.Handler = atLeast{}
