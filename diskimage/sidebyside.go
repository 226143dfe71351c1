package diskimage

import (
	"context"
	"errors"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// A job is a chunk of a disk on its way into an archive.
type job struct {
	off    int64  // where it is on the disk
	plain  []byte // what was read
	packed []byte // what is written for it
	parts  []part // where its parts are in packed, for formats that need to know
	ready  chan error
}

// A part is something in a job that is packed by itself.
type part struct {
	number int64 // counted on the disk
	at     int   // in packed, in bytes
}

// A packer packs the plain bytes of a job, by itself: what it makes of one
// depends on nothing else.
type packer interface {
	pack(j *job) error
}

// sideBySide has jobs filled by read until it returns [io.EOF], packed by one
// goroutine for each packer, and written in the order in which they were read.
// Read and write are never called by two goroutines at once.
func sideBySide(ctx context.Context, packers []packer, read, write func(*job) error) error {
	group, ctx := errgroup.WithContext(ctx)
	count := 2*len(packers) + 2 // Nobody waits long for a free one.
	free, work, order := make(chan *job, count), make(chan *job, count), make(chan *job, count)
	for range count {
		free <- &job{ready: make(chan error, 1)}
	}
	group.Go(func() error {
		defer close(work)
		defer close(order)
		for {
			j, err := receive(ctx, free)
			if err != nil {
				return err
			}
			if j.plain == nil {
				j.plain = make([]byte, chunkSize)
			}
			j.plain, j.packed, j.parts = j.plain[:chunkSize], j.packed[:0], j.parts[:0]
			switch err := read(j); {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			}
			work <- j // There is room for all jobs.
			order <- j
		}
	})
	for _, p := range packers {
		group.Go(func() error {
			for j := range work {
				j.ready <- p.pack(j)
			}
			return nil
		})
	}
	group.Go(func() error {
		for j := range order {
			err, stopped := receive(ctx, j.ready)
			if err = errors.Join(stopped, err); err != nil {
				return err
			}
			if err := write(j); err != nil {
				return err
			}
			free <- j
		}
		return nil
	})
	return group.Wait()
}

// processors returns how many goroutines compress.
func (c *config) processors() int {
	if c.workers > 0 {
		return c.workers
	}
	return min(runtime.GOMAXPROCS(0), maxWorkers)
}

// receive returns the next value of c, unless ctx ends before.
func receive[T any](ctx context.Context, c <-chan T) (v T, err error) {
	select {
	case v = <-c:
		return v, nil
	case <-ctx.Done():
		return v, context.Cause(ctx)
	}
}

// A sliceWriter appends what is written to it.
type sliceWriter struct{ b []byte }

// Write implements [io.Writer].
func (w *sliceWriter) Write(p []byte) (int, error) {
	w.b = append(w.b, p...)
	return len(p), nil
}
