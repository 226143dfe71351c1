package diskimage

import (
	"errors"
	"fmt"
	"unicode/utf16"

	"github.com/netbootkit/netbootkit/internal/gpt"
)

// Limits of a layout.
const (
	maxPartitions    = 128
	maxPartitionsMBR = 4
	maxNameUnits     = 36
)

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
	if err := l.checkBound(i); err != nil {
		fail("%w", err)
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
