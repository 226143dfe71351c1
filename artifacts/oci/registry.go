package oci

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/netbootkit/netbootkit/artifacts"
)

// Registry returns an image of a registry. What is fetched, now and when its
// layers are read, is kept in store; what store has is not fetched again. A
// tag costs one HEAD request, a digest none. If the registry cannot be
// reached, the image is the one that the tag stood for when it was seen last,
// and store logs a warning.
func Registry(ctx context.Context, store *artifacts.Store, ref string, opts ...Option) (*Image, error) {
	parsed, cfg, err := parseFor(ref, opts, KindRegistry)
	if err != nil {
		return nil, err
	}
	return openRegistry(ctx, store, parsed, &cfg)
}

// parseFor checks the options, and that the reference is of a kind.
func parseFor(ref string, opts []Option, kind Kind) (Reference, config, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return Reference{}, cfg, err
	}
	parsed, err := Parse(ref)
	if err == nil && parsed.Kind != KindRegistry && parsed.Kind != kind {
		err = &ReferenceError{Reference: ref, Err: errors.New("want the name of an image")}
	}
	return parsed, cfg, err
}

func openRegistry(ctx context.Context, store *artifacts.Store, ref Reference, cfg *config) (*Image, error) {
	im, err := findRemote(ctx, store, ref, cfg)
	if err != nil {
		return nil, &Error{Op: "open", Image: ref.String(), Err: err}
	}
	return im, nil
}

func findRemote(ctx context.Context, store *artifacts.Store, ref Reference, cfg *config) (im *Image, err error) {
	repo, err := name.NewRepository(ref.Registry + "/" + ref.Repository)
	if err != nil {
		return nil, err
	}
	r := newRemote(store, repo, cfg)
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
			return
		}
		im.closer = r
	}()
	file, err := store.Get(ctx, r, "manifests/"+ref.identifier())
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	digest, size := file.Info().Digest, file.Size()
	if err := file.Close(); err != nil {
		return nil, err
	}
	hash, err := v1.NewHash(string(digest))
	if err != nil {
		return nil, err
	}
	root := v1.Descriptor{MediaType: "application/vnd.oci.image.index.v1+json", Digest: hash, Size: size}
	cfg.log.LogAttrs(ctx, slog.LevelDebug, "found image", slog.String("image", ref.String()), slog.String("digest", string(digest)))
	return (&resolver{content: r, cfg: cfg, name: ref.String()}).resolve(ctx, root)
}
