package diskimage

import (
	"context"
	"errors"
	"io/fs"
)

// EFI returns the disk of a Kairos for UEFI.
func EFI(ctx context.Context, tree fs.FS, opts ...Option) (*Layout, error) {
	cfg, err := newConfig(opEFI, opts)
	if err != nil {
		return nil, err
	}
	l, err := kairos(ctx, tree, cfg)
	return l, cfg.wrap(err)
}

// BIOS returns the disk of a Kairos for a BIOS.
func BIOS(ctx context.Context, tree fs.FS, opts ...Option) (*Layout, error) {
	cfg, err := newConfig(opBIOS, opts)
	if err != nil {
		return nil, err
	}
	l, err := kairos(ctx, tree, cfg)
	return l, cfg.wrap(err)
}

func kairos(context.Context, fs.FS, *config) (*Layout, error) {
	return nil, errors.ErrUnsupported
}
