package oci

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/netbootkit/netbootkit/artifacts"
)

// What an image may ask for before its layers are read.
const (
	maxManifest  = 4 << 20  // bytes of a manifest or index (OCI Distribution 1.1, Pushing manifests)
	maxConfig    = 16 << 20 // bytes of a configuration
	maxLayers    = 1024
	maxIndexes   = 32 // read for one image
	maxParallel  = 64
	maxUnlabeled = 64 // images of an index that do not say for which platform they are
)

// A content has the parts of images: manifests, configurations, layers.
type content interface {
	// open returns the part as it is kept, compressed if so, and counts
	// towards g what has to be fetched for it.
	open(ctx context.Context, d v1.Descriptor, g *gauge) (io.ReadCloser, error)
}

// A resolver finds the image for one platform.
type resolver struct {
	content
	cfg     *config
	name    string // of the image, for errors
	indexes int
}

// A found is an image manifest, and the configuration if it was read.
type found struct {
	v1.Descriptor
	manifest []byte
}

// resolve returns the image that root leads to.
func (r *resolver) resolve(ctx context.Context, root v1.Descriptor) (*Image, error) {
	all, err := r.leaves(ctx, root)
	if err != nil {
		return nil, err
	}
	return r.choose(ctx, all)
}

// choose returns the image among those described that fits the platform.
func (r *resolver) choose(ctx context.Context, all []found) (*Image, error) {
	if err := r.label(ctx, all); err != nil {
		return nil, err
	}
	best, ok := r.cfg.want.choose(all)
	if !ok {
		e := &PlatformError{Want: r.cfg.want.String()}
		for _, f := range all {
			e.Have = append(e.Have, platformOf(f.Platform).String())
		}
		return nil, e
	}
	return r.image(ctx, best)
}

