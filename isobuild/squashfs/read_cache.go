package squashfs

import (
	"container/list"
	"errors"
	"sync"
)

// A blockKey says which block: where it is packed, and the word that says how
// long it is there, or zero for a metadata block, which says so itself.
type blockKey struct {
	at   int64
	word uint32
}

// An unpacked block is one as it was before it was packed.
type unpacked struct {
	data []byte // shared: never changed
	next int64  // of a metadata block: the byte of the image behind it
}

// blockOverhead is about what the cache needs to know a block.
const blockOverhead = 200

// A cache keeps the blocks that were asked for last.
type cache struct {
	mu     sync.Mutex
	max    int64 // bytes
	used   int64
	blocks map[blockKey]*cached
	recent list.List // of *cached that are complete; the front was asked for last
}

// A cached block is complete, or somebody is loading it.
type cached struct {
	key   blockKey
	ready chan struct{} // closed when complete
	place *list.Element // in recent, when complete
	block unpacked
	err   error
}

func newCache(size int64) *cache {
	return &cache{max: size, blocks: make(map[blockKey]*cached)}
}

// errAbandoned is what those who wait for a block are told if its loading
// ended in a panic.
var errAbandoned = errors.New("reading of the block was abandoned")

// get returns a block. If it is not there it is loaded, once for all who ask.
func (c *cache) get(key blockKey, load func() (unpacked, error)) (unpacked, error) {
	c.mu.Lock()
	if e := c.blocks[key]; e != nil {
		if e.place != nil {
			c.recent.MoveToFront(e.place)
		}
		c.mu.Unlock()
		<-e.ready
		return e.block, e.err
	}
	e := &cached{key: key, ready: make(chan struct{}), err: errAbandoned}
	c.blocks[key] = e
	c.mu.Unlock()
	defer c.keep(e)
	e.block, e.err = load()
	return e.block, e.err
}

// peek returns a block if it is there.
func (c *cache) peek(key blockKey) (unpacked, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.blocks[key]
	if e == nil || e.place == nil {
		return unpacked{}, false
	}
	c.recent.MoveToFront(e.place)
	return e.block, true
}

// keep makes e complete, and forgets what is now too much.
func (c *cache) keep(e *cached) {
	defer close(e.ready)
	c.mu.Lock()
	defer c.mu.Unlock()
	if e.err != nil {
		delete(c.blocks, e.key)
		return
	}
	e.place = c.recent.PushFront(e)
	c.used += e.cost()
	for c.used > c.max {
		last := c.recent.Remove(c.recent.Back()).(*cached)
		c.used -= last.cost()
		delete(c.blocks, last.key)
	}
}

// cost returns how much memory e takes. Where a block unpacked to less than it
// might have, that is more than its length.
func (e *cached) cost() int64 { return int64(cap(e.block.data)) + blockOverhead }
