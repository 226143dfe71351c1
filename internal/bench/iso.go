//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/netbootkit/netbootkit/isobuild"
)

// compareISO compares making, changing and reading ISO images.
func compareISO(ctx context.Context, l *lab) (*report, error) {
	root, err := l.buildRoot(ctx)
	if err != nil {
		return nil, err
	}
	tree, squashfs, err := l.liveTree(ctx, root)
	if err != nil {
		return nil, err
	}
	total := new(report)
	for _, part := range []func(context.Context, *lab, isoInputs) (*report, error){compareLive, compareMaster, compareRemaster, compareExtract} {
		r, err := part(ctx, l, isoInputs{root: root, tree: tree, squashfs: squashfs})
		if err != nil {
			return nil, err
		}
		total.add(r)
	}
	return total, nil
}

// isoInputs are what ISO images are made of.
type isoInputs struct {
	root     string // a folder with a root file system
	tree     string // a folder with the files of a live image
	squashfs string // one of them
}

// liveTree makes a folder with what a live image has, and a payload of random
// bytes of two thirds of -mib.
func (l *lab) liveTree(ctx context.Context, root string) (tree, squashfs string, err error) {
	tree = filepath.Join(l.dir, "live")
	if err := os.MkdirAll(filepath.Join(tree, "payload"), 0o755); err != nil { //nolint:gosec // As on a medium.
		return "", "", err
	}
	squashfs = filepath.Join(tree, "rootfs.squashfs")
	if err := makeSquashFS(ctx, []string{root, squashfs, "gzip", "1", "131072"}); err != nil {
		return "", "", err
	}
	noise := rand.NewChaCha8([32]byte{1})
	const parts = 10
	for i := range parts {
		f, err := os.Create(filepath.Join(tree, "payload", fmt.Sprint("part", i)))
		if err != nil {
			return "", "", err
		}
		_, err = io.CopyN(f, noise, int64(l.mebibytes)<<20*2/3/parts)
		if err := errors.Join(err, f.Close()); err != nil {
			return "", "", err
		}
	}
	return tree, squashfs, nil
}

// compareLive measures a whole build, which no peer does in one.
func compareLive(ctx context.Context, l *lab, in isoInputs) (*report, error) {
	ours := new(task)
	err := l.race(ctx, rival{name: "isobuilder", task: ours, output: "live.iso", steps: func(dir string) [][]string {
		return [][]string{{l.isobuilder, "-store", filepath.Join(l.dir, "store"), "-grub", "/", "-o", dir + "/live.iso", in.root}}
	}})
	if err != nil {
		return nil, err
	}
	return &report{rows: []row{
		{measure: "live ISO of a root, seconds", ours: ours.seconds},
		{measure: "resident memory in MiB, live ISO of a root", ours: ours.memory, limit: buildMemory},
		{measure: "disk while a live ISO is made, in units of it", ours: ours.disk, limit: 1.2},
	}}, nil
}

// compareMaster compares making an ISO of files that are ready.
func compareMaster(ctx context.Context, l *lab, in isoInputs) (*report, error) {
	ours, theirs := new(task), new(task)
	err := l.race(ctx,
		rival{name: "ours", task: ours, output: "out.iso", steps: func(dir string) [][]string {
			return [][]string{{l.self, "iso", in.root, in.squashfs, filepath.Join(in.tree, "payload"), dir + "/out.iso"}}
		}},
		rival{name: "xorriso -as mkisofs", task: theirs, output: "out.iso", steps: func(dir string) [][]string {
			return [][]string{{"xorriso", "-as", "mkisofs", "-quiet", "-V", "COS_LIVE", "-J", "-r", "-o", dir + "/out.iso", in.tree}}
		}})
	if err != nil {
		return nil, err
	}
	return &report{rows: []row{
		{
			measure: "ISO of files that are ready, seconds", peer: "xorriso", ours: ours.seconds, theirs: theirs.seconds,
			lower: true, target: 2, floor: 1,
		},
		{measure: "resident memory in MiB, ISO", ours: ours.memory, limit: buildMemory},
	}}, nil
}

// masterISO writes a live image from a ready-made SquashFS and a folder of
// other files.
func masterISO(ctx context.Context, args []string) (err error) {
	if len(args) != 4 {
		return fmt.Errorf("iso needs a root, a SquashFS image, a folder and a file, got %q", args)
	}
	squash, err := os.Open(args[1])
	if err != nil {
		return err
	}
	defer squash.Close() //nolint:errcheck // It is only read.
	info, err := squash.Stat()
	if err != nil {
		return err
	}
	file, err := os.Create(args[3])
	if err != nil {
		return err
	}
	_, err = isobuild.Stream(ctx, file, os.DirFS(args[0]), io.NewSectionReader(squash, 0, info.Size()),
		isobuild.WithFiles(os.DirFS(args[2])), isobuild.WithLoaders(os.DirFS("/")))
	return errors.Join(err, file.Close())
}

