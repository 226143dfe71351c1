// Isobuilder makes bootable ISO images: live images of container images,
// folders and tars, the same image with other files in it, and images that
// start iPXE. What it makes boots as a CD and from a USB stick, by BIOS and by
// UEFI.
//
// Run it with -help for what it takes.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/examples/internal/console"
	"github.com/netbootkit/netbootkit/examples/internal/progress"
	"github.com/netbootkit/netbootkit/examples/internal/source"
)

func main() { cli.Main("isobuilder", run) }

// run is main without the process: it can be called from a test.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (err error) {
	cfg, err := parseConfig(args, stdout)
	if err != nil {
		return err
	}
	display := progress.New(stderr)
	defer display.Close()
	j := &job{config: cfg, stdin: stdin, log: slog.New(console.NewHandler(display, slog.LevelWarn)), report: display.Update}
	if j.store, err = cfg.from.OpenStore(j.log, j.report); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.store.Close()) }()
	out, err := j.mode.make(j, ctx)
	if err != nil {
		return err
	}
	display.Close()
	_, err = fmt.Fprint(stdout, j.summary(out))
	return err
}

// A job is what one command line asks for.
type job struct {
	*config
	stdin  io.Reader
	store  *artifacts.Store
	log    *slog.Logger
	report source.Report
}
