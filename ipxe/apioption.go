package ipxe

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"time"
)

// Limits of an [API] that are no options.
const (
	maxAnswers = 4096             // machines whose answer is kept
	spoolWait  = 5 * time.Second  // for a file to start arriving, or to end if its size is unknown
	spoolFresh = 30 * time.Second // how long a kept file is sent without asking whether it changed
	spoolKeep  = time.Hour        // how long an unused file is kept
)

// An APIOption changes how an [API] works. Later options win.
type APIOption func(*apiConfig)

type apiConfig struct {
	client  *http.Client
	timeout time.Duration
	fresh   time.Duration
	files   fs.FS
	dir     string
	maxFile int64
	maxAll  int64
	idle    time.Duration
}

func newAPIConfig(opts []APIOption) (apiConfig, error) {
	cfg := apiConfig{
		timeout: 5 * time.Second,
		fresh:   5 * time.Second,
		maxFile: 8 << 30,
		maxAll:  32 << 30,
		idle:    time.Minute,
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	if cfg.client == nil {
		cfg.client = &http.Client{Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: spoolWait}).DialContext,
			TLSHandshakeTimeout: spoolWait,
			DisableCompression:  true, // Content-Length would be lost.
			IdleConnTimeout:     keepAliveTimeout,
		}}
	}
	return cfg, cfg.validate()
}

func (c *apiConfig) validate() error {
	var errs []error
	if c.timeout <= 0 {
		errs = append(errs, fmt.Errorf("ipxe: API timeout %v is not positive", c.timeout))
	}
	if c.fresh < 0 {
		errs = append(errs, fmt.Errorf("ipxe: API cache time %v is negative", c.fresh))
	}
	if c.maxFile < 1 || c.maxAll < c.maxFile {
		errs = append(errs, fmt.Errorf("ipxe: API limits of %d bytes a file and %d for all: want 1 or more, and no less for all", c.maxFile, c.maxAll))
	}
	if c.idle <= 0 {
		errs = append(errs, fmt.Errorf("ipxe: API idle timeout %v is not positive", c.idle))
	}
	return errors.Join(errs...)
}

// WithAPIClient makes requests with c, which may add credentials or trust a
// private authority. It must have no total timeout, as that would cut long
// downloads. The default is a client of its own that uses no proxy.
func WithAPIClient(c *http.Client) APIOption {
	return func(cfg *apiConfig) { cfg.client = c }
}

// WithAPITimeout sets how long the server may take to say what a machine
// boots. The default is five seconds.
func WithAPITimeout(d time.Duration) APIOption {
	return func(cfg *apiConfig) { cfg.timeout = d }
}

// WithAPICache sets how long an answer about a machine is used again; one
// boot asks several times. Zero asks each time. The default is five seconds.
func WithAPICache(d time.Duration) APIOption {
	return func(cfg *apiConfig) { cfg.fresh = d }
}

// WithAPIFiles allows answers to name file:///path, opened in fsys. The
// default refuses such answers.
func WithAPIFiles(fsys fs.FS) APIOption {
	return func(cfg *apiConfig) { cfg.files = fsys }
}

// WithAPIDir keeps fetched files in a new folder inside dir. The default is
// the system's folder for temporary files.
func WithAPIDir(dir string) APIOption {
	return func(cfg *apiConfig) { cfg.dir = dir }
}

// WithAPILimits bounds the size of one fetched file, and of all that are kept,
// in bytes. The defaults are 8 GiB and 32 GiB.
func WithAPILimits(file, all int64) APIOption {
	return func(cfg *apiConfig) { cfg.maxFile, cfg.maxAll = file, all }
}

// WithAPIIdleTimeout sets how long a download may make no progress. The
// default is one minute.
func WithAPIIdleTimeout(d time.Duration) APIOption {
	return func(cfg *apiConfig) { cfg.idle = d }
}
