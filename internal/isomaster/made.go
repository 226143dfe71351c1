package isomaster

import (
	"errors"
	"fmt"
	"sort"
	"sync"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// made is the part of a tree that was made last: a directory, or the path
// tables. Who reads an image in order asks for a large directory many times.
// All trees of a volume have one, so that no more is held.
type made struct {
	mu      sync.Mutex
	ids     namer
	encoder encoder
	tree    *tree // that data is of; nil: of none
	part    int
	data    []byte
}

// tables is the number of the path tables among the parts of a tree; others are
// those of directories.
const tables = -1

// ReadAt implements [io.ReaderAt], after place; nothing behind the end may be
// read.
func (t *tree) ReadAt(p []byte, off int64) (n int, err error) {
	t.made.mu.Lock()
	defer t.made.mu.Unlock()
	for n < len(p) {
		at := off + int64(n)
		block := t.start + uint32(at/iso9660.BlockSize)
		part := sort.Search(len(t.dirs), func(i int) bool { return t.dirs[i].start > block }) - 1
		start := t.start
		if part != tables {
			start = t.dirs[part].start
		}
		data, err := t.made.get(t, part)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], data[at-int64(start-t.start)*iso9660.BlockSize:])
	}
	return n, nil
}

// get returns a part of t.
func (m *made) get(t *tree, part int) ([]byte, error) {
	if m.tree == t && m.part == part {
		return m.data, nil
	}
	m.tree = nil
	if part == tables {
		m.tree, m.part, m.data = t, part, t.appendPathTables(nil)
		return m.data, nil
	}
	entries, err := t.entries(part)
	if err != nil {
		return nil, fmt.Errorf("isomaster: %w", err)
	}
	e := &m.encoder
	e.encode(t, part, entries)
	e.records = append(e.records, e.areas...)
	if len(e.records) != int(t.dirs[part].blocks)*iso9660.BlockSize {
		return nil, errors.New("isomaster: the nodes are not those that were measured")
	}
	m.tree, m.part, m.data = t, part, e.records
	return m.data, nil
}
