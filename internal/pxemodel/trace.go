package pxemodel

import (
	"fmt"
	"strings"
	"time"
)

// A Trace is the story of one boot: every packet and what became of it.
type Trace struct {
	start time.Time
	lines []string
}

func newTrace() *Trace { return &Trace{start: time.Now()} }

// Note adds a line, stamped with the time since the boot began.
func (t *Trace) Note(format string, args ...any) {
	t.lines = append(t.lines, fmt.Sprintf("%9.3fs  ", time.Since(t.start).Seconds())+fmt.Sprintf(format, args...))
}

// String returns the lines.
func (t *Trace) String() string { return strings.Join(t.lines, "\n") }
