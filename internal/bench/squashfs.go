//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"

	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// buildMemory is how many MiB a build may have resident.
const buildMemory = 150

// A squashing is one way to make a SquashFS image, of ours and of mksquashfs.
type squashing struct {
	name                   string
	ours, theirs           []string
	target, floor          float64 // of wall time
	largerTarget, largerBy float64 // how much larger it should, and may, be
}

// squashings are the ways that are compared.
func squashings() []squashing {
	return []squashing{
		{"default against gzip 9", []string{"default"}, []string{"-b", "1024k"}, 0.2, 0.35, 0, 0.05},
		{"gzip 6", []string{"gzip", "6", "131072"}, []string{"-Xcompression-level", "6"}, 0.4, 0.5, 0.03, 0.05},
		{"zstd 3", []string{"zstd", "3", "131072"}, []string{"-comp", "zstd", "-Xcompression-level", "3"}, 1, 1.6, 0.02, 0.03},
	}
}

// compareSquashFS compares how long it takes to make a SquashFS image, and how
// large it is.
func compareSquashFS(ctx context.Context, l *lab) (*report, error) {
	root, err := l.buildRoot(ctx)
	if err != nil {
		return nil, err
	}
	r := new(report)
	for _, s := range squashings() {
		ours, theirs := new(task), new(task)
		err := l.race(ctx,
			rival{name: "ours, " + s.name, task: ours, output: "root.squashfs", steps: func(dir string) [][]string {
				return [][]string{append([]string{l.self, "squashfs", root, dir + "/root.squashfs"}, s.ours...)}
			}},
			rival{name: "mksquashfs, " + s.name, task: theirs, output: "root.squashfs", steps: func(dir string) [][]string {
				return [][]string{append([]string{"mksquashfs", root, dir + "/root.squashfs", "-quiet", "-no-progress"}, s.theirs...)}
			}})
		if err != nil {
			return nil, err
		}
		r.rows = append(r.rows,
			row{
				measure: "SquashFS of a root, seconds, " + s.name, peer: "mksquashfs", ours: ours.seconds, theirs: theirs.seconds,
				lower: true, target: ratioOf(s.target), floor: ratioOf(s.floor),
			},
			row{
				measure: "SquashFS of a root, MiB, " + s.name, peer: "mksquashfs", ours: ours.size, theirs: theirs.size,
				lower: true, target: ratioOf(1 + s.largerTarget), floor: ratioOf(1 + s.largerBy),
			},
			row{measure: "resident memory in MiB, SquashFS, " + s.name, ours: ours.memory, limit: buildMemory})
	}
	return r, nil
}

// ratioOf returns the ratio, of which more is better, that stands for a
// fraction of what a peer takes, in thousandths.
func ratioOf(fraction float64) float64 { return math.Floor(1000/fraction) / 1000 }

// makeSquashFS writes the image of a folder to a file: the default one, or one
// of a compression, a level and a block size.
func makeSquashFS(ctx context.Context, args []string) (err error) {
	if len(args) != 3 && len(args) != 5 {
		return fmt.Errorf("squashfs needs a folder, a file, and default, or a compression, a level and a block size; got %q", args)
	}
	var opts []squashfs.Option
	if len(args) == 5 {
		level, errLevel := strconv.Atoi(args[3])
		block, errBlock := strconv.Atoi(args[4])
		compression, ok := map[string]squashfs.Compression{"gzip": squashfs.Gzip, "zstd": squashfs.Zstd, "xz": squashfs.XZ}[args[2]]
		if err := errors.Join(errLevel, errBlock); err != nil || !ok {
			return fmt.Errorf("squashfs: compression %q: %w", args[2], err)
		}
		opts = append(opts, squashfs.WithCompression(compression), squashfs.WithLevel(level), squashfs.WithBlockSize(block))
	}
	tree, err := openTree(ctx, args[0])
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	file, err := os.Create(args[1])
	if err != nil {
		return err
	}
	_, err = squashfs.Write(ctx, file, tree, opts...)
	return errors.Join(err, file.Close())
}
