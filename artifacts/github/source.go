package github

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/artifacts"
)

// A Source is a release, as a source of its assets.
type Source struct {
	cfg     config
	release Release
	http    *artifacts.HTTPSource

	turn  chan struct{} // holds one value while nobody asks the API
	known *listing      // what it said last; who has the turn may look
}

var (
	_ artifacts.Lister     = (*Source)(nil)
	_ artifacts.Resumer    = (*Source)(nil)
	_ artifacts.SideLister = (*Source)(nil)
	_ artifacts.Deriver    = (*Source)(nil)
)

// New returns the source of the assets of release.
func New(release Release, opts ...Option) (*Source, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	if release.Tag == "" {
		release.Tag = Latest
	}
	if err := release.check(); err != nil {
		return nil, err
	}
	s := &Source{cfg: cfg, release: release, turn: make(chan struct{}, 1)}
	s.http = artifacts.HTTP(s.newClient())
	return s, nil
}

// ID implements [artifacts.Source].
func (s *Source) ID() string {
	r := &s.release
	_, host, _ := strings.Cut(s.cfg.base, "://")
	id := host + "/" + r.Repository + "@" + r.Tag
	if r.Flavor != "" {
		id += " " + path.Join(r.Flavor, r.FlavorRelease, r.Variant, r.Platform, r.Version)
	}
	return id
}

// Stat implements [artifacts.Source]. The name in the Info is the asset's.
func (s *Source) Stat(ctx context.Context, name string) (artifacts.Info, error) {
	a, err := s.find(ctx, name)
	if err != nil {
		return artifacts.Info{}, err
	}
	if !a.listed {
		info, err := s.http.Stat(ctx, a.address)
		info.Name = a.info.Name
		return info, err
	}
	return a.info, nil
}

// Open implements [artifacts.Source].
func (s *Source) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	a, err := s.find(ctx, name)
	if err != nil {
		return nil, err
	}
	return s.http.Open(ctx, a.address)
}

// OpenAt implements [artifacts.Resumer].
func (s *Source) OpenAt(ctx context.Context, version artifacts.Info, off int64) (*artifacts.Body, error) {
	a, err := s.find(ctx, version.Name)
	if err != nil {
		return nil, err
	}
	if a.listed && !version.ModTime.IsZero() && !version.ModTime.Equal(a.info.ModTime) {
		off = 0 // Another asset of that name.
	}
	version.Name = a.address
	if a.listed {
		version.ModTime = time.Time{} // It is not what the server of the content says.
	}
	body, err := s.http.OpenAt(ctx, version, off)
	if err != nil {
		return nil, err
	}
	body.Info.Name = a.info.Name
	if a.listed {
		body.Info.ModTime = a.info.ModTime
	}
	return body, nil
}

// ChecksumFiles implements [artifacts.SideLister].
func (s *Source) ChecksumFiles(ctx context.Context, name string) ([]string, error) {
	own := []string{name + ".sha256", name + ".sha512"}
	l, err := s.list(ctx, false)
	if err != nil {
		return nil, err
	}
	if l.direct {
		return append(own, "SHA256SUMS"), nil
	}
	var files []string
	for _, n := range own {
		if _, err := s.find(ctx, n); err == nil {
			files = append(files, n)
		}
	}
	if l, err = s.list(ctx, true); err != nil {
		return nil, err
	}
	for _, a := range l.assets {
		if manySums(a.info.Name) {
			files = append(files, a.info.Name)
		}
	}
	return files, nil
}

// manySums says whether an asset looks like the digests of others.
func manySums(name string) bool {
	name = strings.ToLower(name)
	for _, ext := range []string{".txt", ".asc"} {
		name = strings.TrimSuffix(name, ext)
	}
	for _, end := range []string{"sha256sums", "sha256sum", "sha512sums", "sha512sum", "checksums", "checksum"} {
		if strings.HasSuffix(name, end) && !strings.HasSuffix(name, "."+strings.TrimSuffix(end, "s")) {
			return true
		}
	}
	return false
}

// List implements [artifacts.Lister] with the names of assets.
func (s *Source) List(ctx context.Context, pattern string) iter.Seq2[artifacts.Info, error] {
	return func(yield func(artifacts.Info, error) bool) {
		l, err := s.list(ctx, true)
		if err == nil && l.direct {
			err = l.limit
		}
		if err != nil {
			yield(artifacts.Info{}, err)
			return
		}
		for _, a := range l.assets {
			ok, err := path.Match(pattern, a.info.Name)
			if err != nil {
				yield(artifacts.Info{}, err)
				return
			}
			if (ok || pattern == "") && !yield(a.info, nil) {
				return
			}
		}
	}
}

// Derive implements [artifacts.Deriver] for what is in the ISO.
func (s *Source) Derive(ctx context.Context, name string) (*artifacts.Derivation, error) {
	part := map[string]string{Kernel: "boot/kernel", Initrd: "boot/initrd", SquashFS: "rootfs.squashfs"}[name]
	if s.cfg.iso == nil || s.release.Flavor == "" || part == "" {
		return nil, nil
	}
	_, err := s.Stat(ctx, name)
	if err == nil || !isMissing(err) {
		return nil, err
	}
	if _, isoErr := s.Stat(ctx, ISO); isoErr != nil {
		return nil, err
	}
	return &artifacts.Derivation{From: ISO, Part: part, Extract: func(_ context.Context, w io.Writer, r io.ReaderAt, size int64) error {
		return s.extract(w, r, size, part)
	}}, nil
}

// extract copies a file of the ISO r.
func (s *Source) extract(w io.Writer, r io.ReaderAt, size int64, name string) error {
	tree, err := s.cfg.iso(r, size)
	if err != nil {
		return fmt.Errorf("github: open ISO: %w", err)
	}
	if c, ok := tree.(io.Closer); ok {
		defer c.Close() //nolint:errcheck // It was only read.
	}
	f, err := tree.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	_, err = io.Copy(w, f)
	return err
}

// download returns where an asset is without asking the API.
func (s *Source) download(tag, name string) string {
	u, err := url.Parse(s.cfg.base)
	if err != nil {
		return "" // It was checked.
	}
	u.Path = path.Join(u.Path, s.release.Repository, "releases/download", tag, name)
	return u.String()
}
