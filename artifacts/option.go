package artifacts

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// An Option changes how a [Store] works. Later options win, but for
// [WithVerifier], which adds up.
type Option func(*config)

// config holds every optional setting. It starts from defaults and is checked
// once, after all options ran.
type config struct {
	log        *slog.Logger
	progress   func(name string, done, total int64)
	verifiers  []Verifier
	unverified bool
	maxSize    int64
	attempts   int
	wait       time.Duration
	idle       time.Duration
}

func newConfig(opts []Option) (config, error) {
	cfg := config{
		log:      slog.New(slog.DiscardHandler),
		progress: func(string, int64, int64) {},
		maxSize:  64 << 30,
		attempts: 5,
		wait:     time.Second,
		idle:     time.Minute,
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	if err := cfg.validate(); err != nil {
		return config{}, err
	}
	cfg.progress = oneAtATime(cfg.progress)
	return cfg, nil
}

func (c *config) validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("artifacts: "+format, args...)) }
	if c.log == nil {
		fail("logger is nil")
	}
	if c.progress == nil {
		fail("progress function is nil")
	}
	for _, v := range c.verifiers {
		if v == nil {
			fail("verifier is nil")
		}
	}
	if c.maxSize < 1 {
		fail("maximum size %d, want at least 1 byte", c.maxSize)
	}
	if c.attempts < 1 || c.attempts > 1000 {
		fail("%d attempts not in 1..1000", c.attempts)
	}
	if c.wait < 0 || c.wait > time.Minute {
		fail("wait %v not in 0s..1m", c.wait)
	}
	if c.idle < time.Second || c.idle > time.Hour {
		fail("idle timeout %v not in 1s..1h", c.idle)
	}
	return errors.Join(errs...)
}

// oneAtATime keeps calls of report from overlapping.
func oneAtATime(report func(name string, done, total int64)) func(name string, done, total int64) {
	var mu sync.Mutex
	return func(name string, done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		report(name, done, total)
	}
}

// WithLogger sends log records to l. The default discards them.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) { c.log = l }
}

// WithProgress calls fn while a file is fetched: first with done 0, at most
// ten times a second, and with done equal to total when all is there, on
// success only. Sizes are in bytes; total is −1 while unknown. Calls never
// overlap. A fetch that has to start over begins with 0 again. Files that the
// store has are not reported. The default reports nothing.
func WithProgress(fn func(name string, done, total int64)) Option {
	return func(c *config) { c.progress = fn }
}

// WithVerifier also asks v about each file that comes from a source, when it
// was fetched and each time it is taken from the store. The default is to
// check digests only.
func WithVerifier(v Verifier) Option {
	return func(c *config) { c.verifiers = append(c.verifiers, v) }
}

// WithUnverified accepts files of which no digest is known. The default is
// to refuse them with [ErrUnverified], unless a [Verifier] vouches.
func WithUnverified() Option {
	return func(c *config) { c.unverified = true }
}

// WithMaxSize sets how large a file may be, in bytes. The default is 64 GiB.
func WithMaxSize(n int64) Option {
	return func(c *config) { c.maxSize = n }
}

// WithRetry sets how often the store asks a source in a row without getting a
// byte that it did not have, and how long it waits before the second time;
// each further wait is twice as long, up to 30 seconds, less up to a half by
// chance. The default is five times and one second; the range is 1 to 1000,
// and nothing to one minute.
func WithRetry(attempts int, wait time.Duration) Option {
	return func(c *config) { c.attempts, c.wait = attempts, wait }
}

// WithIdleTimeout sets how long a source may send nothing before the store
// breaks the connection and tries again. The default is one minute; the range
// is one second to one hour.
func WithIdleTimeout(d time.Duration) Option {
	return func(c *config) { c.idle = d }
}
