package source

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/github"
	"github.com/netbootkit/netbootkit/artifacts/oci"
)

// A Report is what a WithProgress option takes.
type Report = func(name string, done, total int64)

// Flags are what a command line says about sources.
type Flags struct {
	Dir      string // of the store
	Platform string
	Insecure bool
	Release  github.Release
	GitHub   string // the address of GitHub
}

// Register adds the flags of containers and of the store to set.
func (f *Flags) Register(set *flag.FlagSet) {
	set.StringVar(&f.Dir, "store", "", "keep what is fetched in this `folder` (default: netbootkit in the user's cache)")
	set.StringVar(&f.Platform, "platform", "", "the `platform` to take of an image, such as linux/arm64 (default: this computer's)")
	set.BoolVar(&f.Insecure, "insecure", false, "permit registries with plain HTTP and untrusted certificates")
}

// RegisterRelease adds the flags that name a release, which are called as
// AuroraBoot's keys are.
func (f *Flags) RegisterRelease(set *flag.FlagSet) {
	r := &f.Release
	set.StringVar(&r.Repository, "repository", "", "take the release of this GitHub `repository`, such as kairos-io/kairos")
	set.StringVar(&r.Tag, "release-version", "", "the `tag` of the release (default: the latest)")
	set.StringVar(&r.Version, "artifact-version", "", "the `version` in the names of its files (default: the tag)")
	set.StringVar(&r.Flavor, "flavor", "", "the release's `flavor`, such as ubuntu")
	set.StringVar(&r.FlavorRelease, "flavor-release", "", "the `version` of the flavor, such as 24.04")
	set.StringVar(&r.Variant, "variant", "", "core or standard (default: standard if -artifact-version says k3s)")
	set.StringVar(&r.Platform, "arch", "", "the `architecture` of the release's files (default: amd64)")
	set.StringVar(&f.GitHub, "github", "", "`URL` of a GitHub Enterprise Server")
}

// OpenStore opens the store. The caller closes it.
func (f *Flags) OpenStore(log *slog.Logger, report Report) (*artifacts.Store, error) {
	dir := f.Dir
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("%w: say with -store where to keep what is fetched", err)
		}
		dir = filepath.Join(cache, "netbootkit")
	}
	opts := []artifacts.Option{artifacts.WithLogger(log)}
	if report != nil {
		opts = append(opts, artifacts.WithProgress(report))
	}
	store, err := artifacts.OpenStore(dir, opts...)
	if err != nil && f.Dir == "" {
		err = fmt.Errorf("%w: name another folder with -store", err)
	}
	return store, err
}

// A Root is a root file system, and what has to be closed behind it.
type Root interface {
	fs.FS
	io.Closer
}

// A Tree is a root file system and the image that it is from.
type Tree struct {
	*artifacts.Tree
	image *oci.Image
}

// Close closes both.
func (t *Tree) Close() error { return errors.Join(t.Tree.Close(), t.image.Close()) }

// Tree returns the root file system that name leads to: that of a folder or a
// tar of that name, or else of a container image. The caller closes it.
func (f *Flags) Tree(ctx context.Context, store *artifacts.Store, name string, log *slog.Logger, report Report) (*Tree, error) {
	image, err := oci.Open(ctx, store, reference(name), f.imageOptions(log, report)...)
	if _, missing := os.Stat(name); err != nil && missing != nil && Path(name) == "" {
		err = fmt.Errorf("%w; and it is no file or folder: %v", err, missing)
	}
	if err != nil {
		return nil, err
	}
	tree, err := oci.Rootfs(ctx, store, image)
	if err == nil && f.Platform != "" && image.Platform() == "" {
		err = errors.Join(fmt.Errorf("-platform is for container images, and %s is a file tree", name), tree.Close())
	}
	if err != nil {
		return nil, errors.Join(err, image.Close())
	}
	return &Tree{Tree: tree, image: image}, nil
}

// Path returns the folder or file that name leads to; "" if that is elsewhere.
func Path(name string) string {
	ref, err := oci.Parse(reference(name))
	if err != nil {
		return ""
	}
	return ref.Path
}

// reference returns what package oci calls name, which may be a folder or a
// file.
func reference(name string) string {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return name
	case info.IsDir():
		return "dir:" + name
	default:
		return "ocifile:" + name
	}
}

// imageOptions reads what the library does not: the environment.
func (f *Flags) imageOptions(log *slog.Logger, report Report) []oci.Option {
	opts := []oci.Option{
		oci.WithLogger(log),
		oci.WithKeychain(authn.DefaultKeychain),
		oci.WithHTTPClient(&http.Client{Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, ResponseHeaderTimeout: time.Minute,
		}}),
	}
	if report != nil {
		opts = append(opts, oci.WithProgress(report))
	}
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		opts = append(opts, oci.WithDaemonHost(host))
	}
	if f.Platform != "" {
		opts = append(opts, oci.WithPlatform(f.Platform))
	}
	if f.Insecure {
		opts = append(opts, oci.WithPlainHTTP(), oci.WithUntrustedTLS())
	}
	return opts
}

// Assets returns the files of the release that the flags name.
func (f *Flags) Assets(opts ...github.Option) (*github.Source, error) {
	if token := os.Getenv("GITHUB_TOKEN"); token != "" {
		opts = append(opts, github.WithToken(token))
	}
	if f.GitHub != "" {
		opts = append(opts, github.WithBaseURL(f.GitHub))
	}
	return github.New(f.Release, opts...)
}