// leaves returns the image manifests that d leads to, through indexes.
// Attestations are none.
func (r *resolver) leaves(ctx context.Context, d v1.Descriptor) ([]found, error) {
	text, err := r.read(ctx, d, maxManifest)
	if err != nil {
		return nil, err
	}
	var doc struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     types.MediaType   `json:"mediaType"`
		Manifests     []v1.Descriptor   `json:"manifests"`
		Layers        []json.RawMessage `json:"layers"`
		FSLayers      []json.RawMessage `json:"fsLayers"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("manifest %s: %w", d.Digest, err)
	}
	switch {
	case doc.SchemaVersion == 1 || doc.FSLayers != nil || doc.MediaType.IsSchema1():
		return nil, errors.New("manifest of schema 1, which Docker gave up in 2017; push the image again with a newer Docker, or copy it with skopeo")
	case doc.SchemaVersion != 2:
		return nil, fmt.Errorf("manifest %s: schema version %d, want 2", d.Digest, doc.SchemaVersion)
	case doc.Manifests != nil && doc.Layers != nil:
		return nil, fmt.Errorf("manifest %s is an image and an index at once", d.Digest)
	case doc.Manifests == nil:
		return []found{{Descriptor: d, manifest: text}}, nil
	}
	if r.indexes++; r.indexes > maxIndexes {
		return nil, fmt.Errorf("more than %d indexes within one another", maxIndexes)
	}
	return r.entries(ctx, doc.Manifests)
}

// entries returns the image manifests that the entries of an index lead to.
func (r *resolver) entries(ctx context.Context, entries []v1.Descriptor) ([]found, error) {
	var all []found
	for _, d := range entries {
		switch {
		case isAttestation(d):
		case d.MediaType.IsIndex():
			inner, err := r.leaves(ctx, d)
			if err != nil {
				return nil, err
			}
			all = append(all, inner...)
		case d.MediaType.IsImage() || d.MediaType == "":
			all = append(all, found{Descriptor: d})
		}
	}
	return all, nil
}

// isAttestation says whether d describes no image, but a statement about
// one, as BuildKit adds them to an index.
func isAttestation(d v1.Descriptor) bool {
	p := d.Platform
	return d.Annotations["vnd.docker.reference.type"] == "attestation-manifest" ||
		p != nil && p.OS == "unknown" && p.Architecture == "unknown" ||
		d.ArtifactType != "" && !types.MediaType(d.ArtifactType).IsConfig()
}

// label looks up the platforms that an index did not tell.
func (r *resolver) label(ctx context.Context, all []found) error {
	unlabeled := 0
	for i := range all {
		if all[i].Platform != nil {
			continue
		}
		if unlabeled++; unlabeled > maxUnlabeled {
			return fmt.Errorf("more than %d images that do not say for which platform they are", maxUnlabeled)
		}
		_, config, err := r.describe(ctx, &all[i])
		if err != nil {
			return err
		}
		all[i].Platform = &v1.Platform{OS: config.OS, Architecture: config.Architecture, Variant: config.Variant}
	}
	return nil
}

// describe reads the manifest and the configuration of f.
func (r *resolver) describe(ctx context.Context, f *found) (*v1.Manifest, *v1.ConfigFile, error) {
	if f.manifest == nil {
		text, err := r.read(ctx, f.Descriptor, maxManifest)
		if err != nil {
			return nil, nil, err
		}
		f.manifest = text
	}
	var manifest v1.Manifest
	if err := json.Unmarshal(f.manifest, &manifest); err != nil {
		return nil, nil, fmt.Errorf("manifest %s: %w", f.Digest, err)
	}
	if t := manifest.Config.MediaType; t != "" && !t.IsConfig() {
		return nil, nil, fmt.Errorf("manifest %s is no container image: its configuration is %s", f.Digest, t)
	}
	text, err := r.read(ctx, manifest.Config, maxConfig)
	if err != nil {
		return nil, nil, fmt.Errorf("configuration: %w", err)
	}
	config, err := parseConfig(text, len(manifest.Layers))
	return &manifest, config, err
}

// parseConfig reads an image's configuration and compares the number of its
// layers.
func parseConfig(text []byte, layers int) (*v1.ConfigFile, error) {
	var config v1.ConfigFile
	if err := json.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if n := len(config.RootFS.DiffIDs); n != layers {
		return nil, fmt.Errorf("configuration has %d layers, manifest %d", n, layers)
	}
	if layers > maxLayers {
		return nil, fmt.Errorf("%d layers, more than %d", layers, maxLayers)
	}
	return &config, nil
}

// image returns f as an image.
func (r *resolver) image(ctx context.Context, f found) (*Image, error) {
	manifest, config, err := r.describe(ctx, &f)
	if err != nil {
		return nil, err
	}
	im := newImage(r.name, artifacts.Digest(f.Digest.String()), config, r.cfg)
	for i, d := range manifest.Layers {
		if t := string(d.MediaType); t != "" && !strings.Contains(t, ".tar") || strings.Contains(t, "+encrypted") {
			return nil, fmt.Errorf("layer %d of %d is %s, not a tar that can be read", i+1, len(manifest.Layers), t)
		}
		im.add(artifacts.Digest(config.RootFS.DiffIDs[i].String()), artifacts.Info{
			Name: d.Digest.String(), Size: d.Size, Digest: artifacts.Digest(d.Digest.String()),
		}, func(ctx context.Context, g *gauge) (io.ReadCloser, error) { return r.open(ctx, d, g) })
	}
	return im, nil
}

// read returns a small part of an image, verified.
func (r *resolver) read(ctx context.Context, d v1.Descriptor, limit int64) ([]byte, error) {
	if want := artifacts.Digest(d.Digest.String()); checkDigest(want) != nil {
		return nil, checkDigest(want)
	}
	if d.Size > limit {
		return nil, fmt.Errorf("%s of %d bytes, more than %d", d.Digest, d.Size, limit)
	}
	rc, err := r.open(ctx, d, nil)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	text, err := readAll(rc, limit)
	switch got := digestOf(text); {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", d.Digest, err)
	case d.Size > 0 && int64(len(text)) != d.Size:
		return nil, &artifacts.SizeError{Name: d.Digest.String(), Want: d.Size, Got: int64(len(text)), Limit: limit}
	case string(got) != d.Digest.String():
		return nil, &artifacts.DigestError{Name: "part of the image", Want: artifacts.Digest(d.Digest.String()), Got: got, From: "the image"}
	}
	return text, nil
}

// readAll reads at most limit bytes; more are an error.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("more than %d bytes", limit)
	}
	return text, err
}

// digestOf returns the SHA-256 of text.
func digestOf(text []byte) artifacts.Digest {
	sum := sha256.Sum256(text)
	return artifacts.NewDigest(artifacts.SHA256, sum[:])
}
