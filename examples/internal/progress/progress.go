package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// barWidth is how many characters a full bar has.
const barWidth = 30

// A Display shows progress. Its methods may be called concurrently.
type Display struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	now      func() time.Time
	name     string // what is drawn now
	width    int    // of the line that is on the terminal
	started  map[string]time.Time
}

// New returns a Display on w, which is a terminal if it is a character device.
func New(w io.Writer) *Display {
	d := &Display{w: w, now: time.Now, started: make(map[string]time.Time)}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		d.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
	}
	return d
}

// Update says that done of total bytes of what is called name are done. The
// total is -1 while it is unknown.
func (d *Display) Update(name string, done, total int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	start, known := d.started[name]
	if !known {
		start = d.now()
		d.started[name] = start
	}
	finished := done == total
	switch {
	case d.terminal:
		d.draw(name, Line(name, done, total, d.now().Sub(start)), finished)
	case finished:
		fmt.Fprintln(d.w, Line(name, done, total, d.now().Sub(start)))
	case !known:
		fmt.Fprintln(d.w, name+" …")
	}
	if finished {
		delete(d.started, name)
	}
}

// draw puts text in the place of what the terminal's line says now.
func (d *Display) draw(name, text string, finished bool) {
	if d.name != name && d.width > 0 {
		fmt.Fprintln(d.w)
		d.width = 0
	}
	n := len([]rune(text))
	fmt.Fprint(d.w, "\r", text, strings.Repeat(" ", max(d.width-n, 0)))
	d.name, d.width = name, n
	if finished {
		fmt.Fprintln(d.w)
		d.width = 0
	}
}

// Close ends the line that is being drawn, so that an error starts a new one.
func (d *Display) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.width > 0 {
		fmt.Fprintln(d.w)
		d.width = 0
	}
}

// Line returns what is shown when done of total bytes took so long.
func Line(name string, done, total int64, took time.Duration) string {
	rate := ""
	if seconds := took.Seconds(); seconds >= 0.1 {
		rate = fmt.Sprintf(", %s/s", Bytes(int64(float64(done)/seconds)))
	}
	if total <= 0 {
		return fmt.Sprintf("%-12s %s%s", name, Bytes(done), rate)
	}
	full := int(min(done, total) * barWidth / total)
	bar := strings.Repeat("#", full) + strings.Repeat(".", barWidth-full)
	return fmt.Sprintf("%-12s [%s] %3d %% of %s%s", name, bar, min(done, total)*100/total, Bytes(total), rate)
}

// Bytes returns n as people read it, in binary units.
func Bytes(n int64) string {
	const units = "KMGTPE"
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	v, i := float64(n)/1024, 0
	for v >= 1024 && i < len(units)-1 {
		v, i = v/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", v, units[i])
}
