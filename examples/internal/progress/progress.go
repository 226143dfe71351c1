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

// usualColumns is how many characters the line of a terminal has that does not
// tell.
const usualColumns = 80

// patience is how long what is drawn may stay as it is, before something else that
// goes on takes its place.
const patience = time.Second

// A Display shows progress. Its methods may be called concurrently.
type Display struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	columns  func() int // of the terminal
	now      func() time.Time
	name     string    // what is drawn now
	drawn    time.Time // when it was
	width    int       // of the line that is on the terminal
	started  map[string]time.Time
}

// New returns a Display on w, which is a terminal if it is a character device.
func New(w io.Writer) *Display {
	d := &Display{w: w, now: time.Now, started: make(map[string]time.Time)}
	if f, ok := w.(*os.File); ok {
		info, err := f.Stat()
		d.terminal = err == nil && info.Mode()&os.ModeCharDevice != 0
		d.columns = func() int { return columns(f) }
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
	case d.terminal && finished:
		d.end(name, d.line(name, done, total, start))
	case d.terminal:
		d.draw(name, d.line(name, done, total, start))
	case finished:
		fmt.Fprintln(d.w, Line(name, done, total, d.now().Sub(start)))
	case !known:
		fmt.Fprintln(d.w, name+" …")
	}
	if finished {
		delete(d.started, name)
	}
}

// line returns what is shown of name, cut at its start to what a line of the
// terminal can hold: a longer one could not be drawn over.
func (d *Display) line(name string, done, total int64, start time.Time) string {
	took := d.now().Sub(start)
	text := []rune(Line(name, done, total, took))
	most := d.columns() - 1 // Some terminals go on to the next line behind the last column.
	if len(text) <= most {
		return string(text)
	}
	runes := []rune(name)
	kept := max(len(runes)-(len(text)-most)-1, 0)
	return Line("…"+string(runes[len(runes)-kept:]), done, total, took)
}

// draw puts text in the place of what the terminal's line says now, unless that
// is something else which is under way: of several things the first is shown.
func (d *Display) draw(name, text string) {
	now := d.now()
	if d.name != "" && d.name != name {
		if now.Sub(d.drawn) < patience {
			return
		}
		d.newLine()
	}
	d.put(text)
	d.name, d.drawn = name, now
}

// end puts text in the place of what the terminal's line says now, and leaves it
// there: that name is done.
func (d *Display) end(name, text string) {
	d.put(text)
	d.newLine()
	if d.name == name {
		d.name = ""
	}
}

// put puts text in the place of what the terminal's line says now.
func (d *Display) put(text string) {
	n := len([]rune(text))
	fmt.Fprint(d.w, "\r", text, strings.Repeat(" ", max(d.width-n, 0)))
	d.width = n
}

// newLine ends the line that is being drawn.
func (d *Display) newLine() {
	if d.width > 0 {
		fmt.Fprintln(d.w)
		d.width = 0
	}
}

// Write writes whole lines, such as those of a log, below what is being drawn.
func (d *Display) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.newLine()
	return d.w.Write(p)
}

// Close ends the line that is being drawn, so that an error starts a new one.
func (d *Display) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.newLine()
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
