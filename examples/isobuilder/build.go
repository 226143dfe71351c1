package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/github"
	"github.com/netbootkit/netbootkit/cloudconfig"
	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/isobuild"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// build makes a live image of a root file system.
func (j *job) build(ctx context.Context) (_ *output, err error) {
	tree, err := j.from.Tree(ctx, j.store, j.source, j.log, j.report)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	if len(j.remove) > 0 {
		return nil, cli.Usagef("-remove is for ISOs, and %s is none", j.source)
	}
	opts, done, err := j.options(ctx)
	defer done()
	if err != nil {
		return nil, err
	}
	more, done, err := j.rootOptions(ctx)
	defer done()
	if err != nil {
		return nil, err
	}
	opts = append(opts, more...)
	out, err := create(cmp.Or(j.output, liveName(tree)), estimate(tree))
	if err != nil {
		return nil, err
	}
	return out, out.finish(j.withLoaders(ctx, func(loaders ...isobuild.Option) error {
		_, err := isobuild.Build(ctx, out.file, tree, append(opts, loaders...)...)
		return err
	}))
}

// liveName returns the name of an image of a tree, as AuroraBoot makes it.
func liveName(tree fs.FS) string {
	release, err := artifacts.ReadRelease(tree)
	if err != nil || release.Name == "" {
		return "live.iso"
	}
	return "kairos-" + release.Name + ".iso"
}

// remasterFile puts files into an ISO.
func (j *job) remasterFile(ctx context.Context) (*output, error) {
	file, err := os.Open(j.source)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // It was only read.
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	return j.remaster(ctx, io.NewSectionReader(file, 0, info.Size()), j.source+".custom.iso")
}

// remasterRelease puts files into the ISO of a release.
func (j *job) remasterRelease(ctx context.Context) (*output, error) {
	assets, err := j.from.Assets()
	if err != nil {
		return nil, err
	}
	file, err := j.store.Get(ctx, assets, github.ISO)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // It was only read.
	return j.remaster(ctx, file, "kairos.iso.custom.iso")
}

func (j *job) remaster(ctx context.Context, iso isobuild.File, name string) (*output, error) {
	opts, done, err := j.options(ctx)
	defer done()
	if err != nil {
		return nil, err
	}
	opts = append(opts, isobuild.WithRemove(j.remove...))
	out, err := create(cmp.Or(j.output, name), iso.Size())
	if err != nil {
		return nil, err
	}
	_, err = isobuild.Remaster(ctx, out.writer(), iso, opts...)
	return out, out.finish(err)
}

// commonOptions returns what all images take.
func (j *job) commonOptions() []isobuild.Option {
	opts := []isobuild.Option{isobuild.WithLogger(j.log), isobuild.WithProgress(j.report)}
	if j.volumeID != "" {
		opts = append(opts, isobuild.WithVolumeID(j.volumeID))
	}
	if !j.time.IsZero() {
		opts = append(opts, isobuild.WithTime(j.time))
	}
	return opts
}

// firmwareOptions returns what says which firmware an image has to boot on.
func (j *job) firmwareOptions() []isobuild.Option {
	if f, _ := j.wantedFirmware(); f != 0 { // An error was found before.
		return []isobuild.Option{isobuild.WithFirmware(f)}
	}
	return nil
}

// options returns what all images that hold files take. The caller calls what
// is returned with them, in any case, when the image is made.
func (j *job) options(ctx context.Context) ([]isobuild.Option, func(), error) {
	opts := j.commonOptions()
	if j.cloudConfig != "" {
		text, err := j.loadCloudConfig(ctx)
		if err != nil {
			return nil, func() {}, err
		}
		opts = append(opts, isobuild.WithCloudConfig(text))
	}
	trees, done, err := openFolders(ctx, j.overlay)
	for _, tree := range trees {
		opts = append(opts, isobuild.WithFiles(tree))
	}
	return opts, done, err
}

// rootOptions returns what only images that are built take.
func (j *job) rootOptions(ctx context.Context) ([]isobuild.Option, func(), error) {
	opts := append(j.firmwareOptions(), isobuild.WithConsoles(split(j.consoles, " ")...))
	if j.cmdline != "" {
		opts = append(opts, isobuild.WithCmdline(j.cmdline))
	}
	if c, ok := compressions()[j.compression]; ok {
		opts = append(opts, isobuild.WithSquashfs(squashfs.WithCompression(c)))
	}
	trees, done, err := openFolders(ctx, j.rootOverlay)
	for _, tree := range trees {
		opts = append(opts, isobuild.WithRootFiles(tree))
	}
	return opts, done, err
}

// compressions are what -compression may say.
func compressions() map[string]squashfs.Compression {
	return map[string]squashfs.Compression{"gzip": squashfs.Gzip, "zstd": squashfs.Zstd, "xz": squashfs.XZ}
}

// split is [strings.Split], with nothing for nothing.
func split(s, sep string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, sep)
}

// openFolders opens folders of this computer as trees.
func openFolders(ctx context.Context, names []string) ([]fs.FS, func(), error) {
	var trees []fs.FS
	var closers []io.Closer
	done := func() {
		for _, c := range closers {
			_ = c.Close()
		}
	}
	for _, name := range names {
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, done, err
		}
		tree, err := artifacts.OpenDir(ctx, root)
		if err != nil {
			return nil, done, errors.Join(err, root.Close())
		}
		trees, closers = append(trees, tree), append(closers, tree)
	}
	return trees, done, nil
}

// loadCloudConfig reads, fills in and checks the cloud config.
func (j *job) loadCloudConfig(ctx context.Context) ([]byte, error) {
	d, err := cloudconfig.Load(ctx, j.cloudConfig, cloudconfig.WithStdin(j.stdin))
	if err == nil && len(j.values.Names()) > 0 {
		d, err = d.Render(&j.values)
	}
	if err != nil {
		return nil, fmt.Errorf("-cloud-config: %w", err)
	}
	warnings, err := d.Validate()
	for _, w := range warnings {
		j.log.Warn("cloud config: " + fmt.Sprint(w))
	}
	return d.Bytes(), err
}
