package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/examples/internal/debian"
	"github.com/netbootkit/netbootkit/examples/internal/output"
	"github.com/netbootkit/netbootkit/examples/internal/source"
	"github.com/netbootkit/netbootkit/isobuild"
)

// A config is the command line.
type config struct {
	mode   mode
	source string
	from   source.Flags
	output string

	cloudConfig source.CloudConfig
	overlay     cli.Strings
	rootOverlay cli.Strings
	remove      cli.Strings
	cmdline     string
	consoles    string
	volumeID    string
	compression string
	firmware    string
	loaders     debian.Flags
	time        time.Time // from SOURCE_DATE_EPOCH; zero if there is none

	ipxeScript string
	ipxeWait   bool
	ipxeDir    string
}

const usageText = `Isobuilder makes ISO images that boot as a CD and from a USB stick, by BIOS and by UEFI.

	isobuilder [-o FILE] [-cloud-config F] [-overlay DIR] SOURCE       a live image
	isobuilder [-o FILE] [-cloud-config F] [-overlay DIR] FILE.iso     the same image with other files in it
	isobuilder [-o FILE] -repository kairos-io/kairos -flavor ubuntu … the same with the image of a release
	isobuilder [-o FILE] -ipxe-script F                                an image that starts iPXE with a script
	isobuilder [-o FILE] -ipxe-wait                                    one that waits for a boot server

SOURCE is a container image in any of AuroraBoot's forms (quay.io/kairos/…, docker:…, ocifile:…), a folder or a tar.
SOURCE_DATE_EPOCH in the environment sets the time of what is made.

`

// parseConfig reads the command line. Help goes to stdout.
func parseConfig(args []string, stdout io.Writer) (*config, error) {
	c := new(config)
	flags := cli.Flags("isobuilder", usageText)
	c.register(flags)
	words, err := cli.Parse(flags, args, stdout)
	if err != nil {
		return nil, err
	}
	if len(words) > 1 {
		return nil, cli.Usagef("want one source, got %d: %q", len(words), words)
	}
	c.source = strings.Join(words, "")
	if c.time, err = cli.Epoch(); err != nil {
		return nil, err
	}
	if err := c.validate(flags); err != nil {
		return nil, &cli.UsageError{Err: err}
	}
	return c, nil
}

func (c *config) register(f *flag.FlagSet) {
	f.StringVar(&c.output, "o", "", "the image's `file` (default: named after what is in it)")
	c.cloudConfig.Register(f)
	f.Var(&c.overlay, "overlay", "`folder` laid over the image, below /run/initramfs/live in the live system; may be given more than once")
	f.Var(&c.rootOverlay, "overlay-rootfs", "`folder` laid over the root file system; may be given more than once")
	f.Var(&c.remove, "remove", "`file` or folder of the ISO to leave out; may be given more than once")
	f.StringVar(&c.cmdline, "cmdline", "", "`words` added to the kernel's command line")
	f.StringVar(&c.consoles, "console", "ttyS0 tty1", "the kernel's `consoles`, with blanks between, the last one for people")
	f.StringVar(&c.volumeID, "volume-id", "", "the volume `identifier` (default: "+isobuild.DefaultVolumeID+", or that of the ISO)")
	f.StringVar(&c.compression, "compression", "", "how the root file system is compressed: gzip, zstd or xz (default: see package squashfs)")
	f.StringVar(&c.firmware, "firmware", "", "the `firmware` it has to boot on: bios, uefi or bios,uefi (default: both where the machine knows both)")
	c.loaders.Register(f)
	f.StringVar(&c.ipxeScript, "ipxe-script", "", "make an image that runs this iPXE script `file`")
	f.BoolVar(&c.ipxeWait, "ipxe-wait", false, "make an image that waits for the answer of a boot server")
	f.StringVar(&c.ipxeDir, "ipxe", "", "`folder` with ipxe.lkrn for BIOS, instead of Debian's")
	c.from.Register(f)
	c.from.RegisterRelease(f)
}

// ipxe reports whether an image is wanted that starts iPXE.
func (c *config) ipxe() bool { return c.ipxeScript != "" || c.ipxeWait }

func (c *config) validate(flags *flag.FlagSet) error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }

	var sources []string
	for _, s := range []struct {
		name  string
		given bool
	}{{"SOURCE", c.source != ""}, {"-repository", c.from.Release.Repository != ""}, {"-ipxe-script", c.ipxeScript != ""}, {"-ipxe-wait", c.ipxeWait}} {
		if s.given {
			sources = append(sources, s.name)
		}
	}
	switch {
	case len(sources) == 0:
		fault("nothing to make an image of: give SOURCE, -repository, -ipxe-script or -ipxe-wait")
	case len(sources) > 1:
		fault("%s exclude one another: each says what the image is made of", strings.Join(sources, " and "))
	default:
		m, err := c.findMode()
		if err == nil {
			err = cli.Only(flags, m.name, m.takes())
		}
		c.mode, errs = m, append(errs, err)
	}
	errs = append(errs, c.cloudConfig.Check())
	if c.output != "" {
		errs = append(errs, output.Check(c.output, source.Path(c.source), c.cloudConfig.Location, c.ipxeScript))
	}
	if _, ok := compressions()[c.compression]; c.compression != "" && !ok {
		fault("-compression %q is not gzip, zstd or xz", c.compression)
	}
	wanted, err := c.wantedFirmware()
	if err != nil {
		errs = append(errs, err)
	}
	if wanted == isobuild.UEFI && c.ipxeDir != "" {
		fault("-ipxe is for BIOS, which -firmware %s leaves out", c.firmware)
	}
	return errors.Join(append(errs, source.CheckFolders(c.overlay, c.rootOverlay, c.loaders.Folders))...)
}

// wantedFirmware returns what -firmware says; zero is the library's choice.
func (c *config) wantedFirmware() (isobuild.Firmware, error) {
	var f isobuild.Firmware
	if c.firmware == "" {
		return 0, nil
	}
	for name := range strings.SplitSeq(c.firmware, ",") {
		switch strings.ToLower(name) {
		case "bios":
			f |= isobuild.BIOS
		case "uefi", "efi":
			f |= isobuild.UEFI
		default:
			return 0, fmt.Errorf("-firmware %q: %q is neither bios nor uefi", c.firmware, name)
		}
	}
	return f, nil
}
