package ext

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// A Volume says what a file system is, apart from its files.
type Volume struct {
	Label     string    // at most 16 bytes
	UUID      [16]byte  // zero: derived from Label, Time, Size and Version
	Time      time.Time // when it was made; zero: 1970
	Size      int64     // in bytes, a multiple of 4096 is used; 0: the least that holds the tree and Spare
	Spare     int64     // bytes that stay free for files when Size is 0
	Version   int       // 2 or 4; 0: 4
	NoJournal bool      // version 4 without a journal; version 2 never has one
	Reserved  int       // percent of the blocks that only root may use, 0 to 50
	HashSeed  [16]byte  // of indexed directories; zero: derived from UUID
}

// New returns a file system with the files of tree. Their contents are read
// when the image is read.
func New(ctx context.Context, _ fs.FS, _ Volume) (*mosaic.Image, error) {
	return nil, errors.Join(ctx.Err(), errors.ErrUnsupported)
}

// MinSize returns the size in bytes of the least file system that holds tree and
// v.Spare; v.Size is not used.
func MinSize(ctx context.Context, _ fs.FS, _ Volume) (int64, error) {
	return 0, errors.Join(ctx.Err(), errors.ErrUnsupported)
}
