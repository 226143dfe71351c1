package iso9660

import (
	"archive/tar"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	maxEntries     = 2 << 20
	maxWeight      = 256 << 20 // bytes of names and targets
	maxDirectory   = 256 << 20 // bytes
	maxDirectories = 1 << 30   // bytes, of all
	maxExtents     = 8192      // of one file: 32 TiB, if they are full
	maxAllExtents  = 1 << 20   // of all files, after the first
	maxPath        = 4096      // Linux' PATH_MAX
	maxName        = 255       // Linux' NAME_MAX
)

const typeSocket = 0o140000 // in PX, and in the mode of a header

// A scan reads a tree.
type scan struct {
	r     io.ReaderAt
	size  int64
	names Names
	skip  int // bytes before the system use entries of a record

	queue     []pending
	seen      map[uint32]bool // first blocks of directories
	data      []byte          // of the directory being read
	name      []byte          // of the file that goes on in the next record
	slab      []node          // to take nodes from
	block     []byte          // of a continuation area
	blockAt   uint32
	blockOK   bool
	rr        rockRidge
	rrMoved   *node
	entries   int
	weight    int64
	total     int64 // bytes of directories
	continued int64 // bytes of continuation areas
	extents   int   // of files, after the first
	metadata  []Extent
	hidden    []Extent // contents that no name leads to
}

// pending is a directory whose entries are to be read.
type pending struct {
	node   *node
	length int // of its path
}

// tree reads the tree below root, which has Rock Ridge or not as detected.
func (s *scan) tree(root record) (*node, error) {
	n := &node{kind: tar.TypeDir, perm: 0o755, block: root.block, size: int64(root.size)}
	n.parent = n
	n.seconds, n.nanos = recordTime(root.date)
	s.seen = make(map[uint32]bool)
	s.queue = []pending{{n, 0}}
	for len(s.queue) > 0 {
		last := len(s.queue) - 1
		p := s.queue[last]
		s.queue = s.queue[:last]
		if err := s.directory(p); err != nil {
			return nil, fmt.Errorf("directory /%.300q: %w", strings.TrimPrefix(p.node.path(), "."), err)
		}
	}
	s.hideMoved(n)
	link(n, make(map[uint32]*node))
	return n, nil
}

// load reads the records of a directory into s.data.
func (s *scan) load(n *node) error {
	start := int64(n.block) * BlockSize
	switch {
	case s.seen[n.block]:
		return fmt.Errorf("its records at block %d are those of another directory", n.block)
	case n.size > maxDirectory:
		return fmt.Errorf("%d bytes of records, more than %d", n.size, maxDirectory)
	case s.total+n.size > maxDirectories:
		return fmt.Errorf("all directories have more than %d bytes of records", maxDirectories)
	case start > s.size || n.size > s.size-start:
		return fmt.Errorf("%d bytes of records at block %d end behind the image of %d bytes: %w", n.size, n.block, s.size, io.ErrUnexpectedEOF)
	}
	s.seen[n.block] = true
	s.total += n.size
	s.metadata = append(s.metadata, Extent{n.block, n.size})
	s.data = slices.Grow(s.data[:0], int(n.size))[:n.size]
	return readFull(s.r, s.data, start)
}

// directory reads the entries of p.
func (s *scan) directory(p pending) error {
	if err := s.load(p.node); err != nil {
		return err
	}
	var more *node // which the next record continues
	for off := 0; off < len(s.data); {
		n := int(s.data[off])
		if n == 0 {
			off = (off/BlockSize + 1) * BlockSize
			continue
		}
		if off%BlockSize+n > BlockSize || off+n > len(s.data) {
			return fmt.Errorf("record of %d bytes at offset %d does not fit into its block", n, off)
		}
		r, err := parseRecord(s.data[off : off+n])
		if err == nil {
			more, err = s.take(p, &r, more)
		}
		if err != nil {
			return fmt.Errorf("record at offset %d: %w", off, err)
		}
		off += n
	}
	return s.arrange(p)
}

