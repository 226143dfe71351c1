package isobuild

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/isobuild/squashfs"
)

// DefaultVolumeID is the volume identifier of a live image, unless
// [WithVolumeID] says otherwise. Kairos finds its live medium by this name.
const DefaultVolumeID = "COS_LIVE"

// maxCloudConfig is how large a cloud config may be, in bytes.
const maxCloudConfig = 16 << 20

// An Option changes how an image is made. Later options win, but for those
// that add up: [WithCmdline], [WithFiles], [WithRootFiles], [WithRemove],
// [WithLoaders]. An option that means nothing to the function it is
// given to is an error, so that none is ignored unnoticed.
type Option func(*config)

// An operation is a function that takes options.
type operation uint8

const (
	opBuild operation = 1 << iota
	opStream
	opRemaster
	opIPXE

	opLive = opBuild | opStream
	opNew  = opLive | opIPXE
	opAny  = opNew | opRemaster
)

// String returns the operation as [Error] calls it.
func (op operation) String() string {
	return map[operation]string{opBuild: "build", opStream: "stream", opRemaster: "remaster", opIPXE: "ipxe"}[op]
}

// config holds every optional setting. What is zero was not given: what that
// means depends on the operation.
type config struct {
	op          operation
	misplaced   []string // options that mean nothing to op
	log         *slog.Logger
	progress    func(name string, done, total int64)
	volumeID    string
	cmdline     []string
	words       []string // of cmdline
	consoles    []string
	files       []fs.FS
	rootFiles   []fs.FS
	cloudConfig []byte
	remove      []string
	loaders     [][]fs.FS
	firmware    Firmware
	arch        string
	time        time.Time
	squashfs    []squashfs.Option
}

func newConfig(op operation, opts []Option) (*config, error) {
	cfg := &config{
		op:       op,
		log:      slog.New(slog.DiscardHandler),
		progress: func(string, int64, int64) {},
		consoles: []string{"ttyS0", "tty1"},
	}
	if op&opLive != 0 {
		cfg.volumeID = DefaultVolumeID
	}
	for _, opt := range opts {
		opt(cfg)
	}
	if err := cfg.validate(); err != nil {
		return nil, &Error{Op: op.String(), Err: err}
	}
	return cfg, nil
}

func (c *config) validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	for _, name := range c.misplaced {
		fail("%s means nothing here", name)
	}
	if c.log == nil {
		fail("logger is nil")
	}
	if c.progress == nil {
		fail("progress function is nil")
	}
	for _, text := range slices.Concat(c.cmdline, c.consoles) {
		if strings.ContainsAny(text, "\n\r\x00") {
			fail("command line %q holds a line break", text)
		}
	}
	for _, text := range c.cmdline {
		words, err := kernelWords(text)
		if err != nil {
			errs = append(errs, err)
		}
		c.words = append(c.words, words...)
	}
	for _, name := range c.consoles {
		if name == "" || strings.ContainsAny(name, " \t\"'\\") {
			fail("console %q is not a name as Linux has it", name)
		}
	}
	for _, tree := range slices.Concat(c.files, c.rootFiles, slices.Concat(c.loaders...)) {
		if tree == nil {
			fail("file tree is nil")
		}
	}
	if y := c.when().UTC().Year(); y < 1 || y > 9999 {
		fail("time in the year %d, which is not in 1..9999", y)
	}
	if len(c.cloudConfig) > maxCloudConfig {
		fail("cloud config of %d bytes, at most %d are allowed", len(c.cloudConfig), maxCloudConfig)
	}
	if c.firmware&^(BIOS|UEFI) != 0 {
		fail("unknown firmware %#x", uint8(c.firmware))
	}
	switch c.arch {
	case "", "amd64", "arm64", "riscv64":
	default:
		fail("architecture %q is not amd64, arm64 or riscv64", c.arch)
	}
	return errors.Join(errs...)
}

// option returns an Option called name, which means something to ops only.
func option(name string, ops operation, set func(*config)) Option {
	return func(c *config) {
		if c.op&ops == 0 {
			c.misplaced = append(c.misplaced, name)
			return
		}
		set(c)
	}
}

// WithLogger sends log records to l. The default discards them.
func WithLogger(l *slog.Logger) Option {
	return option("WithLogger", opAny, func(c *config) { c.log = l })
}

