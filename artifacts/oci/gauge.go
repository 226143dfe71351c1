package oci

import (
	"io"
	"sync"
	"time"
)

const reportInterval = 100 * time.Millisecond

// A gauge adds up how far several transfers are and reports the sum. A nil
// gauge does nothing.
type gauge struct {
	report func(name string, done, total int64)
	name   string
	total  int64

	mu    sync.Mutex
	parts map[string]int64
	done  int64
	last  time.Time
}

// newGauge reports that of total bytes none is done; total is −1 if unknown.
func newGauge(name string, total int64, report func(name string, done, total int64)) *gauge {
	report(name, 0, total)
	return &gauge{report: report, name: name, total: total, parts: make(map[string]int64), last: time.Now()}
}

// set says how many bytes of the part there are.
func (g *gauge) set(part string, n int64) {
	if g == nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.done += n - g.parts[part]
	g.parts[part] = n
	if now := time.Now(); now.Sub(g.last) >= reportInterval && (g.done < g.total || g.total < 0) {
		g.last = now
		g.report(g.name, g.done, g.total)
	}
}

// finish makes the last report. Call it only after success.
func (g *gauge) finish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.total < 0 {
		g.total = g.done
	}
	g.report(g.name, g.total, g.total)
}

// watch returns rc, of which each byte counts for part, starting at the
// offset start.
func (g *gauge) watch(rc io.ReadCloser, part string, start int64) io.ReadCloser {
	if g == nil {
		return rc
	}
	g.set(part, start)
	return &watched{ReadCloser: rc, gauge: g, part: part, off: start}
}

type watched struct {
	io.ReadCloser
	gauge *gauge
	part  string
	off   int64
}

// Read implements [io.Reader].
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.ReadCloser.Read(p)
	w.off += int64(n)
	w.gauge.set(w.part, w.off)
	return n, err
}
