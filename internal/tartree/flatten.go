package tartree

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// A Layer opens one layer's uncompressed tar.
type Layer func(ctx context.Context) (io.ReadCloser, error)

// A Flattening says how [Flatten] works.
type Flattening struct {
	Layers   []Layer     // lowest first
	Dir      string      // for a temporary file; "" for the system's folder
	MaxBytes int64       // of all layers together, holes included
	Progress func(int64) // told of bytes read or written; calls may be concurrent
}

// Flatten writes one tar of all layers to w, as package oci's Flatten
// documents. It reads each layer once, some side by side, keeps the contents of
// files in a temporary file, and writes those that are left.
func Flatten(ctx context.Context, w io.Writer, f Flattening) (err error) {
	s, err := newSpool(f.Dir, f.MaxBytes, f.Progress)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	layers, err := readLayers(ctx, f.Layers, s)
	if err != nil {
		return err
	}
	t := New()
	for i, steps := range layers {
		if err := applyLayer(ctx, t, i, steps); err != nil {
			return fmt.Errorf("layer %d: %w", i+1, err)
		}
		layers[i] = nil
	}
	t.Freeze()
	return t.write(ctx, w, s)
}

// readLayers reads all layers, as many at a time as there are processors.
func readLayers(ctx context.Context, layers []Layer, s *spool) ([][]step, error) {
	all := make([][]step, len(layers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(min(runtime.GOMAXPROCS(0), 4))
	for i, open := range layers {
		group.Go(func() error {
			steps, err := readLayer(ctx, open, s)
			if err != nil {
				return fmt.Errorf("layer %d: %w", i+1, err)
			}
			all[i] = steps
			return nil
		})
	}
	return all, group.Wait()
}

// readLayer reads a layer to its very end, where its digest is checked.
func readLayer(ctx context.Context, open Layer, s *spool) ([]step, error) {
	body, err := open(ctx)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	r := &meteredReader{ctx: ctx, r: body, spool: s}
	in := s.newIntake()
	steps, err := readSteps(r, in)
	if err != nil {
		return nil, err
	}
	if err := in.flush(); err != nil {
		return nil, err
	}
	_, err = io.CopyBuffer(io.Discard, struct{ io.Reader }{r}, in.copyBuffer())
	return steps, err
}

// readSteps reads a layer to the end of its tar.
func readSteps(r io.Reader, in *intake) ([]step, error) {
	tr := tar.NewReader(r)
	var steps []step
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return steps, nil
		}
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			return nil, err
		}
		s, err := newStep(h, true)
		if err == nil && s.node != nil {
			err = in.take(s.node, tr)
		}
		if err == nil {
			err = in.spool.charge(&s)
		}
		if err != nil {
			return nil, &EntryError{h.Name, err}
		}
		if s.op != opSkip {
			steps = append(steps, s)
		}
	}
}

func applyLayer(ctx context.Context, t *Tree, layer int, steps []step) error {
	for i := range steps {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := steps[i].apply(t, layer); err != nil {
			return &EntryError{steps[i].name, err}
		}
	}
	return nil
}

// write writes all of t to w, with contents from s.
func (t *Tree) write(ctx context.Context, w io.Writer, s *spool) error {
	buffered := bufio.NewWriterSize(w, 256<<10)
	tw := tar.NewWriter(buffered)
	out := s.newOutput(ctx)
	err := t.Walk(func(name string, n *Node) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		h := n.Header(name)
		if h.Typeflag == tar.TypeLink {
			h.Size, h.PAXRecords = 0, nil
		}
		if err := tw.WriteHeader(h); err != nil {
			return &EntryError{name, err}
		}
		if h.Typeflag != tar.TypeReg {
			return nil
		}
		return out.copy(tw, n)
	})
	if err != nil {
		return err
	}
	if err := tw.Close(); err != nil {
		return err
	}
	return buffered.Flush()
}

// A meteredReader reads a layer, until the context ends or the limit of the
// spool is passed.
type meteredReader struct {
	ctx   context.Context //nolint:containedctx // It lives as long as one call of readLayer.
	r     io.Reader
	spool *spool
}

// Read implements [io.Reader].
func (m *meteredReader) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	if failed := m.spool.count(int64(n)); failed != nil {
		return n, failed
	}
	return n, err
}
