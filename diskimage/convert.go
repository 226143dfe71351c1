package diskimage

import (
	"errors"
	"fmt"

	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/meter"
)

// fitted returns disk with whole units, and fails if there are more than most
// bytes or none.
func fitted(disk File, unit, most int64) (File, error) {
	if disk == nil {
		return nil, errors.New("disk is nil")
	}
	switch size := disk.Size(); {
	case size <= 0:
		return nil, fmt.Errorf("disk of %d bytes: there is nothing to write", size)
	case size > most:
		return nil, fmt.Errorf("disk of %d bytes: the format takes at most %d", size, most)
	default:
		return fit(disk, alignUp(size, unit))
	}
}

// identity returns what tells disk from others: the identifier in its GPT, or
// one that is made of its first sector.
func identity(disk File) GUID {
	if table, err := gpt.Read(disk, disk.Size()); err == nil {
		return GUID(table.ID)
	}
	first := make([]byte, min(sectorSize, disk.Size()))
	if err := readFull(disk, first, 0); err != nil {
		return GUID{} // Who reads the disk next says so.
	}
	return named(GUID{}, string(first))
}

// A gauge reports how far a disk is.
type gauge struct {
	meter *meter.Writer
	total int64 // bytes of the disk, with the holes
}

// newGauge returns a gauge for a disk of size bytes, which has reported none.
func (c *config) newGauge(size int64) *gauge {
	return &gauge{meter: meter.NewWriter(nil, c.op.String(), size, c.progress), total: size}
}

// reach reports that everything before off is done.
func (g *gauge) reach(off int64) {
	g.meter.Add(min(off, g.total) - g.meter.Done())
}

// finish reports that everything is done.
func (g *gauge) finish() {
	g.reach(g.total)
	g.meter.Finish()
}
