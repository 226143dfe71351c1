package vmtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"sync"
	"time"
)

// A Transcript keeps what a program or a machine printed, and when. It is an
// [io.Writer]; its methods may be called concurrently.
type Transcript struct {
	mu      sync.Mutex
	text    []byte
	chunks  []chunk
	changed chan struct{} // closed at the next write
	copy    io.Writer     // nil if there is none
	ended   bool
}

// A chunk says until when, and how far, text was written.
type chunk struct {
	end int
	at  time.Time
}

// newTranscript returns an empty transcript that also writes to dst, unless it
// is nil.
func newTranscript(dst io.Writer) *Transcript {
	return &Transcript{changed: make(chan struct{}), copy: dst}
}

// Write adds p. It never fails.
func (t *Transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := bytes.ReplaceAll(p, []byte{'\r'}, nil)
	t.text = append(t.text, text...)
	t.chunks = append(t.chunks, chunk{len(t.text), time.Now()})
	t.wake()
	if t.copy != nil {
		_, _ = t.copy.Write(text)
	}
	return len(p), nil
}

// end says that no more will come.
func (t *Transcript) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.wake()
}

func (t *Transcript) wake() {
	close(t.changed)
	t.changed = make(chan struct{})
}

// String returns the whole text so far, without carriage returns.
func (t *Transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// Time returns when the first match of a regular expression was complete, and
// whether there is one.
func (t *Transcript) Time(expr string) (time.Time, bool) {
	re := regexp.MustCompile(expr)
	t.mu.Lock()
	defer t.mu.Unlock()
	loc := re.FindIndex(t.text)
	if loc == nil {
		return time.Time{}, false
	}
	for _, c := range t.chunks {
		if c.end >= loc[1] {
			return c.at, true
		}
	}
	return time.Time{}, false
}

// Await waits until the text matches a regular expression. It fails when ctx is
// cancelled or nothing more can come.
func (t *Transcript) Await(ctx context.Context, expr string) error {
	re := regexp.MustCompile(expr)
	for {
		t.mu.Lock()
		found, ended, changed := re.Match(t.text), t.ended, t.changed
		t.mu.Unlock()
		switch {
		case found:
			return nil
		case ended:
			return fmt.Errorf("vmtest: ended without printing %s:\n%s", re, t.Tail())
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("vmtest: waiting for %s: %w:\n%s", re, context.Cause(ctx), t.Tail())
		}
	}
}

// Tail returns the last lines, of 2000 bytes at most and without control
// sequences and reports of live systems, for messages.
func (t *Transcript) Tail() string {
	const limit = 2000
	text := regexp.MustCompile(`(?s)\nLIVE-BEGIN\n.*\nLIVE-END\n`).ReplaceAllString(plain(t.String()), "\n(a report)\n")
	if len(text) > limit {
		text = "…" + text[len(text)-limit:]
	}
	return text
}