// take adds what r says to the directory p. It returns the node that the next
// record continues, which is nil if none does.
func (s *scan) take(p pending, r *record, more *node) (*node, error) {
	own := p.node.parent == p.node || p.node.strange != 0
	if r.flags&flagAssociated != 0 {
		if s.entries++; s.entries > maxEntries {
			return nil, fmt.Errorf("more than %d entries", maxEntries)
		}
		s.hidden = append(s.hidden, Extent{r.block, int64(r.size)})
		return nil, nil
	}
	if r.parent() || r.self() && !own {
		return nil, nil
	}
	if more != nil {
		if !bytes.Equal(r.name, s.name) {
			return nil, fmt.Errorf("extent of %q follows one of %q, which is not at its end", r.name, s.name)
		}
		return s.proceed(more, r)
	}
	if s.names == RockRidge {
		area := r.system
		if !r.self() || p.node.parent != p.node { // The entry that says how much to skip is not skipped.
			area = area[min(s.skip, len(area)):]
		}
		if err := s.rr.parse(area, s.continuation); err != nil {
			return nil, err
		}
	}
	switch {
	case r.self():
		s.describe(p.node, r, true)
		return nil, nil
	case s.rr.relocated:
		if p.node.parent.parent == p.node.parent {
			s.rrMoved = p.node
		}
		return nil, nil
	}
	n, err := s.entry(p, r)
	if err != nil {
		return nil, err
	}
	p.node.entries = append(p.node.entries, n)
	if n.kind == tar.TypeReg && r.flags&flagMore != 0 {
		s.name = r.name
		return n, nil
	}
	return nil, nil
}

// proceed adds one more extent to n.
func (s *scan) proceed(n *node, r *record) (*node, error) {
	n.add(Extent{r.block, int64(r.size)})
	if r.interleaved {
		n.strange = strangeInterleaved
	}
	s.extents++
	if s.extents > maxAllExtents {
		return nil, fmt.Errorf("all files have more than %d extents", maxAllExtents)
	}
	if n.rest != nil && len(n.rest.extents) > maxExtents {
		return nil, fmt.Errorf("file %q has more than %d extents", n.name, maxExtents)
	}
	if r.flags&flagMore == 0 {
		return nil, nil
	}
	return n, nil
}

// entry returns the node of r, whose Rock Ridge entries are in s.rr.
func (s *scan) entry(p pending, r *record) (*node, error) {
	name, err := s.nameOf(r)
	if err != nil {
		return nil, err
	}
	s.entries++
	s.weight += int64(len(name) + len(s.rr.target))
	switch {
	case s.entries > maxEntries:
		return nil, fmt.Errorf("more than %d entries", maxEntries)
	case s.weight > maxWeight:
		return nil, fmt.Errorf("names and links take more than %d bytes", maxWeight)
	case p.length+1+len(name) > maxPath:
		return nil, fmt.Errorf("path of %d bytes is longer than %d", p.length+1+len(name), maxPath)
	}
	if len(s.slab) == 0 {
		s.slab = make([]node, 256)
	}
	n := &s.slab[0]
	s.slab = s.slab[1:]
	n.name, n.parent = name, p.node
	s.describe(n, r, r.flags&flagDirectory != 0 || s.rr.hasCL)
	switch {
	case s.rr.hasCL:
		return n, s.moved(n)
	case n.isDir():
		n.block, n.size = r.block, int64(r.size)
	case n.kind == tar.TypeReg:
		n.add(Extent{r.block, int64(r.size)})
		if r.interleaved {
			n.strange = strangeInterleaved
		}
	}
	return n, nil
}

// describe sets all of n but name, place and size.
func (s *scan) describe(n *node, r *record, dir bool) {
	n.kind, n.perm, n.strange = tar.TypeReg, 0o644, 0
	if dir {
		n.kind, n.perm = tar.TypeDir, 0o755
	}
	n.seconds, n.nanos = recordTime(r.date)
	if s.names != RockRidge {
		return
	}
	if !dir {
		n.strange = s.rr.strange
	}
	if s.rr.hasTF {
		n.seconds, n.nanos = s.rr.seconds, s.rr.nanos
	}
	if !s.rr.hasPX {
		return
	}
	n.perm, n.uid, n.gid, n.serial = uint16(s.rr.mode&0o7777), s.rr.uid, s.rr.gid, s.rr.serial
	if n.isDir() {
		return
	}
	switch s.rr.mode & 0o170000 {
	case 0o120000:
		n.kind, n.strange = tar.TypeSymlink, 0
		n.more().target = string(s.rr.target)
	case 0o060000:
		n.kind = tar.TypeBlock
	case 0o020000:
		n.kind = tar.TypeChar
	case 0o010000:
		n.kind = tar.TypeFifo
	case typeSocket:
		n.perm |= typeSocket // There is no type for it in a tar header.
	}
	if n.kind == tar.TypeBlock || n.kind == tar.TypeChar {
		n.more().major, n.more().minor = s.rr.device()
	}
}

// relocated marks a directory whose own record describes it, until that was
// read.
const relocated = 0xff

// moved sets where the directory n is, from its CL entry.
func (s *scan) moved(n *node) error {
	b, err := s.continuation(s.rr.child, 0, recordFixed+1)
	if err != nil {
		return fmt.Errorf("directory %q, moved to block %d: %w", n.name, s.rr.child, err)
	}
	r, err := parseRecord(b)
	if err != nil || !r.self() {
		return fmt.Errorf("directory %q, moved to block %d, is not there", n.name, s.rr.child)
	}
	n.block, n.size, n.strange = s.rr.child, int64(r.size), relocated
	return nil
}

