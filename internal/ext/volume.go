package ext

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// A Volume says what a file system is, apart from its files.
type Volume struct {
	Label     string    // at most 16 bytes
	UUID      [16]byte  // zero: derived from Label, Time, Size and Version
	Time      time.Time // when it was made; zero: the start of 1970
	Size      int64     // in bytes; 0: the least that holds the tree and Spare
	Spare     int64     // bytes that stay free for files, at least
	Version   int       // 2 or 4; 0: 4
	NoJournal bool      // version 4 without a journal; version 2 never has one
	Reserved  int       // percent of the blocks that only root may use, 0 to 50
	HashSeed  [16]byte  // of indexed directories; zero: derived from UUID
}

// maxVolume is how large a volume may be, in bytes.
const maxVolume = maxBlocks * blockSize

// New returns a file system with the files of tree. Their contents are read
// when the image is read. The image has v.Size bytes, or, to fit, a multiple of
// 4096.
func New(ctx context.Context, tree fs.FS, v Volume) (*mosaic.Image, error) {
	l, err := newLayout(ctx, tree, &v)
	if err != nil {
		return nil, err
	}
	if err := l.fit(&v); err != nil {
		return nil, err
	}
	image := l.assemble(tree, &v)
	if v.Size > 0 {
		image.SetSize(v.Size)
	}
	return image, nil
}

// MinSize returns the size in bytes of the least file system that holds tree and
// v.Spare; v.Size is not used.
func MinSize(ctx context.Context, tree fs.FS, v Volume) (int64, error) {
	v.Size = 0
	l, err := newLayout(ctx, tree, &v)
	if err != nil {
		return 0, err
	}
	if err := l.fit(&v); err != nil {
		return 0, err
	}
	return int64(l.blocks) * blockSize, nil
}

// complete fills in what v leaves open, and says all that is wrong with it.
func (v *Volume) complete() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("ext: "+format, args...)) }
	if len(v.Label) > 16 || strings.Contains(v.Label, "\x00") {
		wrong("label %.100q: has %d bytes, not up to 16 without a zero", v.Label, len(v.Label))
	}
	if v.Size < 0 || v.Size > maxVolume {
		wrong("size %d: not 0 to %d", v.Size, int64(maxVolume))
	}
	if v.Spare < 0 || v.Spare > maxVolume {
		wrong("spare %d: not 0 to %d", v.Spare, int64(maxVolume))
	}
	if v.Version != 0 && v.Version != 2 && v.Version != 4 {
		wrong("version %d: not 2 or 4", v.Version)
	}
	if v.Reserved < 0 || v.Reserved > 50 {
		wrong("reserved %d: not 0 to 50 percent", v.Reserved)
	}
	if v.Time.IsZero() {
		v.Time = time.Unix(0, 0)
	}
	if seconds := v.Time.Unix(); seconds < 0 || seconds > 1<<32-1 {
		wrong("time %v: not 1970 to 2106", v.Time)
	}
	if v.Version == 0 {
		v.Version = 4
	}
	v.derive()
	return errors.Join(errs...)
}

// derive makes the numbers that were not given. A file system needs them, and
// the same tree shall give the same bytes.
func (v *Volume) derive() {
	if v.UUID == [16]byte{} {
		sum := sha256.Sum256(fmt.Appendf(nil, "ext UUID %q %d %d %d", v.Label, v.Time.Unix(), v.Size, v.Version))
		copy(v.UUID[:], sum[:])
		v.UUID[6] = v.UUID[6]&0x0F | 0x80 // Version 8: made by a rule of one's own (RFC 9562 §5.8).
		v.UUID[8] = v.UUID[8]&0x3F | 0x80
	}
	if v.HashSeed == [16]byte{} {
		sum := sha256.Sum256(append([]byte("ext hash seed "), v.UUID[:]...))
		copy(v.HashSeed[:], sum[:])
	}
}
