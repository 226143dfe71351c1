package isobuild

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

const (
	// maxPadding is how much padding behind the files is kept, in blocks.
	// Writers of images put it there for drives that read ahead.
	maxPadding = 150
	// minPadding is how many blocks there are in any case: xorriso reads one
	// behind each directory.
	minPadding = 1
	// maxLoose is how many bytes behind the volume and its partitions may
	// belong to nothing; backups of partition tables are there.
	maxLoose = 1 << 20
)

// Remaster writes the image iso to w with other files in it, and returns its
// size in bytes: [WithFiles] adds and replaces, [WithRemove] removes,
// [WithCloudConfig] puts a /config.yaml in, in the order remove, config, files. It
// reads iso once and does not change it.
//
// What boots goes on to boot: nothing that stays moves, but a partition that
// was appended to the volume, which comes behind what is new, with the entries of
// the boot catalogue and of partition tables that lead there. New files and all
// directories are behind the old files. Blocks of files that are gone are
// zeros, as are those of the old directories. Files that only another tree than
// that of [Open] shows are left out, and so are older versions. Names from an
// image without Rock Ridge and Joliet become lower case. A new volume identifier
// also goes into the menus of the image, *.cfg, *.conf and *.lst, where the old
// one stands for the medium: behind LABEL= and in GRUB's search.
//
// The error matches [errors.ErrUnsupported] for images with UDF, for compressed
// and sparse files, for boot images that were to be replaced or removed, and for
// a new volume identifier if a menu in the EFI system partition has the old one.
func Remaster(ctx context.Context, w io.Writer, iso File, opts ...Option) (int64, error) {
	cfg, err := newConfig(opRemaster, opts)
	if err != nil {
		return 0, err
	}
	n, err := remaster(ctx, w, iso, cfg)
	return n, cfg.wrap(err)
}

func remaster(ctx context.Context, w io.Writer, iso File, cfg *config) (int64, error) {
	if iso == nil {
		return 0, errors.New("the image is nil")
	}
	r, err := newRemaster(ctx, iso, cfg)
	if err != nil {
		return 0, err
	}
	image, err := r.build()
	if err != nil {
		return 0, err
	}
	n, err := cfg.write(ctx, w, image)
	if err == nil {
		cfg.log.LogAttrs(ctx, slog.LevelInfo, "image remastered",
			slog.String("volume", r.volumeID()), slog.Int64("old_bytes", iso.Size()), slog.Int64("bytes", image.Size()))
	}
	return n, err
}

// A remastering is one call of Remaster. Blocks are those of the old image unless
// said otherwise.
type remastering struct {
	cfg     *config
	iso     File
	at      time.Time
	old     *iso9660.Image
	volumes []*volume // of the image and, if it mounts by itself, of its first partition
	catalog *iso9660.Catalog
	files   *changedTree
	disk    *disk

	kept []span // blocks of files that stay
	lost []span // blocks that become zeros

	cut     int64 // the first block behind the volume, where it grows
	keep    int64 // the end of what stays before cut
	tail    int64 // blocks from cut on, which move
	full    int64 // the end of all data before cut
	padding int64 // blocks of padding between them

	image   *mosaic.Image
	next    int64             // the first free block of the new image
	moving  []*isomaster.Node // files in partitions that move
	patches map[int64][]byte  // blocks that change, by number
}

// newRemaster reads what there is to know of iso.
func newRemaster(ctx context.Context, iso File, cfg *config) (*remastering, error) {
	old, err := iso9660.Open(iso, iso.Size())
	if err != nil {
		return nil, err
	}
	if old.Volume().UDF {
		return nil, fmt.Errorf("image has a UDF volume beside ISO 9660: %w", errors.ErrUnsupported)
	}
	r := &remastering{cfg: cfg, iso: iso, old: old, at: cfg.when(), image: mosaic.New(), patches: make(map[int64][]byte)}
	if v := old.Volume(); cfg.time.IsZero() && !v.Modified.IsZero() {
		r.at = v.Modified
	}
	if r.catalog, err = old.Catalog(); err != nil {
		return nil, err
	}
	if id := old.Volume().ID; cfg.volumeID != "" && cfg.volumeID != id && id != "" {
		if err := r.checkLoaders(cfg.volumeID); err != nil {
			return nil, err
		}
	}
	if r.disk, err = readDisk(iso); err != nil {
		return nil, err
	}
	if r.files, err = changed(ctx, old, cfg, r.at); err != nil {
		return nil, err
	}
	if err := r.findVolumes(); err != nil {
		return nil, err
	}
	if err := r.findBlocks(); err != nil {
		return nil, err
	}
	return r, r.findCut()
}

// volumeID returns what the new image is called.
func (r *remastering) volumeID() string {
	if r.cfg.volumeID != "" {
		return r.cfg.volumeID
	}
	return r.old.Volume().ID
}
