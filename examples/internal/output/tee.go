package output

import (
	"errors"
	"hash"
	"os"
	"sync/atomic"
)

// chunkSize is how much is written and hashed at a time, in bytes. More is much
// slower where a virtual machine gives free memory back to its host: for 1 MiB
// Linux's page cache wants memory in such large pieces as went back, and 600 MB
// took 0.9 s, which took 0.16 s by 256 KiB.
const chunkSize = 256 << 10

// A tee writes to a file and computes a digest side by side, so that the one
// does not wait for the other.
type tee struct {
	chunk []byte
	full  chan []byte // to be written and hashed
	free  chan []byte // to be filled
	ended chan struct{}
	err   atomic.Pointer[error] // the first one
}

// startEvery is after how many chunks the system is told to begin to write them to
// the disk, so that it does not all wait for the end.
const startEvery = 32

// newTee returns a tee to w and sum. The caller closes it.
func newTee(w *os.File, sum hash.Hash) *tee {
	const chunks = 4
	t := &tee{full: make(chan []byte, chunks), free: make(chan []byte, chunks), ended: make(chan struct{})}
	for range chunks {
		t.free <- make([]byte, 0, chunkSize)
	}
	t.chunk = <-t.free
	go t.run(w, sum)
	return t
}

// run writes and hashes full chunks until there are no more.
func (t *tee) run(w *os.File, sum hash.Hash) {
	defer close(t.ended)
	written, n := make(chan error, 1), int64(0)
	for chunk := range t.full {
		if n++; t.failure() == nil {
			go func() {
				_, err := w.Write(chunk)
				if n%startEvery == 0 {
					startWriting(w, (n-startEvery)*chunkSize, startEvery*chunkSize)
				}
				written <- err
			}()
			sum.Write(chunk)
			if err := <-written; err != nil {
				t.err.Store(&err)
			}
		}
		t.free <- chunk[:0]
	}
}

// failure returns the first error so far.
func (t *tee) failure() error {
	if err := t.err.Load(); err != nil {
		return *err
	}
	return nil
}

// Write takes p, or says what failed before.
func (t *tee) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if err := t.failure(); err != nil {
			return n - len(p), err
		}
		k := copy(t.chunk[len(t.chunk):chunkSize], p)
		t.chunk, p = t.chunk[:len(t.chunk)+k], p[k:]
		if len(t.chunk) == chunkSize {
			t.full <- t.chunk
			t.chunk = <-t.free
		}
	}
	return n, nil
}

// Close writes what is left, and returns the first error of all.
func (t *tee) Close() error {
	if t.chunk == nil {
		return errors.New("closed already")
	}
	t.full <- t.chunk
	t.chunk = nil
	close(t.full)
	<-t.ended
	return t.failure()
}
