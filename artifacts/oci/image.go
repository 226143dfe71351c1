package oci

import (
	"context"
	"errors"
	"io"
	"io/fs"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/netbootkit/netbootkit/artifacts"
)

// An Image is a container image for one platform, or a file tree that stands
// for one. It may be used concurrently. The caller closes it, after all that
// was made of it; a tree of [Rootfs] that came from the store stays open.
type Image struct {
	name     string
	digest   artifacts.Digest
	platform platform
	layers   []*layer
	tree     *artifacts.Tree // of a folder, or of a tar that is no image
	closer   io.Closer       // what the image is read from; may be nil
	cfg      *config
}

func newImage(name string, digest artifacts.Digest, config *v1.ConfigFile, cfg *config) *Image {
	return &Image{
		name: name, digest: digest, cfg: cfg,
		platform: platformOf(&v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}),
	}
}

// add puts a layer on top.
func (im *Image) add(diffID artifacts.Digest, info artifacts.Info, open func(context.Context, *gauge) (io.ReadCloser, error)) {
	im.layers = append(im.layers, &layer{info: info, diffID: diffID, maxSize: im.cfg.maxSize, open: open})
}

// Digest returns the digest of the image's manifest; of an image that has
// none, as in what docker save writes, that of its configuration, which
// Docker calls the image ID. It is empty for a file tree.
func (im *Image) Digest() artifacts.Digest { return im.digest }

// Platform returns what the image was built for, as in linux/arm64/v8. It is
// empty for a file tree.
func (im *Image) Platform() string {
	if im.platform == (platform{}) {
		return ""
	}
	return im.platform.String()
}

// Layers returns the layers, the lowest first. A file tree has none.
func (im *Image) Layers() []Layer {
	layers := make([]Layer, len(im.layers))
	for i, l := range im.layers {
		layers[i] = l
	}
	return layers
}

// Close closes what the image is read from.
func (im *Image) Close() error {
	if im.closer == nil {
		return nil
	}
	if err := im.closer.Close(); err != nil && !errors.Is(err, fs.ErrClosed) { // A tree of it may have been closed.
		return err
	}
	return nil
}
