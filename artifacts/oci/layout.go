package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

const (
	layoutFile = "oci-layout"
	indexFile  = "index.json"
)

// Layout returns the image in fsys, which has the files of an OCI image
// layout (OCI image-spec 1.1, image-layout.md). If it holds images of several
// names, [WithImage] says which one.
func Layout(fsys fs.FS, opts ...Option) (*Image, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	im, err := openLayout(fsys, "", &cfg)
	if err != nil {
		return nil, &Error{Op: "open", Err: err}
	}
	return im, nil
}

// openLayout returns the image in fsys, which errors call name.
func openLayout(fsys fs.FS, name string, cfg *config) (*Image, error) {
	version, err := readFile(fsys, layoutFile, maxManifest)
	if err != nil {
		return nil, err
	}
	var layout struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := json.Unmarshal(version, &layout); err != nil || !strings.HasPrefix(layout.Version, "1.") {
		return nil, fmt.Errorf("%s: layout of version %.20q, want 1.0.0", layoutFile, layout.Version)
	}
	text, err := readFile(fsys, indexFile, maxManifest)
	if err != nil {
		return nil, err
	}
	var index v1.IndexManifest
	if err := json.Unmarshal(text, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", indexFile, err)
	}
	entries, err := named(index.Manifests, cfg.image)
	if err != nil {
		return nil, err
	}
	r := &resolver{content: blobs{fsys}, cfg: cfg, name: name}
	ctx := context.Background() // Nothing here waits.
	all, err := r.entries(ctx, entries)
	if err != nil {
		return nil, err
	}
	return r.choose(ctx, all)
}

// named returns the entries of the image called name. Without a name, all
// have to be of one.
func named(entries []v1.Descriptor, name string) ([]v1.Descriptor, error) {
	var names []string
	var fit []v1.Descriptor
	for _, d := range entries {
		short, full := d.Annotations["org.opencontainers.image.ref.name"], d.Annotations["io.containerd.image.name"]
		if name == "" || name == short || name == full {
			fit = append(fit, d)
		}
		if full == "" {
			full = short
		}
		if !slices.Contains(names, full) {
			names = append(names, full)
		}
	}
	return fit, checkNames(name, names, len(fit) > 0)
}

// checkNames says that there is no image of that name, or that a name is
// needed to tell one of several.
func checkNames(name string, have []string, found bool) error {
	switch {
	case name != "" && !found:
		return fmt.Errorf("no image is called %q, there is %q: %w", name, have, fs.ErrNotExist)
	case name == "" && len(have) > 1:
		return fmt.Errorf("there are several images, say which with WithImage: %q", have)
	case len(have) == 0:
		return fmt.Errorf("there is no image: %w", fs.ErrNotExist)
	}
	return nil
}

// blobs is the content of a layout.
type blobs struct{ fsys fs.FS }

// open implements content.
func (b blobs) open(_ context.Context, d v1.Descriptor, _ *gauge) (io.ReadCloser, error) {
	return b.fsys.Open("blobs/" + d.Digest.Algorithm + "/" + d.Digest.Hex)
}

// readFile returns a small file.
func readFile(fsys fs.FS, name string, limit int64) ([]byte, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := readAll(file, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return text, nil
}

// exists says whether fsys has the file; any error but its absence counts as
// yes, and comes up when it is read.
func exists(fsys fs.FS, name string) bool {
	_, err := fs.Stat(fsys, name)
	return !errors.Is(err, fs.ErrNotExist)
}