// nameOf returns the name of r, whose Rock Ridge entries are in s.rr.
func (s *scan) nameOf(r *record) (string, error) {
	var name string
	switch {
	case s.names == RockRidge && s.rr.hasNM:
		name = string(s.rr.name)
	case s.names == Joliet:
		name = plainName(ucs2(r.name), false)
	default:
		name = plainName(string(r.name), true)
	}
	switch {
	case name == "", name == ".", name == "..":
		return "", fmt.Errorf("name %q is none of a file", name)
	case strings.ContainsAny(name, "/\x00"):
		return "", fmt.Errorf("name %q holds a slash or a zero byte", name)
	case len(name) > maxName:
		return "", fmt.Errorf("name of %d bytes is longer than %d", len(name), maxName)
	}
	return name, nil
}

// plainName returns name without version, and without the point before it if
// no extension follows.
func plainName(name string, point bool) string {
	if i := strings.LastIndexByte(name, ';'); i > 0 && strings.Trim(name[i+1:], "0123456789") == "" {
		name = name[:i]
	}
	if point && len(name) > 1 {
		name = strings.TrimSuffix(name, ".")
	}
	return name
}

// continuation returns size bytes from off behind the start of block, valid
// until the next call.
func (s *scan) continuation(block, off, size uint32) ([]byte, error) {
	if size > maxContinuation || off > maxContinuation {
		return nil, fmt.Errorf("%d bytes at offset %d, want at most %d", size, off, maxContinuation)
	}
	if s.continued += int64(size); s.continued > maxContinued {
		return nil, fmt.Errorf("all continuation areas have more than %d bytes", maxContinued)
	}
	end := int(off) + int(size)
	if s.blockOK && s.blockAt == block && end <= len(s.block) {
		return s.block[off:end], nil
	}
	s.block = slices.Grow(s.block[:0], maxContinuation*2)[:max(BlockSize, end)]
	s.blockAt, s.blockOK = block, false
	if err := readFull(s.r, s.block, int64(block)*BlockSize); err != nil {
		return nil, err
	}
	s.blockOK = true
	s.metadata = append(s.metadata, Extent{block, int64(end)})
	return s.block[off:end], nil
}

// arrange sorts the entries of p, and queues the directories among them.
func (s *scan) arrange(p pending) error {
	n := p.node
	if n.strange == relocated {
		return errors.New("no record of the directory itself")
	}
	slices.SortStableFunc(n.entries, func(a, b *node) int { return cmp.Compare(a.name, b.name) })
	for i, e := range n.entries {
		if i > 0 && e.name == n.entries[i-1].name {
			s.hidden = append(s.hidden, e.extents()...)
		}
	}
	n.entries = slices.CompactFunc(n.entries, func(a, b *node) bool { return a.name == b.name })
	n.entries = slices.Clip(n.entries)
	for _, e := range n.entries {
		if e.isDir() {
			s.queue = append(s.queue, pending{e, p.length + 1 + len(e.name)})
		}
	}
	return nil
}

// hideMoved removes the folder that held the directories which are back in
// their places, if nothing else is in it.
func (s *scan) hideMoved(root *node) {
	if m := s.rrMoved; m != nil && len(m.entries) == 0 {
		root.entries = slices.DeleteFunc(root.entries, func(e *node) bool { return e == m })
	}
}

// link joins the names of one file. First has the first name of each serial
// number.
func link(n *node, first map[uint32]*node) {
	for _, e := range n.entries {
		switch {
		case e.isDir():
			link(e, first)
		case e.serial == 0:
		case first[e.serial] == nil:
			first[e.serial] = e
		case first[e.serial].alike(e):
			e.first = first[e.serial]
		}
	}
}

// hasRockRidge says whether the tree below root has Rock Ridge, and how many
// bytes come before the entries of other records.
func (s *scan) hasRockRidge(root record) (found bool, skip int, err error) {
	b := make([]byte, BlockSize)
	if err := readFull(s.r, b, int64(root.block)*BlockSize); err != nil {
		return false, 0, fmt.Errorf("root directory at block %d: %w", root.block, err)
	}
	n := int(b[0])
	if n == 0 {
		return false, 0, nil
	}
	r, err := parseRecord(b[:n])
	if err != nil {
		return false, 0, fmt.Errorf("root directory at block %d: %w", root.block, err)
	}
	if !bytes.HasPrefix(r.system, []byte("SP")) {
		return false, 0, nil
	}
	if err := s.rr.parse(r.system, s.continuation); err != nil {
		return false, 0, fmt.Errorf("root directory: %w", err)
	}
	return s.rr.sharing && (s.rr.ridge || s.rr.hasPX), s.rr.skip, nil
}
