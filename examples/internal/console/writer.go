package console

import (
	"io"
	"sync"
)

// maxPending is how many bytes may wait to be written.
const maxPending = 1 << 20

// A Writer passes on what is written to it from a goroutine of its own, so that
// who logs does not wait for the terminal. Lines that come while others are
// being written go out together: at one line a second each goes out at once,
// at a hundred thousand they share system calls. It is safe for concurrent use.
type Writer struct {
	to   io.Writer
	done chan struct{}

	mu      sync.Mutex
	changed *sync.Cond
	pending []byte
	closed  bool
	err     error // the first failure of to
}

// NewWriter returns a Writer to w. The caller closes it, which writes what is
// left.
func NewWriter(w io.Writer) *Writer {
	b := &Writer{to: w, done: make(chan struct{})}
	b.changed = sync.NewCond(&b.mu)
	go b.run()
	return b
}

// Write takes p, and waits only if a megabyte is waiting already. An error is
// that of an earlier Write.
func (b *Writer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.pending) > maxPending && b.err == nil && !b.closed {
		b.changed.Wait()
	}
	switch {
	case b.err != nil:
		return 0, b.err
	case b.closed:
		return 0, io.ErrClosedPipe
	}
	b.pending = append(b.pending, p...)
	b.changed.Broadcast()
	return len(p), nil
}

// Close writes what is left, and returns the first error of all.
func (b *Writer) Close() error {
	b.mu.Lock()
	b.closed = true
	b.changed.Broadcast()
	b.mu.Unlock()
	<-b.done
	return b.err
}

func (b *Writer) run() {
	defer close(b.done)
	var out []byte
	for {
		b.mu.Lock()
		for len(b.pending) == 0 && !b.closed {
			b.changed.Wait()
		}
		out, b.pending = b.pending, out[:0]
		b.changed.Broadcast()
		b.mu.Unlock()
		if len(out) == 0 {
			return // Closed, and all is written.
		}
		if _, err := b.to.Write(out); err != nil {
			b.mu.Lock()
			b.err = err
			b.changed.Broadcast()
			b.mu.Unlock()
			return
		}
	}
}
