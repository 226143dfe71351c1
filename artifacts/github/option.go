package github

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
)

// An Option changes how a [Source] works. Later options win.
type Option func(*config)

// config holds every optional setting. It starts from defaults and is checked
// once, after all options ran.
type config struct {
	token  string
	client *http.Client
	base   string
	iso    func(iso io.ReaderAt, size int64) (fs.FS, error)
}

func newConfig(opts []Option) (config, error) {
	cfg := config{base: "https://github.com"}
	for _, opt := range opts {
		opt(&cfg)
	}
	cfg.base = strings.TrimSuffix(cfg.base, "/")
	return cfg, cfg.validate()
}

func (c *config) validate() error {
	var errs []error
	u, err := url.Parse(c.base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		errs = append(errs, errors.New("github: base URL: want https://host, and perhaps a path"))
	}
	if strings.ContainsFunc(c.token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		errs = append(errs, errors.New("github: token with characters that no token has"))
	}
	if u != nil && c.token != "" && u.Scheme == "http" && !loopback(u.Hostname()) {
		errs = append(errs, fmt.Errorf("github: a token would be readable on the way to %s: want https", u.Host))
	}
	return errors.Join(errs...)
}

// api returns where the API is: that of github.com has a host of its own,
// GitHub Enterprise Server has it under a path.
func (c *config) api() string {
	if c.base == "https://github.com" {
		return "https://api.github.com"
	}
	return c.base + "/api/v3"
}

// WithToken authenticates requests to the API, and to no other server. The
// default is to ask without: public repositories only, 60 requests an hour.
func WithToken(token string) Option {
	return func(c *config) { c.token = token }
}

// WithHTTPClient asks with h. The default is that of [artifacts.HTTP].
func WithHTTPClient(h *http.Client) Option {
	return func(c *config) { c.client = h }
}

// WithBaseURL asks the GitHub Enterprise Server at base, such as
// "https://github.example.com", whose API is below /api/v3. The default is
// "https://github.com", whose API is at https://api.github.com.
func WithBaseURL(base string) Option {
	return func(c *config) { c.base = base }
}

// WithISO makes [Kernel], [Initrd] and [SquashFS] of a release that has only
// the ISO from that. Open reads an ISO of so many bytes as a file tree; the
// ISO is fetched into the store, and verified, before. The default is to
// report that such a release does not have them.
func WithISO(open func(iso io.ReaderAt, size int64) (fs.FS, error)) Option {
	return func(c *config) { c.iso = open }
}
