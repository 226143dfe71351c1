package diskimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"unicode/utf16"

	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// Limits of a layout.
const (
	maxPartitions    = 128
	maxPartitionsMBR = 4
	maxNameUnits     = 36
)

// clone returns a copy of l that shares contents only.
func (l *Layout) clone() *Layout {
	c := *l
	c.Boot = slices.Clone(l.Boot)
	c.Partitions = slices.Clone(l.Partitions)
	return &c
}

// open lays out a disk and opens what is in it.
func open(ctx context.Context, l *Layout, cfg *config) (*Disk, error) {
	plan, err := l.resolve(ctx, cfg)
	if err != nil {
		return nil, err
	}
	image := mosaic.New()
	image.SetSize(plan.Size)
	if err := plan.addTable(image); err != nil {
		return nil, err
	}
	for i := range plan.Partitions {
		if err := plan.addContent(ctx, image, i); err != nil {
			return nil, fmt.Errorf("%s: %w", plan.name(i), err)
		}
	}
	if err := image.Check(); err != nil {
		return nil, err
	}
	return &Disk{image, plan}, nil
}

// addTable puts the partition table into the image.
func (l *Layout) addTable(image *mosaic.Image) error {
	if l.MBR {
		image.AddBytes(0, l.bootRecord())
		return nil
	}
	t := gpt.Table{Size: l.Size, ID: gpt.GUID(l.ID), BootCode: l.Boot}
	for _, p := range l.Partitions {
		t.Partitions = append(t.Partitions, gpt.Partition{
			Start: p.Start, Size: p.Size, Type: gpt.GUID(p.Type), ID: gpt.GUID(p.ID), Name: p.Label, Attributes: p.Attributes,
		})
	}
	primary, backup, err := t.Encode()
	if err != nil {
		return err
	}
	image.AddBytes(0, primary)
	image.AddBytes(l.Size-gpt.TailSize, backup)
	return nil
}

// addContent puts what is in a partition into the image.
func (l *Layout) addContent(ctx context.Context, image *mosaic.Image, i int) error {
	p := &l.Partitions[i]
	if p.Content == nil {
		return nil
	}
	f, err := p.Content.Open(ctx, p.Size)
	if err != nil {
		return err
	}
	size := f.Size()
	if size > p.Size {
		return &SizeError{What: "the partition", Size: p.Size, Need: size}
	}
	image.Add(p.Start, section{f, 0, size}, size)
	return nil
}

// resolve returns l with all sizes, places and identifiers.
func (l *Layout) resolve(ctx context.Context, cfg *config) (*Layout, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	plan := l.clone()
	if err := plan.measure(ctx); err != nil {
		return nil, err
	}
	if err := plan.place(); err != nil {
		return nil, err
	}
	return plan, plan.identify(cfg)
}

// name returns what partition i is called in messages.
func (l *Layout) name(i int) string {
	if label := l.Partitions[i].Label; label != "" {
		return fmt.Sprintf("partition %d %q", i+1, label)
	}
	return fmt.Sprintf("partition %d", i+1)
}

// check finds what can be told without looking into contents.
func (l *Layout) check() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if l.Size < 0 || l.Size > maxDisk || l.Size%sectorSize != 0 {
		fail("size %d bytes: want a multiple of %d up to %d", l.Size, sectorSize, int64(maxDisk))
	}
	if len(l.Boot) > gpt.BootCodeSize {
		fail("boot code of %d bytes, at most %d fit", len(l.Boot), gpt.BootCodeSize)
	}
	if limit := l.maxPartitions(); len(l.Partitions) > limit {
		fail("%d partitions, at most %d fit", len(l.Partitions), limit)
	}
	ids := map[GUID]string{}
	if l.ID != (GUID{}) {
		ids[l.ID] = "the disk"
	}
	for i := range l.Partitions {
		errs = append(errs, l.checkPartition(i)...)
		id := l.Partitions[i].ID
		if other, ok := ids[id]; ok {
			fail("%s: identifier %v is that of %s", l.name(i), id, other)
		}
		if id != (GUID{}) {
			ids[id] = l.name(i)
		}
	}
	return errors.Join(errs...)
}

func (l *Layout) maxPartitions() int {
	if l.MBR {
		return maxPartitionsMBR
	}
	return maxPartitions
}

func (l *Layout) checkPartition(i int) []error {
	var errs []error
	p := &l.Partitions[i]
	fail := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: "+format, append([]any{l.name(i)}, args...)...))
	}
	switch {
	case p.Size == Rest && i < len(l.Partitions)-1:
		fail("only the last one can take the rest of the disk")
	case p.Size != Rest && (p.Size < 0 || p.Size > maxDisk || p.Size%sectorSize != 0):
		fail("size %d bytes: want a multiple of %d up to %d, 0 or %d", p.Size, sectorSize, int64(maxDisk), Rest)
	}
	if p.Start < 0 || p.Start > maxDisk || p.Start%MiB != 0 {
		fail("start %d: want a multiple of 1 MiB up to %d", p.Start, int64(maxDisk))
	}
	if len(utf16.Encode([]rune(p.Label))) > maxNameUnits {
		fail("label is longer than %d UTF-16 units", maxNameUnits)
	}
	if !l.MBR {
		if p.MBRType != 0 {
			fail("type %#x is one of a DOS table", p.MBRType)
		}
		return errs
	}
	if p.Label != "" || p.ID != (GUID{}) || p.Attributes&^LegacyBIOS != 0 {
		fail("a DOS table has no labels, identifiers and attributes but LegacyBIOS")
	}
	if p.MBRType == 0 && dosType(p.Type) == 0 {
		fail("type %v has none in a DOS table that stands for it: set MBRType", p.Type)
	}
	return errs
}

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

// identify fills in types and identifiers.
func (l *Layout) identify(cfg *config) error {
	var err error
	seed := ""
	for i := range l.Partitions {
		p := &l.Partitions[i]
		if p.Type == (GUID{}) {
			p.Type = TypeLinux()
		}
		seed += fmt.Sprintf("%q %v %v %d %d\n", p.Label, p.Type, p.ID, p.Start, p.Size)
	}
	if l.ID == (GUID{}) {
		if l.ID, err = cfg.identifier(named(urlSpace(), "disk"), seed); err != nil {
			return err
		}
	}
	for i := range l.Partitions {
		if p := &l.Partitions[i]; !l.MBR && p.ID == (GUID{}) {
			if p.ID, err = cfg.identifier(l.ID, fmt.Sprintf("partition %d", i+1)); err != nil {
				return err
			}
		}
	}
	return nil
}

// identifier draws an identifier, or derives it from a name.
func (c *config) identifier(space GUID, name string) (GUID, error) {
	if c.rand != nil {
		return drawn(c.rand)
	}
	return named(space, name), nil
}
