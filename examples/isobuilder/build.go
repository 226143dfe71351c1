package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/artifacts/github"
	"github.com/netbootkit/netbootkit/examples/internal/debian"
	"github.com/netbootkit/netbootkit/examples/internal/output"
	"github.com/netbootkit/netbootkit/examples/internal/source"
	"github.com/netbootkit/netbootkit/isobuild"
	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// build makes a live image of a root file system.
func (j *job) build(ctx context.Context) (_ *output.File, err error) {
	tree, err := j.from.Tree(ctx, j.store, j.source, j.log, j.report)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
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
	out, err := output.Create(cmp.Or(j.output, liveName(tree)), output.Sum(tree)/leastRatio)
	if err != nil {
		return nil, err
	}
	return out, out.Finish(ctx, debian.WithLoaders(ctx, &j.loaders, j.store, isobuild.WithLoaders, func(loaders ...isobuild.Option) error {
		_, err := isobuild.Build(ctx, out.File, tree, append(opts, loaders...)...)
		return err
	}))
}

// leastRatio is how many times smaller an image is than its files at the most.
const leastRatio = 3

// liveName returns the name of an image of a tree, as AuroraBoot makes it.
func liveName(tree fs.FS) string {
	release, err := artifacts.ReadRelease(tree)
	if err != nil || release.Name == "" {
		return "live.iso"
	}
	return "kairos-" + release.Name + ".iso"
}

// remasterFile puts files into an ISO.
func (j *job) remasterFile(ctx context.Context) (*output.File, error) {
	file, size, err := source.OpenFile(j.source)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // It was only read.
	return j.remaster(ctx, io.NewSectionReader(file, 0, size), j.source+".custom.iso")
}

// remasterRelease puts files into the ISO of a release.
func (j *job) remasterRelease(ctx context.Context) (*output.File, error) {
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

func (j *job) remaster(ctx context.Context, iso isobuild.File, name string) (*output.File, error) {
	opts, done, err := j.options(ctx)
	defer done()
	if err != nil {
		return nil, err
	}
	opts = append(opts, isobuild.WithRemove(j.remove...))
	out, err := output.Create(cmp.Or(j.output, name), iso.Size())
	if err != nil {
		return nil, err
	}
	if _, err = isobuild.Remaster(ctx, out.Writer(), iso, opts...); err != nil {
		err = fmt.Errorf("%s: %w", cmp.Or(j.source, j.from.Release.Repository), err)
	}
	return out, out.Finish(ctx, err)
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
	text, err := j.cloudConfig.Load(ctx, j.stdin, j.log)
	if err != nil {
		return nil, func() {}, err
	}
	if text != nil {
		opts = append(opts, isobuild.WithCloudConfig(text))
	}
	trees, done, err := source.Folders(ctx, j.overlay)
	for _, tree := range trees {
		opts = append(opts, isobuild.WithFiles(tree))
	}
	return opts, done, err
}

// rootOptions returns what only images that are built take.
func (j *job) rootOptions(ctx context.Context) ([]isobuild.Option, func(), error) {
	opts := append(j.firmwareOptions(), isobuild.WithConsoles(strings.Fields(j.consoles)...))
	if j.cmdline != "" {
		opts = append(opts, isobuild.WithCmdline(j.cmdline))
	}
	if c, ok := compressions()[j.compression]; ok {
		opts = append(opts, isobuild.WithSquashfs(squashfs.WithCompression(c)))
	}
	trees, done, err := source.Folders(ctx, j.rootOverlay)
	for _, tree := range trees {
		opts = append(opts, isobuild.WithRootFiles(tree))
	}
	return opts, done, err
}

// compressions are what -compression may say.
func compressions() map[string]squashfs.Compression {
	return map[string]squashfs.Compression{"gzip": squashfs.Gzip, "zstd": squashfs.Zstd, "xz": squashfs.XZ}
}
