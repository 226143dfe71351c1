package squashfs

import (
	"errors"
	"fmt"
	"math/bits"
	"runtime"
	"time"
)

// An Option changes how [Write] works. Later options win.
type Option func(*config)

// config holds every optional setting. It starts from defaults and is checked
// once, after all options ran.
type config struct {
	compression Compression
	level       int // 0 is the default of the compression
	blockSize   int
	workers     int
	time        time.Time
	progress    func(name string, done, total int64)
}

func newConfig(opts []Option) (config, error) {
	cfg := config{
		compression: Zstd,
		blockSize:   defaultBlockSize,
		workers:     min(runtime.GOMAXPROCS(0), maxDefaultWorkers),
		progress:    func(string, int64, int64) {},
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	if err := cfg.validate(); err != nil {
		return config{}, err
	}
	if cfg.level == 0 {
		cfg.level = levels(cfg.compression).usual
	}
	return cfg, nil
}

const (
	defaultBlockSize  = 1 << 20
	maxDefaultWorkers = 12 // More take more than 150 MiB, and wait for who reads the files.
	maxWorkers        = 256
)

func (c *config) validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("squashfs: "+format, args...)) }
	switch r := levels(c.compression); {
	case r.low > r.high:
		fail("cannot write %v, want gzip, xz or zstd", c.compression)
	case c.level != 0 && r.high == 0:
		fail("%v has no levels, found %d", c.compression, c.level)
	case c.level != 0 && (c.level < r.low || c.level > r.high):
		fail("%v level %d not in %d..%d", c.compression, c.level, r.low, r.high)
	}
	if c.blockSize < minBlockSize || c.blockSize > maxBlockSize || bits.OnesCount(uint(c.blockSize)) != 1 {
		fail("block size %d is not a power of two in %d..%d", c.blockSize, minBlockSize, maxBlockSize)
	}
	if c.workers < 1 || c.workers > maxWorkers {
		fail("%d workers not in 1..%d", c.workers, maxWorkers)
	}
	if c.progress == nil {
		fail("progress function is nil")
	}
	return errors.Join(errs...)
}

// A levelRange says which levels a compression has.
type levelRange struct{ low, high, usual int }

// levels returns the levels of c: none if it has no levels, and an empty
// range if it cannot be written.
func levels(c Compression) levelRange {
	switch c {
	case Gzip:
		return levelRange{1, 9, 6}
	case XZ:
		return levelRange{}
	case Zstd:
		return levelRange{1, 22, 7}
	default:
		return levelRange{low: 1}
	}
}

// WithCompression says how blocks are packed: [Gzip], [XZ] or [Zstd]. The
// default is Zstd.
func WithCompression(c Compression) Option {
	return func(cfg *config) { cfg.compression = c }
}

// WithLevel sets how hard to pack: 1 to 9 for [Gzip], 1 to 22 on the scale of
// the zstd program for [Zstd], of which four steps exist: 1-2, 3-5, 6-9 and more.
// [XZ] has none. The default is 6 for gzip and 7 for zstd.
func WithLevel(n int) Option {
	return func(c *config) { c.level = n }
}

// WithBlockSize sets how many bytes are packed together, a power of two from
// 4096 to 1048576. The default is 1048576.
func WithBlockSize(n int) Option {
	return func(c *config) { c.blockSize = n }
}

// WithWorkers sets how many blocks are packed at once, 1 to 256. The image is
// the same for any number. The default is one for each core, at most 12.
func WithWorkers(n int) Option {
	return func(c *config) { c.workers = n }
}

// WithTime sets the time at which the image says it was made. The default is
// the latest time that an entry of the tree was changed.
func WithTime(t time.Time) Option {
	return func(c *config) { c.time = t }
}

// WithProgress has report called with the name "squashfs" and the bytes of
// files that were read. The default is to report nothing.
func WithProgress(report func(name string, done, total int64)) Option {
	return func(c *config) { c.progress = report }
}
