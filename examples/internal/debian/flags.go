package debian

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/isobuild"
)

// Flags are what a command line says about boot loaders that a source lacks.
type Flags struct {
	Folders cli.Strings // with boot loaders
	Offline bool        // nothing is fetched
	Base    string      // the URL of Debian's archive
}

// Register adds the flags to set.
func (f *Flags) Register(set *flag.FlagSet) {
	set.Var(&f.Folders, "grub", "`folder` with boot loaders, for sources that have none; may be given more than once")
	set.BoolVar(&f.Offline, "no-fetch", false, "do not fetch Debian's boot loaders when the source has none")
	set.StringVar(&f.Base, "debian", DefaultBase, "`URL` of Debian's archive")
}

// WithLoaders runs build with an option for the boot loaders of each folder. If
// one is missing, which shows before build writes anything, it runs build again
// with one for Debian's as well. The option is WithLoaders of isobuild or of
// diskimage.
func WithLoaders[O any](ctx context.Context, f *Flags, store *artifacts.Store, option func(...fs.FS) O, build func(...O) error) error {
	var opts []O
	for _, name := range f.Folders {
		root, err := os.OpenRoot(name) // It may be a whole computer, of which little is read.
		if err != nil {
			return err
		}
		defer root.Close()
		opts = append(opts, option(root.FS()))
	}
	err := build(opts...)
	packages := Loaders(missing(err))
	switch {
	case len(packages) == 0:
		return err
	case f.Offline:
		return errors.Join(err, wayOut(packages))
	}
	tree, fetchErr := Open(ctx, store, f.Base, packages...)
	if fetchErr != nil {
		return errors.Join(err, fmt.Errorf("fetching Debian's did not work either: %w", fetchErr), wayOut(packages))
	}
	return build(append(opts, option(tree))...)
}

// wayOut says how to do without fetching packages.
func wayOut(packages []Package) error {
	var names []string
	for _, p := range packages {
		names = append(names, p.Name)
	}
	return fmt.Errorf("name a folder that has boot loaders with -grub, which is / after apt install %s, or another archive with -debian",
		strings.Join(names, " "))
}

// missing returns the architecture whose boot loader err says is missing; "" if
// it says something else.
func missing(err error) string {
	var iso *isobuild.LoaderError
	var disk *diskimage.LoaderError
	switch {
	case errors.As(err, &iso):
		return iso.Arch
	case errors.As(err, &disk):
		return disk.Arch
	default:
		return ""
	}
}
