package tartree

import (
	"archive/tar"
	"context"
	"fmt"
	"io"
	"os"
	"sync/atomic"
)

const (
	extentSize = 1 << 20   // what an intake reserves for small files
	smallSize  = 128 << 10 // the largest file that goes there
)

// A spool is a file that holds the contents of layers' files, in any order.
type spool struct {
	file     *os.File
	removed  bool // its name is gone already; Windows keeps it while open
	limit    int64
	progress func(int64)
	end      atomic.Int64
	bytes    atomic.Int64 // read from layers
	content  atomic.Int64 // of files, holes included
	entries  atomic.Int64
	weight   atomic.Int64
}

// newSpool returns a spool with a file of its own in dir.
func newSpool(dir string, limit int64, progress func(int64)) (*spool, error) {
	file, err := os.CreateTemp(dir, "netbootkit-layers-")
	if err != nil {
		return nil, fmt.Errorf("temporary file for layers: %w", err)
	}
	return &spool{file: file, removed: os.Remove(file.Name()) == nil, limit: limit, progress: progress}, nil
}

// close removes the file.
func (s *spool) close() error {
	err := s.file.Close()
	if !s.removed {
		_ = os.Remove(s.file.Name()) // It was written by us, for us.
	}
	return err
}

// count adds n bytes to those of the layers.
func (s *spool) count(n int64) error {
	s.progress(n)
	if s.bytes.Add(n) > s.limit {
		return fmt.Errorf("layers are larger than %d bytes", s.limit)
	}
	return nil
}

// charge holds all steps that wait in memory to the limits of one tree.
func (s *spool) charge(st *step) error {
	weight := int64(len(st.name) + len(st.link))
	if st.node != nil {
		weight += st.node.weight()
	}
	if s.entries.Add(1) > 2*maxEntries || s.weight.Add(weight) > 2*maxWeight {
		return fmt.Errorf("more than %d entries, or %d bytes of names and attributes, in all layers", 2*maxEntries, 2*maxWeight)
	}
	return nil
}

// reserve returns where n bytes may be written.
func (s *spool) reserve(n int64) int64 { return s.end.Add(n) - n }

// An intake brings the files of one layer into the spool, small ones many at
// a time.
type intake struct {
	spool  *spool
	extent []byte // what waits to be written at base
	base   int64
	buf    []byte
}

func (s *spool) newIntake() *intake {
	return &intake{spool: s, extent: make([]byte, 0, extentSize), base: s.reserve(extentSize)}
}

func (in *intake) copyBuffer() []byte {
	if in.buf == nil {
		in.buf = make([]byte, 256<<10)
	}
	return in.buf
}

// take copies the content of n, if it has one, from r.
func (in *intake) take(n *Node, r io.Reader) error {
	if n.Type != tar.TypeReg {
		return nil
	}
	if n.Size > in.spool.limit || in.spool.content.Add(n.Size) > in.spool.limit { // Holes are cheap to claim.
		return fmt.Errorf("files are larger than %d bytes", in.spool.limit)
	}
	if n.Size > smallSize {
		n.Offset = in.spool.reserve(n.Size)
		_, err := io.CopyBuffer(io.NewOffsetWriter(in.spool.file, n.Offset), struct{ io.Reader }{r}, in.copyBuffer())
		return err
	}
	used := len(in.extent)
	if used+int(n.Size) > extentSize {
		if err := in.flush(); err != nil {
			return err
		}
		in.base, used = in.spool.reserve(extentSize), 0
	}
	in.extent = in.extent[:used+int(n.Size)]
	n.Offset = in.base + int64(used)
	_, err := io.ReadFull(r, in.extent[used:])
	return err
}

// flush writes what waits.
func (in *intake) flush() error {
	_, err := in.spool.file.WriteAt(in.extent, in.base)
	in.extent = in.extent[:0]
	return err
}

// An output copies contents from the spool.
type output struct {
	spool *spool
	ctx   context.Context //nolint:containedctx // It lives as long as one call of write.
	buf   []byte
}

func (s *spool) newOutput(ctx context.Context) *output {
	return &output{s, ctx, make([]byte, 256<<10)}
}

// copy writes the content of n to w.
func (o *output) copy(w io.Writer, n *Node) error {
	for off := int64(0); off < n.Size; {
		if err := o.ctx.Err(); err != nil {
			return err
		}
		chunk := o.buf[:min(int64(len(o.buf)), n.Size-off)]
		if _, err := o.spool.file.ReadAt(chunk, n.Offset+off); err != nil {
			return err
		}
		if _, err := w.Write(chunk); err != nil {
			return err
		}
		o.spool.progress(int64(len(chunk)))
		off += int64(len(chunk))
	}
	return nil
}
