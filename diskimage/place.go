package diskimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/netbootkit/netbootkit/internal/gpt"
)

// measure fills in the sizes that are what fits, as far as they do not depend
// on the disk, and finds contents that do not fit.
func (l *Layout) measure(ctx context.Context) error {
	var errs []error
	for i := range l.Partitions {
		p := &l.Partitions[i]
		need := int64(MiB)
		if p.Content != nil {
			var err error
			if need, err = p.Content.MinSize(ctx); err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", l.name(i), err))
				continue
			}
			if need < 0 || need > maxDisk {
				errs = append(errs, fmt.Errorf("%s: its content wants %d bytes, at most %d are possible", l.name(i), need, int64(maxDisk)))
				continue
			}
			need = alignUp(need, sectorSize)
		}
		switch {
		case p.Size == 0, p.Size == Rest && l.Size == 0:
			p.Size = max(alignUp(need, MiB), MiB)
		case p.Size == Rest:
			errs = append(errs, l.takeRest(i, need))
		case p.Content != nil && p.Size < need:
			errs = append(errs, &SizeError{What: l.name(i), Size: p.Size, Need: need})
		}
	}
	return errors.Join(errs...)
}

// takeRest gives the last partition what is left of the disk, which must be at
// least need bytes.
func (l *Layout) takeRest(i int, need int64) error {
	p := &l.Partitions[i]
	if p.Start == 0 {
		p.Start = l.next(i)
	}
	p.Size = l.Size - l.tail() - p.Start
	if p.Size -= p.Size & (MiB - 1); p.Size < max(need, MiB) {
		return &SizeError{
			What: "the disk", Size: l.Size, Need: p.Start + alignUp(max(need, MiB), MiB) + l.tail(),
			Hint: l.name(i) + " takes what is left, and has to hold its content",
		}
	}
	return nil
}

// tail returns how many bytes the end of the disk must keep free.
func (l *Layout) tail() int64 {
	if l.MBR {
		return 0
	}
	return gpt.TailSize
}

// next returns where partition i starts if it does not say: behind all before.
func (l *Layout) next(i int) int64 {
	at := int64(MiB)
	for k := range i {
		start := l.Partitions[k].Start
		if start == 0 {
			start = at
		}
		at = max(at, alignUp(start+max(l.Partitions[k].Size, 0), MiB))
		at = min(at, 2*maxDisk) // No more than place can add up.
	}
	return at
}

// alignUp returns the least multiple of unit, a power of two, that is n or more.
func alignUp(n, unit int64) int64 { return (n + unit - 1) &^ (unit - 1) }

// place gives every partition its place, and the disk its size.
func (l *Layout) place() error {
	end := int64(MiB)
	for i := range l.Partitions {
		p := &l.Partitions[i]
		if p.Start == 0 {
			p.Start = l.next(i)
		}
		if end = max(end, p.Start+p.Size); end > maxDisk {
			return fmt.Errorf("%s ends at %d, and a disk has at most %d bytes", l.name(i), end, int64(maxDisk))
		}
	}
	if err := l.checkOverlap(); err != nil {
		return err
	}
	if l.Size == 0 {
		l.Size = alignUp(end, MiB)
		if !l.MBR {
			l.Size += MiB
		}
	}
	if l.MBR && l.Size > maxSectorsMBR*sectorSize {
		return fmt.Errorf("a DOS table reaches to %d bytes, the disk has %d", int64(maxSectorsMBR*sectorSize), l.Size)
	}
	if need := alignUp(end+l.tail(), sectorSize); l.Size < need {
		return &SizeError{What: "the disk", Size: l.Size, Need: need, Hint: "its partitions end there"}
	}
	return nil
}

// checkOverlap finds partitions that share bytes.
func (l *Layout) checkOverlap() error {
	order := make([]int, len(l.Partitions))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(l.Partitions[a].Start, l.Partitions[b].Start) })
	var errs []error
	for k := 1; k < len(order); k++ {
		a, b := order[k-1], order[k]
		if end := l.Partitions[a].Start + l.Partitions[a].Size; end > l.Partitions[b].Start {
			errs = append(errs, fmt.Errorf("%s ends at %d, behind the start of %s at %d", l.name(a), end, l.name(b), l.Partitions[b].Start))
		}
	}
	return errors.Join(errs...)
}
