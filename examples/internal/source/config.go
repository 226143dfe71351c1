package source

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"

	"github.com/netbootkit/netbootkit/cloudconfig"
	"github.com/netbootkit/netbootkit/examples/internal/cli"
)

// CloudConfig is what a command line says about the cloud config.
type CloudConfig struct {
	Location string // a file, a URL or "-"; "" for none

	set    cli.Strings
	values cloudconfig.Values // from set
}

// Register adds its flags to set.
func (c *CloudConfig) Register(set *flag.FlagSet) {
	set.StringVar(&c.Location, "cloud-config", "", "cloud config to put in: a `file`, a URL or -")
	set.Var(&c.set, "set", "`name=value` that [[ .name ]] in the cloud config stands for; may be given more than once")
}

// Check returns all faults of the flags.
func (c *CloudConfig) Check() error {
	var errs []error
	for _, pair := range c.set { // Package flag would show the value that it refuses.
		if err := c.values.Set(pair); err != nil {
			errs = append(errs, fmt.Errorf("-set: %w", err))
		}
	}
	if c.Location == "" && len(c.set) > 0 {
		errs = append(errs, errors.New("-set is for -cloud-config, which is not there"))
	}
	return errors.Join(errs...)
}

// Load reads, fills in and checks the cloud config. Without one it is nil.
func (c *CloudConfig) Load(ctx context.Context, stdin io.Reader, log *slog.Logger) ([]byte, error) {
	if c.Location == "" {
		return nil, nil
	}
	d, err := cloudconfig.Load(ctx, c.Location, cloudconfig.WithStdin(stdin))
	if err == nil && len(c.values.Names()) > 0 {
		d, err = d.Render(&c.values)
	}
	if err != nil {
		return nil, fmt.Errorf("-cloud-config: %w", err)
	}
	if d.HasActions() {
		return nil, fmt.Errorf("-cloud-config: %s is a template: say with -set what the names in it stand for", c.Location)
	}
	warnings, err := d.Validate()
	for _, w := range warnings {
		log.Warn(fmt.Sprintf("cloud config: %v", w))
	}
	if err != nil {
		return nil, fmt.Errorf("-cloud-config: %w", err)
	}
	return d.Bytes(), nil
}
