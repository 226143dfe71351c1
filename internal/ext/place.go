package ext

import "github.com/netbootkit/netbootkit/internal/dentry"

// An allocator hands out blocks in order, past what is fixed. All that lies
// before next is in use.
type allocator struct {
	fixed []span // behind next
	next  uint64
}

// take returns up to so many blocks in one piece. There is no end: what lies
// behind the volume is missing from it.
func (a *allocator) take(blocks uint32) (start, got uint32) {
	for len(a.fixed) > 0 && uint64(a.fixed[0].start) <= a.next {
		a.next = max(a.next, uint64(a.fixed[0].end))
		a.fixed = a.fixed[1:]
	}
	got = blocks
	if len(a.fixed) > 0 {
		got = uint32(min(uint64(blocks), uint64(a.fixed[0].start)-a.next))
	}
	start = uint32(a.next)
	a.next += uint64(got)
	return start, got
}

// one returns one block.
func (a *allocator) one() uint32 {
	start, _ := a.take(1)
	return start
}

// place gives everything its blocks, in an order that suits readers: first what
// leads to files, then the journal, then the files. It returns how many blocks
// are free then, or, negative, how many are missing.
func (l *layout) place() int64 {
	a := &allocator{fixed: l.fixed}
	l.double = 0
	if l.reserved > 0 {
		l.double = a.one()
	}
	for _, n := range l.nodes {
		if n.IsDir() {
			l.placeNode(a, n)
		}
	}
	for _, x := range l.xattrs {
		x.block = a.one()
	}
	for _, n := range l.nodes {
		if n.Type() == dentry.TypeSymlink && !n.isFast() {
			l.placeNode(a, n)
		}
	}
	l.log.runs = nil // A journal of no bytes has none.
	l.log.Size = int64(l.journal) * blockSize
	l.placeNode(a, l.log)
	for _, n := range l.nodes {
		if n.Type() == dentry.TypeFile {
			l.placeNode(a, n)
		}
	}
	l.used = a.next
	return l.free(a)
}

// free returns how many blocks are left behind what a handed out.
func (l *layout) free(a *allocator) int64 {
	end := uint64(l.blocks)
	if n := len(l.fixed); n > 0 && uint64(l.fixed[n-1].end) > end {
		return int64(end) - int64(max(a.next, uint64(l.fixed[n-1].end)))
	}
	free := int64(end) - int64(a.next)
	for _, s := range a.fixed {
		if uint64(s.end) > a.next {
			free -= int64(uint64(s.end) - max(a.next, uint64(s.start)))
		}
	}
	return free
}

// placeNode gives the content of n its blocks, and the blocks that map it.
func (l *layout) placeNode(a *allocator, n *node) {
	data := coalesce(n.runs)
	if blocks := uint32(roundUp(n.Size, blockSize)); !n.sparse && blocks > 0 {
		data = []run{{blocks: blocks}}
	}
	if l.version == 2 {
		n.maps = newMaps(data, uint64(roundUp(n.Size, blockSize)))
		n.runs = a.placeMapped(data, n.maps)
		return
	}
	n.runs = make([]run, 0, len(data))
	for _, r := range data {
		n.runs = a.place(n.runs, r)
	}
	n.maps = newTree(len(n.runs))
	for i := range n.maps {
		n.maps[i].block = a.one()
	}
}

// placeMapped returns where data lies. Each block that maps it lies before what
// it maps, as a reader that goes through both expects.
func (a *allocator) placeMapped(data []run, maps []mapped) (runs []run) {
	for _, r := range data {
		for r.blocks > 0 {
			for len(maps) > 0 && maps[0].first <= r.logical {
				maps[0].block = a.one()
				maps = maps[1:]
			}
			part := r
			if len(maps) > 0 {
				part.blocks = min(part.blocks, maps[0].first-part.logical)
			}
			runs = a.place(runs, part)
			r.logical += part.blocks
			r.blocks -= part.blocks
		}
	}
	return runs
}

// place appends to runs where the blocks of r lie.
func (a *allocator) place(runs []run, r run) []run {
	for r.blocks > 0 {
		start, got := a.take(min(r.blocks, maxExtent))
		runs = append(runs, run{r.logical, start, got})
		r.logical += got
		r.blocks -= got
	}
	return runs
}

// coalesce joins runs of data that were placed before, and may now lie
// elsewhere.
func coalesce(runs []run) []run {
	joined := make([]run, 0, len(runs))
	for _, r := range runs {
		if i := len(joined) - 1; i >= 0 && joined[i].logical+joined[i].blocks == r.logical {
			joined[i].blocks += r.blocks
			continue
		}
		joined = append(joined, r)
	}
	return joined
}
