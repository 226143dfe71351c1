package diskimage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"time"
)

// Limits of options.
const (
	maxCloudConfig = 16 << 20      // bytes
	maxMiB         = maxDisk >> 20 // of a size
	maxWorkers     = 1024
)

// unset is a number that no option gave.
const unset = -1

// An Option changes how a disk, or a part of one, is made. Later options win,
// but for those that add up: [WithRootFiles], [WithLoaders], [WithCmdline]. An
// option that means nothing to the function it is given to is an error, so that
// none is ignored unnoticed.
type Option func(*config)

// An operation is a function that takes options.
type operation uint16

const (
	opBuild operation = 1 << iota
	opOpen
	opEFI
	opBIOS
	opPlain
	opFAT
	opExt2
	opExt4
	opVHD
	opGCE
	opQCOW2
	opVMDK

	opKairos  = opEFI | opBIOS
	opPreset  = opKairos | opPlain
	opExt     = opExt2 | opExt4
	opContent = opFAT | opExt
	opConvert = opVHD | opGCE | opQCOW2 | opVMDK
	opWrite   = opBuild | opConvert
)

// String returns the operation as [Error] calls it.
func (op operation) String() string {
	return map[operation]string{
		opBuild: "build", opOpen: "open", opEFI: "efi", opBIOS: "bios", opPlain: "plain",
		opFAT: "fat", opExt2: "ext2", opExt4: "ext4", opVHD: "vhd", opGCE: "gce", opQCOW2: "qcow2", opVMDK: "vmdk",
	}[op]
}

// config holds every optional setting.
type config struct {
	op          operation
	misplaced   []string // options that mean nothing to op
	log         *slog.Logger
	progress    func(name string, done, total int64)
	rand        io.Reader
	time        time.Time
	cloudConfig []byte
	loaders     [][]fs.FS
	rootFiles   []fs.FS
	arch        string
	size        int64 // MiB
	state       int64 // MiB
	recovery    int64 // MiB
	cmdline     []string
	consoles    []string
	uuid        GUID
	spare       int64
	noJournal   bool
	workers     int
}

func newConfig(op operation, opts []Option) (*config, error) {
	cfg := &config{
		op:       op,
		log:      slog.New(slog.DiscardHandler),
		progress: func(string, int64, int64) {},
		time:     time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC),
		consoles: []string{"tty0", "ttyS0,115200"},
	}
	if op == opPlain {
		cfg.spare = unset
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
	if len(c.cloudConfig) > maxCloudConfig {
		fail("cloud config of %d bytes, at most %d are allowed", len(c.cloudConfig), maxCloudConfig)
	}
	for _, tree := range c.trees() {
		if tree == nil {
			fail("file tree is nil")
		}
	}
	switch c.arch {
	case "", "amd64", "arm64", "riscv64":
	default:
		fail("architecture %q is not amd64, arm64 or riscv64", c.arch)
	}
	for name, n := range map[string]int64{"size": c.size, "state size": c.state, "recovery size": c.recovery} {
		if n < 0 || n > maxMiB {
			fail("%s %d MiB not in 0..%d", name, n, int64(maxMiB))
		}
	}
	if c.spare < 0 && (c.op != opPlain || c.spare != unset) || c.spare > maxDisk {
		fail("spare %d bytes not in 0..%d", c.spare, int64(maxDisk))
	}
	if c.workers < 0 || c.workers > maxWorkers {
		fail("%d workers not in 0..%d", c.workers, maxWorkers)
	}
	return errors.Join(append(errs, c.validateCmdline()...)...)
}

func (c *config) validateCmdline() []error {
	var errs []error
	for _, word := range c.cmdline {
		if strings.ContainsAny(word, "\n\r\x00'\\\"") {
			errs = append(errs, fmt.Errorf("command line %q: GRUB cannot pass quotes, backslashes and line breaks", word))
		}
	}
	for _, name := range c.consoles {
		if name == "" || strings.ContainsAny(name, " \t\n\r\x00\"'\\") {
			errs = append(errs, fmt.Errorf("console %q is not a name as Linux has it", name))
		}
	}
	return errs
}

// trees returns all trees that options brought.
func (c *config) trees() []fs.FS {
	all := append([]fs.FS(nil), c.rootFiles...)
	for _, place := range c.loaders {
		all = append(all, place...)
	}
	return all
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
	return option("WithLogger", opWrite|opOpen|opPreset, func(c *config) { c.log = l })
}

// WithProgress calls fn while a disk is written, as the package comment of
// netbootkit says, with the bytes of the disk. The name is "disk", or the name
// of the format. The default reports nothing.
func WithProgress(fn func(name string, done, total int64)) Option {
	return option("WithProgress", opWrite, func(c *config) { c.progress = fn })
}

