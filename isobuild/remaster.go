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
	"github.com/netbootkit/netbootkit/internal/meter"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

const (
	// maxPadding is how much padding behind the files is kept, in blocks.
	// Writers of images put it there for drives that read ahead.
	maxPadding = 150
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
// zeros, as are those of the old directories. Names from an image without Rock
// Ridge and Joliet become lower case.
//
// The error matches [errors.ErrUnsupported] for images with UDF, for compressed
// and sparse files, and for boot images that were to be replaced or removed.
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
	count := &counter{w: w}
	m := meter.NewWriter(count, "iso", image.Size(), cfg.progress)
	if err := image.Copy(ctx, m); err != nil {
		return count.n, err
	}
	m.Finish()
	cfg.log.LogAttrs(ctx, slog.LevelInfo, "image remastered",
		slog.String("volume", r.volumeID()), slog.Int64("old_bytes", iso.Size()), slog.Int64("bytes", image.Size()))
	return count.n, nil
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
	next    int64            // the first free block of the new image
	patches map[int64][]byte // blocks that change, by number
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

// findBlocks notes which blocks stay and which become zeros. It fails if a
// boot image is among the latter.
func (r *remastering) findBlocks() error {
	var lost []span
	r.kept, lost = r.files.kept()
	for _, v := range r.volumes {
		lost = append(lost, v.metadata...)
	}
	stays := append([]span(nil), r.kept...)
	stays = append(stays, span{0, systemArea / blockSize})
	if r.catalog != nil {
		stays = append(stays, span{int64(r.catalog.Block), int64(r.catalog.Block) + 1})
	}
	r.lost = without(merged(lost), merged(stays))
	var starts []int64
	if r.catalog != nil {
		for _, e := range r.catalog.Entries {
			starts = append(starts, int64(e.Block))
		}
	}
	for _, p := range r.disk.partitions {
		if p.efi {
			starts = append(starts, p.start/blockSize)
		}
	}
	for _, block := range starts {
		if name, used := r.files.owner(block); name != "" && !used {
			return &Error{Path: name, Err: fmt.Errorf("is a boot image, which cannot be replaced or removed: %w", errors.ErrUnsupported)}
		}
	}
	return nil
}

// findCut finds where the image grows: behind the first partition, if
// partitions were appended to it, else at the end of the volume.
func (r *remastering) findCut() error {
	data := r.dataEnd()
	r.cut = max(data, min(int64(r.old.Volume().Blocks), roundUp(r.iso.Size(), blockSize)/blockSize))
	if base := r.disk.base(); base != nil && r.appended(base) {
		r.cut = base.end / blockSize
		var end int64
		for _, p := range r.disk.partitions {
			end = max(end, p.end)
		}
		r.tail = roundUp(end, blockSize)/blockSize - r.cut
		data = r.cut
	}
	r.full, r.padding = data, min(r.cut-data, maxPadding)
	end := offset64(r.cut + r.tail)
	switch size := r.iso.Size(); {
	case roundUp(size, blockSize) < end:
		return fmt.Errorf("image of %d bytes is cut off: its volume and partitions have %d: %w", size, end, io.ErrUnexpectedEOF)
	case size-end > maxLoose:
		return fmt.Errorf("%d bytes behind the volume and its partitions belong to nothing that is known: %w", size-end, errors.ErrUnsupported)
	}
	if r.tail == 0 && r.disk.usable > 0 { // The backup GPT is not at the end any more.
		r.lost = merged(append(r.lost, span{max(data, r.disk.usable/blockSize), r.cut}))
	}
	r.leaveOut()
	r.keep = r.keptEnd()
	return nil
}

// leaveOut removes the volume of a first partition that does not have all of
// the image: an image that xorriso grew in place has more partitions behind. What
// mounts it would find directories beyond its end; without it, the whole disk is
// mounted.
func (r *remastering) leaveOut() {
	c := change{cut: offset64(r.cut), full: offset64(r.full)}
	if len(r.volumes) == 1 || r.disk.grows(c, r.disk.base()) {
		return
	}
	gone := append([]span{r.volumes[1].descriptors()}, r.lost...)
	r.volumes = r.volumes[:1]
	r.lost = without(merged(gone), merged(r.used()))
}

// dataEnd returns the end of all files and directories.
func (r *remastering) dataEnd() int64 {
	var end int64
	for _, s := range append(r.used(), r.lost...) {
		end = max(end, s.end)
	}
	return end
}

// used returns the blocks of what stays.
func (r *remastering) used() []span {
	used := append([]span(nil), r.kept...)
	for _, v := range r.volumes {
		used = append(used, v.descriptors())
	}
	if r.catalog == nil {
		return used
	}
	used = append(used, span{int64(r.catalog.Block), int64(r.catalog.Block) + 1})
	for _, e := range r.catalog.Entries {
		used = append(used, span{int64(e.Block), int64(e.Block) + 1})
	}
	return used
}

// appended says whether partitions lie behind base, and nothing of the volume
// but what starts where one of them does: the EFI system partition, which a
// tree can show as a file.
func (r *remastering) appended(base *partition) bool {
	if base.end%blockSize != 0 {
		return false
	}
	cut, behind := base.end/blockSize, false
	heads := make(map[int64]bool)
	for _, p := range r.disk.partitions {
		if p.start >= base.end {
			behind = true
			heads[p.start/blockSize] = p.start%blockSize == 0
		}
	}
	for _, s := range append(r.used(), r.lost...) {
		if s.end > cut && !heads[s.first] {
			return false
		}
	}
	return behind
}

// keptEnd returns the end of what stays before the cut. Where a boot image of
// unknown size is, all stays.
func (r *remastering) keptEnd() int64 {
	if r.tail == 0 {
		return r.cut
	}
	var end int64
	for _, s := range r.used() {
		if s.first < r.cut {
			end = max(end, s.end)
		}
	}
	if r.catalog != nil {
		for _, e := range r.catalog.Entries {
			if int64(e.Block) < r.cut && !contains(r.kept, int64(e.Block)) {
				return r.cut
			}
		}
	}
	return end
}

// build puts the new image together.
func (r *remastering) build() (*mosaic.Image, error) {
	r.next = r.keep
	root, err := r.files.nodes(r.put)
	if err != nil {
		return nil, err
	}
	r.files = nil // The nodes have all of it.
	blocks, err := isomaster.Measure(root, r.master(blockSize, blockSize))
	if err != nil {
		return nil, err
	}
	directories := r.next
	r.next += int64(blocks)
	end := r.next + r.padding // of the volume
	shift := end - r.cut
	if r.tail == 0 {
		shift = 0 // Nothing is there to move.
	}
	r.move(root, shift, end)
	size := r.disk.total(offset64(end + r.tail))
	if size/blockSize > 1<<32-1 || directories > 1<<32-1 {
		return nil, fmt.Errorf("image of %d bytes has more blocks than 32 bits can number", size)
	}
	if err := r.addMetadata(root, uint32(directories), end, size); err != nil {
		return nil, err
	}
	if err := r.addCatalog(shift); err != nil {
		return nil, err
	}
	c := change{cut: offset64(r.cut), shift: offset64(shift), full: offset64(r.full), end: offset64(end)}
	backup, err := r.disk.apply(c, size)
	if err != nil {
		return nil, err
	}
	r.patches[0] = r.disk.area
	r.addOld(span{0, r.keep}, 0)
	r.addOld(span{r.cut, r.cut + r.tail}, shift)
	r.image.AddBytes(size-int64(len(backup)), backup)
	r.image.SetSize(size)
	return r.image, r.image.Check()
}

// put places a new file.
func (r *remastering) put(content io.ReaderAt, size int64) ([]iso9660.Extent, error) {
	if size == 0 {
		return nil, nil
	}
	at := r.next
	r.next += roundUp(size, blockSize) / blockSize
	if r.next > 1<<32-1 {
		return nil, fmt.Errorf("image has more than %d blocks of %d bytes", uint32(1<<32-1), blockSize)
	}
	r.image.Add(offset64(at), content, size)
	return []iso9660.Extent{{Block: uint32(at), Size: size}}, nil
}

// move changes the extents of files in appended partitions, which are outside
// of the first one, as end is.
func (r *remastering) move(n *isomaster.Node, shift, end int64) {
	for i, e := range n.Extents {
		if int64(e.Block) >= r.cut && contains(r.kept, int64(e.Block)) && r.tail > 0 {
			n.Extents[i].Block = uint32(int64(e.Block) + shift)
			n.Outside = true
		}
	}
	for _, child := range n.Children {
		r.move(child, shift, end)
	}
}

// addCatalog changes the entries of the boot catalogue that lead to what
// moves.
func (r *remastering) addCatalog(shift int64) error {
	if r.catalog == nil || shift == 0 {
		return nil
	}
	b := make([]byte, blockSize)
	if err := readBlock(r.iso, b, int64(r.catalog.Block)); err != nil {
		return fmt.Errorf("boot catalogue: %w", err)
	}
	for _, e := range r.catalog.Entries {
		if int64(e.Block) >= r.cut {
			putBlock(b[e.Offset+8:], uint32(int64(e.Block)+shift))
		}
	}
	r.patches[int64(r.catalog.Block)] = b
	return nil
}

// addOld adds blocks of the old image, shifted, without those that become
// zeros, and with those that change.
func (r *remastering) addOld(s span, shift int64) {
	zero := append([]span(nil), r.lost...)
	for block, b := range r.patches {
		patch := span{block, block + int64(len(b))/blockSize}
		zero = append(zero, patch)
		if block >= s.first && block < s.end {
			r.image.AddBytes(offset64(block+shift), b)
		}
	}
	end := r.iso.Size()
	for _, p := range without([]span{s}, merged(zero)) {
		from := offset64(p.first)
		size := min(offset64(p.end), end) - from
		r.image.Add(offset64(p.first+shift), io.NewSectionReader(r.iso, from, size), size)
	}
}

// offset64 is offset for numbers of blocks that were not checked to fit 32 bits.
func offset64(block int64) int64 { return block * blockSize }
