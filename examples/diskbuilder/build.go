package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/examples/internal/debian"
	"github.com/netbootkit/netbootkit/examples/internal/output"
	"github.com/netbootkit/netbootkit/examples/internal/source"
)

// A made is a file that is complete.
type made struct {
	file  *output.File
	hints string // how to use it
}

// make makes the disk once, and writes it in all formats. It returns what was
// completed, also with an error.
func (j *job) make(ctx context.Context) (_ []made, err error) {
	tree, err := j.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	overlays, done, err := source.Folders(ctx, j.overlay)
	defer done()
	if err != nil {
		return nil, err
	}
	opts, err := j.options(ctx, overlays)
	if err != nil {
		return nil, err
	}
	sys := newSystem(tree, overlays)
	var all []made
	err = debian.WithLoaders(ctx, &j.loaders, j.store, diskimage.WithLoaders, func(loaders ...diskimage.Option) error {
		layout, err := j.preset(ctx, tree, sys.isKairos(), append(opts, loaders...))
		if err == nil {
			all, err = j.write(ctx, layout, sys)
		}
		return err
	})
	return all, err
}

// open opens the source. The caller closes it.
func (j *job) open(ctx context.Context) (source.Root, error) {
	if j.iso {
		return source.OpenLive(j.source)
	}
	return j.from.Tree(ctx, j.store, j.source, j.log, j.report)
}

// write writes the disk in all formats. It returns what was completed, also with
// an error.
func (j *job) write(ctx context.Context, layout *diskimage.Layout, sys system) ([]made, error) {
	disk, err := diskimage.Open(ctx, layout, diskimage.WithLogger(j.log))
	if err != nil {
		return nil, err
	}
	var all []made
	u := use{arch: sys.arch(), uefi: j.efi}
	if sys.isKairos() && !j.plain && j.size == 0 {
		u.room = room(disk.Layout(), j.stateSize)
	}
	for _, f := range j.formats() {
		file, err := output.Create(j.name(f, sys.name()), dataOf(disk)/leastRatio)
		if err != nil {
			return all, err
		}
		if err := file.Finish(ctx, f.write(ctx, file, disk, j.commonOptions()...)); err != nil {
			return all, err
		}
		u.path = file.Path
		all = append(all, made{file, f.hints(u)})
	}
	return all, nil
}

// leastRatio is how many times smaller a disk can be compressed at the most.
const leastRatio = 3

// dataOf returns how many bytes of a disk are not known to be zeros.
func dataOf(disk *diskimage.Disk) int64 {
	var sum int64
	for off := int64(0); ; {
		start, end, ok := disk.NextData(off)
		if !ok {
			return sum
		}
		sum += end - start
		off = end
	}
}

// preset returns the disk of a Kairos, or a plain one.
func (j *job) preset(ctx context.Context, tree fs.FS, kairos bool, opts []diskimage.Option) (*diskimage.Layout, error) {
	if !kairos || j.plain {
		if j.stateSize != 0 || j.defaultUser {
			return nil, errors.New("-state-size and -default-user are for a Kairos, which has /etc/cos/grub.cfg")
		}
		if j.cmdline != "" {
			opts = append(opts, diskimage.WithCmdline(j.cmdline))
		}
		if j.consoles != nil {
			opts = append(opts, diskimage.WithConsoles(j.consoles...))
		}
		return diskimage.Plain(ctx, tree, j.firmware(), opts...)
	}
	if j.cmdline != "" || j.consoles != nil {
		return nil, errors.New("-cmdline and -console are not for a Kairos, which has its own in /etc/cos")
	}
	opts = append(opts, diskimage.WithStateSize(j.stateSize))
	switch {
	case j.efi && j.bios:
		return nil, errors.New("a Kairos's disk is for -efi or for -bios, not for both")
	case j.bios:
		return diskimage.BIOS(ctx, tree, opts...)
	default:
		return diskimage.EFI(ctx, tree, opts...)
	}
}

// commonOptions returns what all steps take.
func (j *job) commonOptions() []diskimage.Option {
	return []diskimage.Option{diskimage.WithLogger(j.log), diskimage.WithProgress(j.report)}
}

// options returns what all presets take.
func (j *job) options(ctx context.Context, overlays []fs.FS) ([]diskimage.Option, error) {
	opts := []diskimage.Option{diskimage.WithLogger(j.log)}
	if j.size != 0 {
		opts = append(opts, diskimage.WithSize(j.size))
	}
	if !j.time.IsZero() {
		opts = append(opts, diskimage.WithTime(j.time))
	}
	text, err := j.cloudConfig.Load(ctx, j.stdin, j.log)
	if err != nil {
		return nil, err
	}
	if j.defaultUser {
		text = diskimage.DefaultCloudConfig()
	}
	if text != nil {
		opts = append(opts, diskimage.WithCloudConfig(text))
	}
	for _, tree := range overlays {
		opts = append(opts, diskimage.WithRootFiles(tree))
	}
	return opts, nil
}
