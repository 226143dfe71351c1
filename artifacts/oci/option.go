package oci

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
)

// An Option changes how an image is found and read. Later options win.
type Option func(*config)

// config holds every optional setting. It starts from defaults and is checked
// once, after all options ran.
type config struct {
	log        *slog.Logger
	progress   func(name string, done, total int64)
	platform   string
	want       platform // platform, parsed
	image      string
	keychain   authn.Keychain
	client     *http.Client
	plain      bool
	untrusted  bool
	daemonHost string
	daemonTLS  *tls.Config
	parallel   int
	maxSize    int64
	tempDir    string
}

func newConfig(opts []Option) (config, error) {
	cfg := config{
		log:        slog.New(slog.DiscardHandler),
		progress:   func(string, int64, int64) {},
		platform:   "linux/" + runtime.GOARCH,
		keychain:   credentials(anonymous),
		daemonHost: "unix:///var/run/docker.sock",
		parallel:   4,
		maxSize:    64 << 30,
	}
	for _, opt := range opts {
		opt(&cfg)
	}
	err := cfg.validate()
	cfg.want, _ = parsePlatform(cfg.platform) // validate said if it cannot be.
	return cfg, err
}

func (c *config) validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf("oci: "+format, args...)) }
	if c.log == nil {
		fail("logger is nil")
	}
	if c.progress == nil {
		fail("progress function is nil")
	}
	if _, err := parsePlatform(c.platform); err != nil {
		errs = append(errs, err)
	}
	if c.keychain == nil {
		fail("keychain is nil")
	}
	if _, _, err := parseHost(c.daemonHost); err != nil {
		errs = append(errs, err)
	}
	if c.parallel < 1 || c.parallel > maxParallel {
		fail("%d transfers at once, not in 1..%d", c.parallel, maxParallel)
	}
	if c.maxSize < 1 {
		fail("maximum size of %d bytes is not positive", c.maxSize)
	}
	if c.client != nil && c.untrusted {
		if _, ok := c.client.Transport.(*http.Transport); !ok && c.client.Transport != nil {
			fail("untrusted TLS needs an HTTP client with an *http.Transport, not %T", c.client.Transport)
		}
	}
	return errors.Join(errs...)
}

// httpClient returns the client that the caller gave, or one that waits for
// a minute where nothing moves; changed to trust every certificate, if asked.
// What is made here for it has connections that somebody has to close.
func (c *config) httpClient() (client http.Client, made *http.Transport) {
	if c.client != nil {
		client = *c.client
	}
	t, ok := client.Transport.(*http.Transport)
	switch {
	case client.Transport == nil:
		t = &http.Transport{
			ForceAttemptHTTP2:     true,
			MaxIdleConnsPerHost:   c.parallel,
			IdleConnTimeout:       time.Minute,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: time.Minute,
		}
	case !ok || !c.untrusted:
		return client, nil
	default:
		t = t.Clone()
	}
	if c.untrusted {
		if t.TLSClientConfig == nil {
			t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		t.TLSClientConfig.InsecureSkipVerify = true // As the caller asked.
	}
	client.Transport = t
	return client, t
}

// WithLogger sends log records to l. The default discards them.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) { c.log = l }
}

// WithProgress calls fn as the blobs of an image arrive, under the name of
// its reference, and as its root file system is made of them, under that name
// and " rootfs"; done and total are in bytes of blobs. See the root package
// for when it is called. The default reports nothing.
func WithProgress(fn func(name string, done, total int64)) Option {
	return func(c *config) { c.progress = fn }
}

// WithPlatform picks one of the platforms that an image was built for, as in
// linux/arm64 or linux/arm/v7, by Go's names. An image for a lower variant
// will do. The default is linux and the architecture that runs this.
func WithPlatform(p string) Option {
	return func(c *config) { c.platform = p }
}

// WithImage picks one of the images in a folder or archive that holds
// several, by its name there, such as "kairos:v3". The default is none, which
// does where there is one.
func WithImage(name string) Option {
	return func(c *config) { c.image = name }
}

// WithKeychain takes credentials from k, such as go-containerregistry's
// authn.DefaultKeychain, which reads ~/.docker/config.json and asks
// credential helpers. The default has none.
func WithKeychain(k authn.Keychain) Option {
	return func(c *config) { c.keychain = k }
}

// WithCredentials takes credentials from fn, which is given a registry's host,
// and returns empty strings where there are none. The user "<token>" goes with
// an identity token. The default has none.
func WithCredentials(fn func(ctx context.Context, host string) (user, secret string, err error)) Option {
	return func(c *config) { c.keychain = credentials(fn) }
}

// WithHTTPClient sends requests to registries through client, which brings
// proxies, certificates and limits of time. The default has no proxy, trusts
// what the system trusts, and limits the wait for an answer to a minute.
func WithHTTPClient(client *http.Client) Option {
	return func(c *config) { c.client = client }
}

// WithPlainHTTP permits registries that do not speak TLS: what fails over
// HTTPS is tried over HTTP. Whoever is on the wire can then see credentials
// and choose the image, unless it is named by digest. The default is HTTPS
// alone, for local addresses as well.
func WithPlainHTTP() Option {
	return func(c *config) { c.plain = true }
}

// WithUntrustedTLS accepts every certificate of a registry, with the risks of
// [WithPlainHTTP]. The default verifies them.
func WithUntrustedTLS() Option {
	return func(c *config) { c.untrusted = true }
}

// WithDaemonHost says where the Docker daemon listens, as DOCKER_HOST does:
// unix:///PATH, tcp://HOST:PORT or https://HOST:PORT. The default is
// unix:///var/run/docker.sock.
func WithDaemonHost(host string) Option {
	return func(c *config) { c.daemonHost = host }
}

// WithDaemonTLS speaks TLS with a daemon at tcp://. The default does not.
func WithDaemonTLS(t *tls.Config) Option {
	return func(c *config) { c.daemonTLS = t }
}

// WithParallel sets how many blobs are fetched at once. The default is 4; the
// range is 1 to 64.
func WithParallel(n int) Option {
	return func(c *config) { c.parallel = n }
}

// WithMaxSize limits the layers of an image, together and uncompressed, to n
// bytes: an archive of a kilobyte can unpack to a megabyte of zeros. The
// default is 64 GiB.
func WithMaxSize(n int64) Option {
	return func(c *config) { c.maxSize = n }
}