// WithRand draws identifiers that a [Layout] does not have from r, as UUIDs of
// version 4. The default derives them: the same input gives the same disk, and
// two machines from one image have the same identifiers. So have plain disks that
// differ only in what is in files of the same names and sizes: in one machine,
// either may become the root.
func WithRand(r io.Reader) Option {
	return option("WithRand", opPreset|opBuild|opOpen, func(c *config) { c.rand = r })
}

// WithTime sets the time of file systems and of what is made for them; other
// files keep theirs. The default is the start of 1980, the first moment that
// FAT can record: the same input gives the same bytes on any day.
func WithTime(t time.Time) Option {
	return option("WithTime", opPreset|opContent, func(c *config) { c.time = t })
}

// WithCloudConfig puts a cloud config into the disk, at most 16 MiB: as
// 90_custom.yaml in Kairos's COS_OEM, as NoCloud's user-data in a plain root.
// The default writes none.
func WithCloudConfig(text []byte) Option {
	return option("WithCloudConfig", opPreset, func(c *config) { c.cloudConfig = text })
}

// WithLoaders adds a place where boot loaders are searched that the tree lacks,
// after those added before: a folder, or unpacked packages. Several trees are
// one place, as if they were unpacked into each other, the first on top: shim
// and GRUB are always from one place. The default searches the tree only.
func WithLoaders(trees ...fs.FS) Option {
	return option("WithLoaders", opPreset, func(c *config) { c.loaders = append(c.loaders, trees) })
}

// WithRootFiles lays a tree over the tree that the disk is made of; the last
// one is on top. The default adds none.
func WithRootFiles(tree fs.FS) Option {
	return option("WithRootFiles", opPreset, func(c *config) { c.rootFiles = append(c.rootFiles, tree) })
}

// WithArch says what the tree is for, by Go's names: amd64, arm64 or riscv64.
// The default is what its kernel is for.
func WithArch(arch string) Option {
	return option("WithArch", opPreset, func(c *config) { c.arch = arch })
}

// WithSize sets the size of the disk in MiB. The default, 0, is what fits.
func WithSize(mib int64) Option {
	return option("WithSize", opPreset, func(c *config) { c.size = mib })
}

// WithStateSize sets the size of the partition COS_STATE, which Kairos adds at
// its first boot, in MiB. It holds the system twice, as active.img and passive.img.
// The default, 0, is three times the recovery partition and 100 MiB.
func WithStateSize(mib int64) Option {
	return option("WithStateSize", opKairos, func(c *config) { c.state = mib })
}

// WithRecoverySize sets the size of Kairos's recovery.img in MiB; its partition
// has twice that and 150 MiB. The default, 0, is that of the tree's files and
// 300 MiB, or what fits if that is more.
func WithRecoverySize(mib int64) Option {
	return option("WithRecoverySize", opKairos, func(c *config) { c.recovery = mib })
}

// WithCmdline adds words to the end of the kernel's command line. A text may
// hold several, with blanks between. The default adds none.
func WithCmdline(texts ...string) Option {
	return option("WithCmdline", opPlain, func(c *config) { c.cmdline = append(c.cmdline, texts...) })
}

// WithConsoles sets the kernel's consoles, such as tty0 or ttyS0,115200; the
// last one is /dev/console. No names leave the choice to the kernel. The
// default is tty0 and ttyS0,115200.
func WithConsoles(names ...string) Option {
	return option("WithConsoles", opPlain, func(c *config) { c.consoles = names })
}

// WithUUID sets the identifier of a file system, of which FAT has only the
// first 32 bits as its serial number. The default is derived from its label.
func WithUUID(id GUID) Option {
	return option("WithUUID", opContent, func(c *config) { c.uuid = id })
}

// WithSpare sets how many bytes stay free at least in a file system or, for
// [Plain], in the root of a disk whose size is what fits. The default is 0, and
// 512 MiB for Plain.
func WithSpare(n int64) Option {
	return option("WithSpare", opContent|opPlain, func(c *config) { c.spare = n })
}

// WithoutJournal makes an ext4 without a journal. The default has one where
// there is room.
func WithoutJournal() Option {
	return option("WithoutJournal", opExt4, func(c *config) { c.noJournal = true })
}

// WithWorkers sets how many processors compress, at most 1024. The bytes do not
// depend on it. The default, 0, is all that there are.
func WithWorkers(n int) Option {
	return option("WithWorkers", opGCE|opVMDK, func(c *config) { c.workers = n })
}
