package ipxe

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"strings"
	"time"
)

// An Option changes how a [Handler] works. Later options win.
type Option func(*config)

// config holds every optional setting. It starts from defaults and is checked
// once, after all options ran.
type config struct {
	log       *slog.Logger
	key       []byte
	lifetime  time.Duration
	base      string
	onEvent   func(Event)
	programs  fs.FS
	autoexec  bool
	idle      time.Duration
	transfers int
	grace     time.Duration
	tls       *tls.Config
}

func newConfig(opts []Option) (config, error) {
	cfg := config{
		log:       slog.New(slog.DiscardHandler),
		lifetime:  24 * time.Hour,
		onEvent:   func(Event) {},
		idle:      time.Minute,
		transfers: 1024,
		grace:     10 * time.Second,
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	if cfg.key == nil {
		cfg.key = make([]byte, 32)
		rand.Read(cfg.key) // Never fails.
	}
	cfg.base = strings.TrimSuffix(cfg.base, "/")
	return cfg, cfg.validate()
}

func (c *config) validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("ipxe: "+format, args...)) }
	if c.log == nil {
		fail("logger is nil")
	}
	if c.onEvent == nil {
		fail("event function is nil")
	}
	if len(c.key) < 16 {
		fail("key of %d bytes, want at least 16", len(c.key))
	}
	if c.lifetime < time.Second || c.lifetime > 10*365*24*time.Hour {
		fail("lifetime %v not in 1s..87600h", c.lifetime)
	}
	if c.base != "" {
		if err := checkBase(c.base); err != nil {
			errs = append(errs, err)
		}
	}
	if c.autoexec && c.programs == nil {
		fail("autoexec without programs")
	}
	if c.idle < time.Second || c.idle > time.Hour {
		fail("idle timeout %v not in 1s..1h", c.idle)
	}
	if c.transfers < 1 {
		fail("%d transfers at once, want at least 1", c.transfers)
	}
	if c.grace < 0 {
		fail("grace period %v is negative", c.grace)
	}
	return errors.Join(errs...)
}

// checkBase says why base cannot be the start of every link.
func checkBase(base string) error {
	if err := checkURL("base URL", base); err != nil {
		return err
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.ForceQuery || u.User != nil {
		return &ScriptError{Field: "base URL", Value: base, Reason: "want http://host:port or https://host:port, and perhaps a path"}
	}
	return nil
}

// WithLogger sends log records to l. The default discards them.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) { c.log = l }
}

// WithKey makes links with key, which has at least 16 bytes of secret
// randomness. Servers that share key and files serve each other's links, and
// a restart breaks none. The default is a random key, so that links die with
// the handler.
func WithKey(key []byte) Option {
	return func(c *config) { c.key = append([]byte{}, key...) }
}

// WithLifetime sets for how long a link works. An installer fetches its last
// file long after its script. The default is 24 hours; the range is one
// second to ten years.
func WithLifetime(d time.Duration) Option {
	return func(c *config) { c.lifetime = d }
}

// WithBaseURL sets what links start with, such as "http://192.0.2.1:8090" or
// "https://boot.example/pxe": needed behind address translation, a proxy or a
// virtual address. The default is the local address of the connection on
// which a machine asked; the Host header is never used.
func WithBaseURL(base string) Option {
	return func(c *config) { c.base = base }
}

// WithEventFunc calls fn for each step of each machine, after it ended. Calls
// are concurrent, and delay the request that they belong to; a panic in fn is
// logged. The default ignores events.
func WithEventFunc(fn func(Event)) Option {
	return func(c *config) { c.onEvent = fn }
}

// WithPrograms serves the files of fsys under /_/boot/<mac>/, for firmware
// that boots over HTTP. Every client can read all of them. The default is to
// serve none.
func WithPrograms(fsys fs.FS) Option {
	return func(c *config) { c.programs = fsys }
}

// WithAutoexec also serves /_/boot/<mac>/autoexec.ipxe, for programs that
// have no embedded script, such as iPXE's own signed ones. Programs that have
// one must not get it. The default is off; it needs [WithPrograms].
func WithAutoexec() Option {
	return func(c *config) { c.autoexec = true }
}

// WithIdleTimeout sets how long a client may accept nothing, before it is cut
// off; it may be twice that when it stalls just after a start. Where the kernel
// cannot send a file by itself, as with TLS, the client must accept 64 KiB in
// that time. A whole download is never limited. The default is one minute; the
// range is one second to one hour.
func WithIdleTimeout(d time.Duration) Option {
	return func(c *config) { c.idle = d }
}

// WithMaxTransfers sets how many files are sent at once. A request beyond
// that is told to come again in a few seconds. The default is 1024.
func WithMaxTransfers(n int) Option {
	return func(c *config) { c.transfers = n }
}

// WithGracePeriod sets how long running transfers may take to finish once
// [Handler.Serve] is asked to stop. The default is ten seconds.
func WithGracePeriod(d time.Duration) Option {
	return func(c *config) { c.grace = d }
}

// WithTLS makes [Handler.Serve] speak HTTPS with the certificate in cfg, and
// TLS 1.2 or later. Builds of iPXE before 2.0 know only RSA certificates, and
// cipher suites with RSA key exchange, which cfg must then name. The default
// is HTTP.
func WithTLS(cfg *tls.Config) Option {
	return func(c *config) { c.tls = cfg }
}
