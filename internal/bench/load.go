//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
)

// A loadResult is what a load generator prints.
type loadResult struct {
	Count   int     // answers, or whole files
	Lost    int     // requests without an answer
	Bytes   int64   // of files
	Seconds float64 // how long it took
	P99     float64 // seconds within which 99 of 100 answers came
	Sum     string  // SHA-256 of the file in hexadecimal digits, if one was checked
}

// perSecond returns the answers per second.
func (r *loadResult) perSecond() float64 { return float64(r.Count) / r.Seconds }

// megabytes returns the rate in units of 1 000 000 bytes per second.
func (r *loadResult) megabytes() float64 { return float64(r.Bytes) / 1e6 / r.Seconds }

// A generator is a program of its own that loads a server, so that its work
// is not mistaken for that of the benchmark, nor of a server.
type generator interface {
	flags(f *flag.FlagSet)
	run(ctx context.Context) (*loadResult, error)
}

// load runs a generator in this process and prints its result as JSON. The
// benchmark starts itself as "load …" on the clients' host.
func load(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) == 0 {
		return errors.New("load: needs a protocol")
	}
	g := map[string]generator{
		"dhcp":    &dhcpLoad{},
		"reflect": &reflector{},
		"tftp":    &tftpLoad{},
		"http":    &httpLoad{},
	}[args[0]]
	if g == nil {
		return fmt.Errorf("load: no protocol %q", args[0])
	}
	flags := flag.NewFlagSet("load "+args[0], flag.ContinueOnError)
	g.flags(flags)
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	r, err := g.run(ctx)
	if err != nil {
		return fmt.Errorf("load %s: %w", args[0], err)
	}
	return json.NewEncoder(stdout).Encode(r)
}
