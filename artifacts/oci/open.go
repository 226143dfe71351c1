package oci

import (
	"context"
	"errors"
	"os"

	"github.com/netbootkit/netbootkit/artifacts"
)

// Open returns the image that ref leads to, which may have any form that
// [Parse] knows. What comes from a registry or daemon is kept in store. An
// image of docker: that the daemon does not have, or not for the platform,
// comes from a registry; one without docker: always does. A folder that is an
// OCI layout is an image, and so is a tar by docker save or of a layout; other
// folders and tars are file trees. The caller closes the image.
func Open(ctx context.Context, store *artifacts.Store, ref string, opts ...Option) (*Image, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	parsed, err := Parse(ref)
	if err != nil {
		return nil, err
	}
	var im *Image
	switch parsed.Kind {
	case KindDaemon:
		return openDaemonOrRegistry(ctx, store, parsed, &cfg)
	case KindDir:
		im, err = openFolder(ctx, parsed, &cfg)
	case KindArchive:
		im, err = openFile(parsed, &cfg)
	default:
		return openRegistry(ctx, store, parsed, &cfg)
	}
	if err != nil {
		return nil, &Error{Op: "open", Image: parsed.String(), Err: err}
	}
	return im, nil
}

// openFolder returns the layout or the tree in a folder.
func openFolder(ctx context.Context, ref Reference, cfg *config) (*Image, error) {
	root, err := os.OpenRoot(ref.Path)
	if err != nil {
		return nil, err
	}
	im := &Image{name: ref.String(), cfg: cfg}
	if fsys := root.FS(); exists(fsys, layoutFile) && exists(fsys, indexFile) {
		im, err = openLayout(fsys, ref.String(), cfg)
	} else {
		im.tree, err = artifacts.OpenDir(ctx, root)
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	im.closer = root
	return im, nil
}

// openFile returns the image or the tree in a tar.
func openFile(ref Reference, cfg *config) (*Image, error) {
	info, err := os.Stat(ref.Path)
	if err == nil && !info.Mode().IsRegular() { // To open a pipe would wait for who writes it.
		err = errors.New("want a file")
	}
	if err != nil {
		return nil, err
	}
	file, err := os.Open(ref.Path)
	if err != nil {
		return nil, err
	}
	im, err := openArchive(file, info.Size(), ref.String(), cfg)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	im.closer = file
	return im, nil
}
