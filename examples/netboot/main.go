// Netboot boots machines over the network, beside the DHCP server that is
// already there: ProxyDHCP, TFTP, iPXE and HTTP in one program.
//
// Run it with -help for what it takes.
package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/netbootkit/netbootkit/examples/internal/cli"
)

func main() {
	// What lives is a few megabytes, so that collecting at twice as much would
	// mean to collect all the time when many machines ask at once.
	debug.SetGCPercent(400)
	cli.Main("netboot", run)
}

// run is main without the process: it can be called from a test.
func run(ctx context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) error {
	cfg, err := parseConfig(args, stdout)
	if err != nil {
		return err
	}
	if cfg.check {
		return check(ctx, cfg, stdout)
	}
	out := newOutput(cfg, stderr)
	defer out.close()
	srv, err := newServer(ctx, cfg, out)
	if err != nil {
		return err
	}
	defer srv.close()
	if cfg.explain != "" {
		return explain(ctx, srv.dhcp, cfg.explain, stdout)
	}
	if err := srv.listen(ctx); err != nil {
		return err
	}
	out.log.Info(fmt.Sprintf("Ready: %s", srv))
	return srv.serve(ctx)
}