// compareRemaster compares adding one file to an ISO that boots.
func compareRemaster(ctx context.Context, l *lab, in isoInputs) (*report, error) {
	iso, config := filepath.Join(l.dir, "in.iso"), filepath.Join(l.dir, "config.yaml")
	err := errors.Join(
		masterISO(ctx, []string{in.root, in.squashfs, filepath.Join(in.tree, "payload"), iso}),
		os.WriteFile(config, []byte("#cloud-config\n{}\n"), 0o600))
	if err != nil {
		return nil, err
	}
	ours, theirs := new(task), new(task)
	err = l.race(ctx,
		rival{name: "isobuilder", task: ours, output: "out.iso", steps: func(dir string) [][]string {
			return [][]string{{l.isobuilder, "-cloud-config", config, "-o", dir + "/out.iso", iso}}
		}},
		rival{name: "xorriso -boot_image any replay", task: theirs, output: "out.iso", steps: func(dir string) [][]string {
			return [][]string{{"xorriso", "-indev", iso, "-outdev", dir + "/out.iso", "-map", config, "/config.yaml", "-boot_image", "any", "replay"}}
		}})
	if err != nil {
		return nil, err
	}
	return &report{rows: []row{
		{
			measure: "remaster an ISO with a cloud config, seconds", peer: "xorriso", ours: ours.seconds, theirs: theirs.seconds,
			lower: true, target: 1,
		},
		{measure: "resident memory in MiB, remaster", ours: ours.memory, limit: buildMemory},
	}}, os.Remove(iso)
}

// compareExtract compares reading all files of an ISO to disk.
func compareExtract(ctx context.Context, l *lab, in isoInputs) (*report, error) {
	iso := filepath.Join(l.dir, "root.iso")
	build := rival{name: "xorriso", task: new(task), steps: func(string) [][]string {
		return [][]string{{"xorriso", "-as", "mkisofs", "-quiet", "-R", "-o", iso, in.root}}
	}}
	if err := l.do(ctx, build); err != nil {
		return nil, err
	}
	ours, theirs := new(task), new(task)
	err := l.race(ctx,
		rival{name: "ours", task: ours, output: "out", steps: func(dir string) [][]string {
			return [][]string{{l.self, "extract", iso, dir + "/out"}}
		}},
		rival{name: "xorriso -osirrox", task: theirs, output: "out", steps: func(dir string) [][]string {
			return [][]string{{"xorriso", "-osirrox", "on", "-indev", iso, "-extract", "/", dir + "/out"}}
		}})
	if err != nil {
		return nil, err
	}
	return &report{rows: []row{
		{
			measure: "read an ISO of a root to disk, seconds", peer: "xorriso", ours: ours.seconds, theirs: theirs.seconds,
			lower: true, target: 1,
		},
		{measure: "resident memory in MiB, reading an ISO", ours: ours.memory, limit: buildMemory},
	}}, os.Remove(iso)
}

// extract writes the files of an ISO below a new folder, with modes and times.
func extract(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("extract needs an image and a folder, got %q", args)
	}
	file, err := os.Open(args[0])
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // It is only read.
	info, err := file.Stat()
	if err != nil {
		return err
	}
	image, err := isobuild.Open(io.NewSectionReader(file, 0, info.Size()))
	if err != nil {
		return err
	}
	return fs.WalkDir(image, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return extractEntry(image, name, filepath.Join(args[1], filepath.FromSlash(name)), d)
	})
}

// extractEntry writes one file, directory or symbolic link.
func extractEntry(image *isobuild.Image, name, to string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	switch d.Type() {
	case fs.ModeDir:
		return os.Mkdir(to, info.Mode().Perm()|0o700)
	case fs.ModeSymlink:
		target, err := image.ReadLink(name)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	case 0:
		return extractFile(image, name, to, info)
	default:
		return nil // Devices are of no use here.
	}
}

// extractFile writes one regular file.
func extractFile(image *isobuild.Image, name, to string, info fs.FileInfo) error {
	in, err := image.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, info.Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close(), os.Chtimes(to, info.ModTime(), info.ModTime()))
}
