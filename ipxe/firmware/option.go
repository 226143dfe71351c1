package firmware

import (
	"io/fs"
)

// An Option changes what a [Set] holds. Later options win.
type Option func(*config)

type config struct {
	tree fs.FS
	url  string
}

func newConfig(opts []Option) config {
	var cfg config
	for _, opt := range opts {
		opt(&cfg)
	}
	return cfg
}

// WithTree puts programs of the caller's own in place of the embedded ones:
// newer builds, other architectures, or signed ones for Secure Boot. The
// files of fsys must implement [io.ReaderAt], as those of [os.DirFS] do; a
// directory is best given as the FS of an [os.Root], which no link can leave.
// See [Set.Program] for the names that are looked for. The default is none.
func WithTree(fsys fs.FS) Option {
	return func(c *config) { c.tree = fsys }
}

// WithScriptURL makes the start script of the UEFI programs fetch url before
// it asks any DHCP server; see [StartScript]. The default is no URL: DHCP is
// asked first, and names the script.
func WithScriptURL(url string) Option {
	return func(c *config) { c.url = url }
}
