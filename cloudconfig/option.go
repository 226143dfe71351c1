package cloudconfig

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"
)

// An Option changes how a document is loaded. Later options win.
type Option func(*config)

// config holds every optional setting. It starts from defaults and is checked
// once, after all options ran.
type config struct {
	client  *http.Client
	stdin   io.Reader
	fsys    fs.FS
	maxSize int64
	timeout time.Duration
}

func newConfig(opts []Option) (config, error) {
	cfg := config{maxSize: 1 << 20, timeout: 30 * time.Second}
	for _, opt := range opts {
		opt(&cfg)
	}
	return cfg, cfg.validate()
}

func (c *config) validate() error {
	var errs []error
	if c.maxSize < 1 || c.maxSize > 64<<20 {
		errs = append(errs, fmt.Errorf("cloudconfig: size limit of %d bytes not in 1..64 MiB", c.maxSize))
	}
	if c.timeout <= 0 {
		errs = append(errs, fmt.Errorf("cloudconfig: time limit %v is not positive", c.timeout))
	}
	return errors.Join(errs...)
}

// WithHTTPClient fetches http and https locations with c, which may use a
// proxy, add credentials or trust a private authority. The default is a client
// of its own that uses no proxy.
func WithHTTPClient(c *http.Client) Option {
	return func(cfg *config) { cfg.client = c }
}

// WithStdin is what the location "-" reads. The default is nothing: the
// library never touches the standard input of the process by itself.
func WithStdin(r io.Reader) Option {
	return func(c *config) { c.stdin = r }
}

// WithFS opens locations that are files in fsys, where names are as in
// [fs.ValidPath]. The default is the file system of the host, where they are
// paths as [os.Open] takes them.
func WithFS(fsys fs.FS) Option {
	return func(c *config) { c.fsys = fsys }
}

// WithMaxSize limits a document, before and after it is rendered, in bytes.
// The default is 1 MiB; the range is one byte to 64 MiB.
func WithMaxSize(n int64) Option {
	return func(c *config) { c.maxSize = n }
}

// WithTimeout sets how long [Load] may take. The default is 30 seconds.
func WithTimeout(d time.Duration) Option {
	return func(c *config) { c.timeout = d }
}
