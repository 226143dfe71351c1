package diskimage

import (
	"context"
	"errors"
	"io/fs"
)

// Plain returns a disk that boots tree on the firmware; 0 is both for amd64 and
// UEFI for others.
func Plain(ctx context.Context, tree fs.FS, firmware Firmware, opts ...Option) (*Layout, error) {
	cfg, err := newConfig(opPlain, opts)
	if err != nil {
		return nil, err
	}
	l, err := plain(ctx, tree, firmware, cfg)
	return l, cfg.wrap(err)
}

func plain(context.Context, fs.FS, Firmware, *config) (*Layout, error) {
	return nil, errors.ErrUnsupported
}
