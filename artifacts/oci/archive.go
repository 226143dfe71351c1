package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/netbootkit/netbootkit/artifacts"
)

// Archive returns the image in the tar in r, which has size bytes: written by
// docker save, an OCI image layout, or else a file tree. If it holds several
// images, [WithImage] says which one. The tar itself is not compressed; its
// layers may be. The image reads from r.
func Archive(r io.ReaderAt, size int64, opts ...Option) (*Image, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	im, err := openArchive(r, size, "", &cfg)
	if err != nil {
		return nil, &Error{Op: "open", Err: err}
	}
	return im, nil
}

// openArchive returns the image in r, which errors call name.
func openArchive(r io.ReaderAt, size int64, name string, cfg *config) (*Image, error) {
	if kind := compression(r); kind != "" {
		return nil, fmt.Errorf("the archive is compressed by %s, want a plain tar", kind)
	}
	tree, err := artifacts.OpenTar(r, size)
	if err != nil {
		return nil, err
	}
	switch {
	case exists(tree, layoutFile) && exists(tree, indexFile):
		return openLayout(tree, name, cfg)
	case exists(tree, saveFile):
		return openSaved(tree, name, cfg)
	}
	if entries, err := tree.ReadDir("."); err != nil || len(entries) == 0 {
		return nil, errors.Join(errors.New("the archive is empty"), err)
	}
	return &Image{name: name, cfg: cfg, tree: tree}, nil
}

// compression returns what compressed r, as its first bytes tell.
func compression(r io.ReaderAt) string {
	var magic [6]byte
	if n, _ := r.ReadAt(magic[:], 0); n < len(magic) { // What is wrong comes up later.
		return ""
	}
	switch {
	case magic[0] == 0x1f && magic[1] == 0x8b:
		return "gzip"
	case string(magic[:4]) == "\x28\xb5\x2f\xfd":
		return "zstd"
	case string(magic[:]) == "\xfd7zXZ\x00":
		return "xz"
	case string(magic[:3]) == "BZh":
		return "bzip2"
	}
	return ""
}

const saveFile = "manifest.json"

// A saved is an image in what docker save writes.
type saved struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// openSaved returns the image that docker save wrote.
func openSaved(fsys fs.FS, name string, cfg *config) (*Image, error) {
	text, err := readFile(fsys, saveFile, maxManifest)
	if err != nil {
		return nil, err
	}
	var all []saved
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", saveFile, err)
	}
	s, err := pick(all, cfg.image)
	if err != nil {
		return nil, err
	}
	config, digest, err := s.config(fsys)
	if err != nil {
		return nil, err
	}
	im := newImage(name, digest, config, cfg)
	if !cfg.want.runs(im.platform) {
		return nil, &PlatformError{Want: cfg.want.String(), Have: []string{im.platform.String()}}
	}
	for i, file := range s.Layers {
		file = path.Clean(file)
		info, err := fs.Stat(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("layer %d of %d: %w", i+1, len(s.Layers), err)
		}
		im.add(artifacts.Digest(config.RootFS.DiffIDs[i].String()), artifacts.Info{Name: file, Size: info.Size()},
			func(context.Context, *gauge) (io.ReadCloser, error) { return fsys.Open(file) })
	}
	return im, nil
}

// pick returns the image with the tag called name, or the only one.
func pick(all []saved, name string) (saved, error) {
	var names []string
	var fit saved
	found := false
	for i, s := range all {
		if len(s.RepoTags) == 0 {
			names = append(names, fmt.Sprintf("number %d, which has no name", i+1))
		}
		for j, tag := range s.RepoTags {
			if j == 0 || name != "" {
				names = append(names, tag)
			}
			if tag == name {
				fit, found = s, true
			}
		}
		if name == "" {
			fit = s
		}
	}
	return fit, checkNames(name, names, found)
}

// config returns the image's configuration, and the digest of it.
func (s *saved) config(fsys fs.FS) (*v1.ConfigFile, artifacts.Digest, error) {
	text, err := readFile(fsys, path.Clean(s.Config), maxConfig)
	if err != nil {
		return nil, "", err
	}
	config, err := parseConfig(text, len(s.Layers))
	return config, digestOf(text), err
}
