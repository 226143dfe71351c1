package isobuild

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
)

// findBlocks notes which blocks stay and which become zeros. It fails if a
// boot image is among the latter.
func (r *remastering) findBlocks() error {
	var lost []span
	r.kept, lost = r.files.kept()
	starts := r.starts()
	for _, v := range r.volumes {
		lost = append(lost, v.metadata...)
		lost = append(lost, r.checksums(v)...)
		// What only another tree shows is gone, unless it is there to boot.
		lost = append(lost, slices.DeleteFunc(v.contents, func(s span) bool { return slices.ContainsFunc(starts, s.has) })...)
	}
	stays := append([]span(nil), r.kept...)
	stays = append(stays, span{0, systemArea / blockSize})
	if r.catalog != nil {
		stays = append(stays, span{int64(r.catalog.Block), int64(r.catalog.Block) + 1})
	}
	for _, v := range r.volumes {
		v.contents = nil // It is large, and done with.
		stays = append(stays, v.descriptors())
	}
	r.lost = without(merged(lost), merged(stays))
	for _, block := range starts {
		if name, used := r.files.owner(block); name != "" && !used {
			return &Error{Path: name, Err: fmt.Errorf("is a boot image, which cannot be replaced or removed: %w", errors.ErrUnsupported)}
		}
	}
	return nil
}

// starts returns where boot images and EFI system partitions start.
func (r *remastering) starts() []int64 {
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
	return starts
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
	r.full, r.padding = data, min(max(r.cut-data, minPadding), maxPadding)
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
	var err error
	r.keep, err = r.keptEnd()
	return err
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
// but EFI system partitions, which a tree can show as files.
func (r *remastering) appended(base *partition) bool {
	if base.end%blockSize != 0 {
		return false
	}
	for _, s := range append(r.used(), r.lost...) {
		if offset64(s.end) > base.end && !r.inESP(s, base.end) {
			return false
		}
	}
	return slices.ContainsFunc(r.disk.partitions, func(p partition) bool { return p.start >= base.end })
}

// inESP says whether s starts with an EFI system partition from the byte start
// on, and does not go beyond it.
func (r *remastering) inESP(s span, start int64) bool {
	return slices.ContainsFunc(r.disk.partitions, func(p partition) bool {
		return p.efi && p.start >= start && p.start == offset64(s.first) && offset64(s.end) <= roundUp(p.end, blockSize)
	})
}

// keptEnd returns the end of what stays before the cut: only zeros are behind
// it, and what becomes zeros. Other file systems that share the image, such as
// HFS+, have blocks there that no file has. Where a boot image of unknown size is,
// all stays.
func (r *remastering) keptEnd() (int64, error) {
	if r.tail == 0 {
		return r.cut, nil
	}
	var used int64
	for _, s := range r.used() {
		if s.first < r.cut {
			used = max(used, s.end)
		}
	}
	if r.catalog != nil {
		for _, e := range r.catalog.Entries {
			if int64(e.Block) < r.cut && !contains(r.kept, int64(e.Block)) {
				return r.cut, nil
			}
		}
	}
	b := make([]byte, blockSize)
	for end := r.cut; end > used; end-- {
		if contains(r.lost, end-1) {
			continue
		}
		if err := readBlock(r.iso, b, end-1); err != nil {
			return 0, err
		}
		if len(bytes.Trim(b, "\x00")) > 0 {
			return end, nil
		}
	}
	return used, nil
}