// WithProgress calls fn while an image is made, as the package comment of
// netbootkit says. The name is "squashfs" while the root file system is
// compressed, with the bytes of its files, and "iso" while the image is
// written, with the bytes of the image. The default reports nothing.
func WithProgress(fn func(name string, done, total int64)) Option {
	return option("WithProgress", opAny, func(c *config) { c.progress = fn })
}

// WithVolumeID sets the volume identifier, at most 32 bytes. The command line
// of a live image finds the medium by it, which allows letters, digits and
// #+-.:=@_ only, also for [Remaster] if a menu has the old one. The default is
// [DefaultVolumeID] for a live image, [DefaultIPXEVolumeID] for that of [IPXE],
// and for [Remaster] what the image has.
func WithVolumeID(id string) Option {
	return option("WithVolumeID", opAny, func(c *config) { c.volumeID = id })
}

// WithCmdline adds words to the end of the kernel's command line. A text may
// hold several, with blanks between; double quotes keep blanks together. The
// default adds none.
func WithCmdline(texts ...string) Option {
	return option("WithCmdline", opLive, func(c *config) { c.cmdline = append(c.cmdline, texts...) })
}

// WithConsoles sets the kernel's consoles, such as tty1 or ttyS0,115200; the
// last one is /dev/console. The boot menu of a BIOS is on the first serial one
// as well. No names leave the choice to the kernel. The default is ttyS0 and
// tty1.
func WithConsoles(names ...string) Option {
	return option("WithConsoles", opLive, func(c *config) { c.consoles = names })
}

// WithFiles lays a tree over the files of the image; the last one is on top.
// In a live system they are below /run/initramfs/live. The default adds none.
func WithFiles(tree fs.FS) Option {
	return option("WithFiles", opAny, func(c *config) { c.files = append(c.files, tree) })
}

// WithRootFiles lays a tree over the root file system; the last one is on top.
// The default adds none.
func WithRootFiles(tree fs.FS) Option {
	return option("WithRootFiles", opBuild, func(c *config) { c.rootFiles = append(c.rootFiles, tree) })
}

// WithCloudConfig puts text into the image as /config.yaml, at most 16 MiB. A
// config.yaml in a tree of [WithFiles] wins. The default writes none.
func WithCloudConfig(text []byte) Option {
	return option("WithCloudConfig", opLive|opRemaster, func(c *config) { c.cloudConfig = text })
}

// WithRemove removes files and directories from the image. The default
// removes none.
func WithRemove(names ...string) Option {
	return option("WithRemove", opRemaster, func(c *config) { c.remove = append(c.remove, names...) })
}

// WithLoaders adds a place where boot loaders are searched that the root file
// system lacks, after those added before: a folder, or unpacked packages. Several
// trees are one place, as if they were unpacked into each other, the first on
// top: shim and GRUB are always from one place. The default searches the root
// file system only.
func WithLoaders(trees ...fs.FS) Option {
	return option("WithLoaders", opNew, func(c *config) { c.loaders = append(c.loaders, trees) })
}

// WithFirmware says which firmware the image must boot on: BIOS, UEFI or
// BIOS|UEFI. The default is both for amd64 and UEFI for others.
func WithFirmware(f Firmware) Option {
	return option("WithFirmware", opNew, func(c *config) { c.firmware = f })
}

// WithArch says what the root file system is for, by Go's names: amd64, arm64
// or riscv64. The default is what its kernel is for.
func WithArch(arch string) Option {
	return option("WithArch", opNew, func(c *config) { c.arch = arch })
}

// WithSquashfs sets how the root file system is packed. The default is that of
// [squashfs.Write], with the time of [WithTime].
func WithSquashfs(opts ...squashfs.Option) Option {
	return option("WithSquashfs", opBuild, func(c *config) { c.squashfs = append(c.squashfs, opts...) })
}

// WithTime sets the time of the image and of what is made for it; other files
// keep theirs. The default is the start of 1980, the first moment that FAT can
// record: the same input gives the same bytes on any day. [Remaster] keeps the
// time of the image, by which systems can find their medium; new files have that
// by default.
func WithTime(t time.Time) Option {
	return option("WithTime", opAny, func(c *config) { c.time = t })
}
