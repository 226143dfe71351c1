package diskimage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
)

const (
	// chunkSize is how much of a disk is read at a time, in bytes. What formats
	// put into tables is smaller, so that chunks begin where tables do.
	chunkSize = 1 << 20
	// smallGap is the size of a hole that is not worth a range of its own, in bytes.
	smallGap = 64 << 10
)

// allZero says whether p holds zeros only.
func allZero(p []byte) bool {
	return len(p) == 0 || p[0] == 0 && bytes.Equal(p[1:], p[:len(p)-1])
}

// dataRuns returns the ranges of p that hold data, in whole units.
func dataRuns(p []byte, unit int) iter.Seq2[int, int] {
	return func(yield func(start, end int) bool) {
		start := -1
		for at := 0; at < len(p); at += unit {
			switch zero := allZero(p[at:min(at+unit, len(p))]); {
			case zero && start >= 0:
				if !yield(start, at) {
					return
				}
				start = -1
			case !zero && start < 0:
				start = at
			}
		}
		if start >= 0 {
			yield(start, len(p))
		}
	}
}

// nextData is [Sparse]'s method for any disk: one that cannot tell where its
// data is has it everywhere. Ranges lie inside the disk.
func nextData(disk File, off int64) (start, end int64, ok bool, err error) {
	size := disk.Size()
	s, sparse := disk.(Sparse)
	switch {
	case off >= size:
		return 0, 0, false, nil
	case !sparse:
		return off, size, true, nil
	}
	start, end, ok = s.NextData(off)
	if !ok || start >= size {
		return 0, 0, false, nil
	}
	if end <= max(start, off) {
		return 0, 0, false, fmt.Errorf("NextData(%d) returns the range %d to %d", off, start, end)
	}
	return max(start, off), min(end, size), true, nil
}

// A feed reads the data of a disk, in order and without its holes.
type feed struct {
	disk File
	unit int64 // what is read is whole units, in bytes
	pos  int64 // everything before it was read
	end  int64 // of the range of data that was found last
}

// next reads the next data into buf, whose length is a multiple of the unit,
// and returns where it is on the disk. No chunk goes across a multiple of
// len(buf). The last unit is filled with zeros. After the last one comes [io.EOF].
func (f *feed) next(ctx context.Context, buf []byte) (off int64, n int, err error) {
	if ctx.Err() != nil {
		return 0, 0, context.Cause(ctx)
	}
	if f.pos >= f.end {
		start, end, ok, err := nextData(f.disk, f.pos)
		switch {
		case err != nil:
			return 0, 0, err
		case !ok:
			return 0, 0, io.EOF
		}
		f.pos, f.end = max(f.pos, start/f.unit*f.unit), alignUp(end, f.unit)
	}
	limit := (f.pos/int64(len(buf)) + 1) * int64(len(buf))
	if err := f.grow(limit); err != nil {
		return 0, 0, err
	}
	off, n = f.pos, int(min(f.end, limit)-f.pos)
	f.pos += int64(n)
	have := int(min(int64(n), f.disk.Size()-off))
	clear(buf[have:n])
	return off, n, readFull(f.disk, buf[:have], off)
}

// grow makes the range of data longer by those that follow with less than
// smallGap between, as far as limit.
func (f *feed) grow(limit int64) error {
	for f.end < limit {
		start, end, ok, err := nextData(f.disk, f.end)
		if err != nil || !ok || start-f.end >= smallGap {
			return err
		}
		f.end = alignUp(end, f.unit)
	}
	return nil
}

// eachData calls fn for the data of a disk, in order, without blocks of zeros.
func eachData(ctx context.Context, disk File, fn func(ctx context.Context, p []byte, off int64) error) error {
	f := feed{disk: disk, unit: sectorSize}
	buf := make([]byte, chunkSize)
	for {
		off, n, err := f.next(ctx, buf)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		for start, end := range dataRuns(buf[:n], smallGap) {
			if err := fn(ctx, buf[start:end], off+int64(start)); err != nil {
				return err
			}
		}
	}
}

// readFull reads all of p, or says why not.
func readFull(disk File, p []byte, off int64) error {
	n, err := disk.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return fmt.Errorf("disk of %d bytes ends after %d: %w", disk.Size(), off+int64(n), io.ErrUnexpectedEOF)
	}
	return fmt.Errorf("read at %d: %w", off, err)
}
