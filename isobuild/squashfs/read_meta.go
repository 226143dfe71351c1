package squashfs

import (
	"encoding/binary"
	"fmt"
)

// An inodeRef says where an inode is: the upper bits are the byte of its
// metadata block after the start of the inode table, the lower 16 the byte of
// the inode in the uncompressed block.
type inodeRef uint64

// block returns where the metadata block starts in a table from byte start.
func (r inodeRef) block(start int64) int64 { return start + int64(r>>16) }

// offset returns the byte in the uncompressed block.
func (r inodeRef) offset() int { return int(r & 0xffff) }

// A cursor reads on in a row of metadata blocks. It keeps the last block, so
// that neighbours do not cost a look into the cache each.
type cursor struct {
	store *store
	at    int64 // of block
	block unpacked
	rest  []byte // of it, still to be read
}

// seek goes to byte offset of the metadata block at byte at.
func (c *cursor) seek(at int64, offset int) error {
	if c.block.data == nil || c.at != at {
		block, err := c.store.meta(at)
		if err != nil {
			return err
		}
		c.at, c.block = at, block
	}
	if offset > len(c.block.data) {
		return fmt.Errorf("byte %d of a metadata block of %d bytes", offset, len(c.block.data))
	}
	c.rest = c.block.data[offset:]
	return nil
}

// seekRef goes to what ref refers to in the table from byte start.
func (c *cursor) seekRef(start int64, ref inodeRef) error {
	if uint64(ref>>16) > uint64(c.store.im.size) {
		return fmt.Errorf("reference %#x beyond the image", uint64(ref))
	}
	return c.seek(ref.block(start), ref.offset())
}

// read fills p with what follows.
func (c *cursor) read(p []byte) error {
	for {
		n := copy(p, c.rest)
		c.rest, p = c.rest[n:], p[n:]
		if len(p) == 0 {
			return nil
		}
		if err := c.seek(c.block.next, 0); err != nil {
			return err
		}
	}
}

// An indexed table is metadata blocks with entries of one size. Where each
// block is stands uncompressed in an index.
type indexed struct {
	what   string // an entry is, for messages
	start  int64  // of the index
	count  int64  // of entries
	entry  int64  // bytes of one, a divisor of metaSize
	blocks []int64
}

// load reads the index.
func (t *indexed) load(im *image) error {
	if t.count == 0 {
		return nil
	}
	perBlock := metaSize / t.entry
	n := (t.count + perBlock - 1) / perBlock
	if t.start < superblockSize || t.start > im.size-8*n {
		return fmt.Errorf("%s table: index of %d blocks at byte %d of %d", t.what, n, t.start, im.size)
	}
	b := make([]byte, 8*n) // No more than the image has.
	if err := im.readAt(b, t.start); err != nil {
		return fmt.Errorf("%s table: %w", t.what, err)
	}
	t.blocks = make([]int64, n)
	for i := range t.blocks {
		t.blocks[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return nil
}

// read fills p with entry i.
func (t *indexed) read(s *store, p []byte, i int64) error {
	if i >= t.count {
		return fmt.Errorf("%s %d of %d", t.what, i, t.count)
	}
	c := cursor{store: s}
	err := c.seek(t.blocks[i*t.entry/metaSize], int(i*t.entry%metaSize))
	if err == nil {
		err = c.read(p)
	}
	if err != nil {
		return fmt.Errorf("%s %d: %w", t.what, i, err)
	}
	return nil
}
