// Diskbuilder makes disks that boot, of container images, folders, tars and
// live ISOs: raw, and in the formats of clouds and hypervisors. It needs no rights.
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

func main() { cli.Main("diskbuilder", run) }

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
	made, err := j.make(ctx)
	display.Close()
	for _, m := range made {
		fmt.Fprintf(stdout, "%v%s", m.file, m.hints)
	}
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
