package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/examples/internal/debian"
	"github.com/netbootkit/netbootkit/examples/internal/output"
	"github.com/netbootkit/netbootkit/examples/internal/source"
)

// A config is the command line.
type config struct {
	source string
	iso    bool // whether that is an ISO
	from   source.Flags
	output string

	efi, bios   bool
	plain       bool
	size        int64 // MiB
	stateSize   int64 // MiB
	wanted      map[string]*bool
	cloudConfig source.CloudConfig
	defaultUser bool
	overlay     cli.Strings
	cmdline     string
	consoles    []string // nil for those of the library
	loaders     debian.Flags
	time        time.Time // from SOURCE_DATE_EPOCH; zero if there is none
}

const usageText = `Diskbuilder makes disks that boot, without root, loop devices or other programs.

	diskbuilder -efi|-bios [-o disk.raw] [-raw] [-vhd] [-gce] [-qcow2] [-vmdk] [-cloud-config F] SOURCE

SOURCE is a container image in any of AuroraBoot's forms (quay.io/kairos/…, docker:…, ocifile:…), a folder, a tar, or the ISO
of a live system. That of a Kairos becomes its recovery disk, which installs itself at its first boot; any other becomes the
root file system.
The disk is made once and written in each format that a flag or the end of -o's name says: -o disk.raw -vhd writes
disk.raw and disk.vhd. Without any it is raw.
SOURCE_DATE_EPOCH in the environment sets the time of what is made.

`

// parseConfig reads the command line. Help goes to stdout.
func parseConfig(args []string, stdout io.Writer) (*config, error) {
	c := &config{wanted: make(map[string]*bool)}
	flags := cli.Flags("diskbuilder", usageText)
	c.register(flags)
	words, err := cli.Parse(flags, args, stdout)
	if err != nil {
		return nil, err
	}
	if len(words) != 1 {
		return nil, cli.Usagef("want one source, got %d: %q", len(words), words)
	}
	c.source = words[0]
	if c.time, err = cli.Epoch(); err != nil {
		return nil, err
	}
	if err := c.validate(); err != nil {
		return nil, &cli.UsageError{Err: err}
	}
	return c, nil
}

func (c *config) register(f *flag.FlagSet) {
	f.StringVar(&c.output, "o", "", "the disk's `file` (default: named after what is in it)")
	f.BoolVar(&c.efi, "efi", false, "make a disk that boots by UEFI")
	f.BoolVar(&c.bios, "bios", false, "make a disk that boots by BIOS; with -efi as well, if it is not a Kairos")
	f.BoolVar(&c.plain, "plain", false, "make the source the root file system even if it is a Kairos")
	for _, format := range formats() {
		c.wanted[format.name] = f.Bool(format.name, false, format.usage)
	}
	f.Int64Var(&c.size, "size", 0, "the disk's size in `MiB` (default: what fits)")
	f.Int64Var(&c.stateSize, "state-size", 0, "how many `MiB` the state partition gets that a Kairos adds (default: three times its recovery partition)")
	f.Var(&c.overlay, "overlay-rootfs", "`folder` laid over the root file system; may be given more than once")
	f.StringVar(&c.cmdline, "cmdline", "", "`words` added to the kernel's command line, if it is not a Kairos")
	f.Func("console", "the kernel's `consoles`, with blanks between, the last one for people (default: tty0 ttyS0,115200)", func(s string) error {
		c.consoles = strings.Fields(s) // Not nil where nothing is in it.
		return nil
	})
	c.loaders.Register(f)
	c.cloudConfig.Register(f)
	f.BoolVar(&c.defaultUser, "default-user", false, "without -cloud-config, make a Kairos's user kairos with the password kairos, as AuroraBoot does")
	c.from.Register(f)
}

func (c *config) validate() error {
	errs := []error{c.cloudConfig.Check()}
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	var err error
	if c.iso, err = source.IsISO(c.source); err != nil {
		errs = append(errs, err)
	}
	if c.iso && (c.from.Platform != "" || c.from.Insecure) {
		fault("-platform and -insecure are for container images, and %s is an ISO", c.source)
	}
	if !c.efi && !c.bios {
		fault("say what the disk boots on: -efi or -bios")
	}
	if c.defaultUser && c.cloudConfig.Location != "" {
		fault("-default-user and -cloud-config exclude one another")
	}
	if c.size < 0 || c.stateSize < 0 {
		fault("-size %d and -state-size %d must not be negative", c.size, c.stateSize)
	}
	if c.output != "" {
		for _, f := range c.formats() {
			errs = append(errs, output.Check(c.name(f, ""), source.Path(c.source), c.cloudConfig.Location))
		}
	}
	return errors.Join(append(errs, source.CheckFolders(c.overlay, c.loaders.Folders))...)
}

// firmware returns what a plain disk boots on.
func (c *config) firmware() diskimage.Firmware {
	var f diskimage.Firmware
	if c.efi {
		f |= diskimage.FirmwareUEFI
	}
	if c.bios {
		f |= diskimage.FirmwareBIOS
	}
	return f
}

// formats returns the formats that flags or the name of the file ask for: raw if
// there are none.
func (c *config) formats() []format {
	var wanted []format
	for _, f := range formats() {
		if *c.wanted[f.name] || strings.HasSuffix(c.output, f.suffix) {
			wanted = append(wanted, f)
		}
	}
	if len(wanted) == 0 {
		wanted = formats()[:1]
	}
	return wanted
}

// name returns the name of the file in a format, which is base with the format's
// suffix unless the command line names it.
func (c *config) name(f format, base string) string {
	if c.output == "" {
		return base + f.suffix
	}
	for _, other := range formats() {
		if base, ok := strings.CutSuffix(c.output, other.suffix); ok {
			return base + f.suffix
		}
	}
	if f.name == formats()[0].name {
		return c.output // A raw disk may be called anything, such as disk.img.
	}
	return c.output + f.suffix
}
