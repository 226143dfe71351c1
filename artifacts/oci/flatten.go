package oci

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/netbootkit/netbootkit/internal/meter"
	"github.com/netbootkit/netbootkit/internal/tartree"
)

// flattenName is what the progress of [Flatten] is called.
const flattenName = "flatten"

// WithTempDir sets the folder where [Flatten] keeps the contents of layers
// until it has written them. The default is that of [os.TempDir].
func WithTempDir(dir string) Option {
	return func(c *config) { c.tempDir = dir }
}

// Flatten applies layers one upon the other, the lowest first, and writes the
// tree that they make to w as one tar. It needs no rights: owners, devices, and
// attributes are those of the headers.
//
// Whiteouts and opaque directories hide what lower layers hold (OCI image-spec
// 1.1, layer.md), and nothing of their own layer, wherever they stand in it. A
// hard link may lead to a lower layer; a file whose first name is removed lives
// on under its others. Names are cleaned: absolute ones and `..` stay below the
// root. Symbolic links in the parents of a name are followed inside the tree, so
// that "a/x" over a link from a to b lands in b. Global PAX headers, and marks
// that AUFS left, are ignored; entries of unknown type, links to nothing and
// names below a file are errors, as they are to others.
//
// The output is a PAX archive, in the order of [fs.WalkDir] and with every
// directory: the same tree gives the same bytes, whatever the layers it came in.
// A file that has several names stands at the first of them, and the others are
// hard links to it. Names of users and groups, access and change times and other
// PAX records than extended attributes are left out; sparse files are written in
// full.
//
// Each layer is opened once and read to its end; as many at a time as there are
// processors, at most four. Memory grows with the number of entries, not with
// their size: contents wait in a temporary file, which takes as much space as all
// the files of all layers. Flatten returns ctx's error soon after ctx ends.
//
// Of the options, [WithMaxSize], [WithProgress] and [WithTempDir] count.
// Progress is called "flatten", and is in bytes read from layers and written; the
// total is −1 until the end.
func Flatten(ctx context.Context, w io.Writer, layers []Layer, opts ...Option) error {
	cfg, err := newConfig(opts)
	if err != nil {
		return err
	}
	var mu sync.Mutex // Layers are read side by side; reports do not overlap.
	progress := meter.NewWriter(io.Discard, flattenName, -1, cfg.progress)
	err = flatten(ctx, w, layers, cfg, func(n int64) {
		mu.Lock()
		defer mu.Unlock()
		progress.Add(n)
	})
	if err == nil {
		progress.Finish()
	}
	return err
}

// flatten is [Flatten] with progress of its own: it is told of bytes read or
// written, concurrently.
func flatten(ctx context.Context, w io.Writer, layers []Layer, cfg config, progress func(n int64)) error {
	job := tartree.Flattening{Dir: cfg.tempDir, MaxBytes: cfg.maxSize, Progress: progress}
	for _, layer := range layers {
		job.Layers = append(job.Layers, layer.Open)
	}
	if err := tartree.Flatten(ctx, w, job); err != nil {
		return fmt.Errorf("oci: flatten: %w", err)
	}
	return nil
}
