package diskimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/mosaic"
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
		if need, unknown := p.Content.MinSize(ctx); unknown == nil && need > p.Size { // It has grown since it was measured.
			return &SizeError{What: "the partition", Size: p.Size, Need: need}
		}
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
	if l == nil {
		return nil, errors.New("layout is nil")
	}
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

// identify fills in types and identifiers.
func (l *Layout) identify(cfg *config) error {
	var err error
	var seed strings.Builder
	for i := range l.Partitions {
		p := &l.Partitions[i]
		if p.Type == (GUID{}) {
			p.Type = TypeLinux()
		}
		fmt.Fprintf(&seed, "%q %v %v %d %d\n", p.Label, p.Type, p.ID, p.Start, p.Size)
	}
	if l.ID == (GUID{}) {
		if l.ID, err = cfg.identifier(named(urlSpace(), "disk"), seed.String()); err != nil {
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
