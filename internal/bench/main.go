//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"syscall"
	"time"

	"github.com/tinkerbell/ipxedust/binary"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run does what the command line says: it compares, or it is one of the helpers
// that it starts itself.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) > 0 && args[0] == "load" {
		return load(ctx, args[1:], stdout)
	}
	if len(args) > 0 && args[0] == "watch" {
		return watch(ctx, stdout)
	}
	if len(args) == 3 && args[0] == "image" {
		return makeImage(args[1], args[2])
	}
	if len(args) > 0 {
		switch args[0] {
		case "squashfs":
			return makeSquashFS(ctx, args[1:])
		case "iso":
			return masterISO(ctx, args[1:])
		case "extract":
			return extract(args[1:])
		case "ext4", "fat":
			return makeFileSystem(ctx, args[0], args[1:])
		case "disk":
			return makeDisk(ctx, args[1:])
		case "convert":
			return convert(ctx, args[1:])
		}
	}
	l := lab{log: stderr}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&l.netboot, "netboot", "bin/netboot", "the `program` to compare")
	flags.StringVar(&l.rootfs, "rootfs", "bin/rootfs", "the `program` that makes root file systems of images")
	flags.StringVar(&l.isobuilder, "isobuilder", "bin/isobuilder", "the `program` that makes ISO images")
	flags.IntVar(&l.rounds, "n", 5, "how often each server is measured")
	flags.Float64Var(&l.seconds, "seconds", 3, "how long each load lasts")
	flags.IntVar(&l.mebibytes, "mib", 500, "how large the image is, in MiB")
	pattern := flags.String("run", "", "do only the comparisons that match this `regexp`: offers, tftp, window, boot, http, image, squashfs, iso or disk")
	output := flags.String("o", "", "write the results to this `file`, too")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	todo := comparisons(wanted)
	if len(todo) == 0 {
		return fmt.Errorf("-run %s matches no comparison", wanted)
	}
	if l.rounds < 1 || l.seconds <= 0 || l.mebibytes < 1 {
		return fmt.Errorf("-n %d -seconds %v -mib %d: nothing to measure", l.rounds, l.seconds, l.mebibytes)
	}
	if os.Geteuid() != 0 {
		return errors.New("must be root, to make network namespaces")
	}
	if *output == "" {
		return l.benchmark(ctx, todo, stdout)
	}
	f, err := os.Create(*output)
	if err != nil {
		return err
	}
	return errors.Join(l.benchmark(ctx, todo, io.MultiWriter(stdout, f)), f.Close())
}

// A comparison is one part of the benchmark.
type comparison struct {
	name    string
	compare func(context.Context, *lab) (*report, error)
}

// comparisons returns those whose names match.
func comparisons(wanted *regexp.Regexp) []comparison {
	return slices.DeleteFunc([]comparison{
		{"offers", compareOffers},
		{"tftp", compareTFTP},
		{"window", compareWindow},
		{"boot", compareBoot},
		{"http", compareHTTP},
		{"image", compareImage},
		{"squashfs", compareSquashFS},
		{"iso", compareISO},
		{"disk", compareDisk},
	}, func(c comparison) bool { return !wanted.MatchString(c.name) })
}

// benchmark does the comparisons and writes what they found to w.
func (l lab) benchmark(ctx context.Context, todo []comparison, w io.Writer) (err error) {
	machine, err := describeMachine(ctx, time.Now())
	if err != nil {
		return err
	}
	bench, err := newLab(ctx, l)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bench.Close()) }()
	if err := bench.makeFiles(binary.Files[bootProgram]); err != nil {
		return err
	}
	total := new(report)
	for _, c := range todo {
		bench.say("%s", c.name)
		r, err := c.compare(ctx, bench)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		total.add(r)
	}
	return total.write(w, machine, l.rounds)
}
