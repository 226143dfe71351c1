package squashfs

import "fmt"

// An OpenOption changes how [Open] works. Later options win.
type OpenOption func(*openConfig)

// openConfig holds every optional setting of Open.
type openConfig struct {
	cacheSize int64
}

const (
	defaultCacheSize = 8 << 20
	maxCacheSize     = 1 << 40
)

func newOpenConfig(opts []OpenOption) (openConfig, error) {
	cfg := openConfig{cacheSize: defaultCacheSize}
	for _, opt := range opts {
		opt(&cfg)
	}
	if cfg.cacheSize < 0 || cfg.cacheSize > maxCacheSize {
		return openConfig{}, fmt.Errorf("squashfs: cache size %d not in 0..%d", cfg.cacheSize, int64(maxCacheSize))
	}
	return cfg, nil
}

// WithCacheSize sets how many bytes of unpacked blocks are kept for whoever
// asks for them next, 0 to 1 TiB. An open file keeps the block that was read
// last besides. The default is 8 MiB.
func WithCacheSize(n int64) OpenOption {
	return func(c *openConfig) { c.cacheSize = n }
}
