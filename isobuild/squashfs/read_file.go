package squashfs

import (
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"
)

// A fileContent is what is in a regular file.
type fileContent struct {
	store *store
	path  string // for messages
	size  int64

	start int64    // of the first block
	words []uint32 // how long each block is; zero for a hole
	marks []int64  // where every blocksPerMark-th block starts, from start

	tail   blockKey // the fragment block with what follows the last block
	offset int64    // of that in the unpacked fragment block

	last atomic.Pointer[readBlock] // that was read in part
}

// A readBlock is a block of a file.
type readBlock struct {
	index int64
	data  []byte
}

// blocksPerMark is a compromise between memory and the time to add up.
const blocksPerMark = 64

// openContent returns what is in the regular file whose inode is at ref.
func (s *store) openContent(path string, ref inodeRef) (*fileContent, error) {
	c := cursor{store: s}
	n, err := c.readInode(ref)
	if err != nil {
		return nil, err
	}
	f := &fileContent{store: s, path: path, size: n.size, start: n.start}
	blocks := n.size / s.im.blockSize
	if rest := n.size % s.im.blockSize; rest > 0 && n.fragment == noFragment {
		blocks++
	} else if rest > 0 {
		if err := f.openTail(n.fragment, n.offset, rest); err != nil {
			return nil, err
		}
	}
	return f, f.readWords(&c, blocks)
}

// openTail notes where the last rest bytes are.
func (f *fileContent) openTail(fragment uint32, offset, rest int64) error {
	var b [fragmentSize]byte
	if err := f.store.im.fragments.read(f.store, b[:], int64(fragment)); err != nil {
		return err
	}
	f.tail = blockKey{int64(binary.LittleEndian.Uint64(b[:])), binary.LittleEndian.Uint32(b[8:])}
	f.offset = offset
	if offset > f.store.im.blockSize-rest {
		return fmt.Errorf("%d bytes at byte %d of a fragment block of at most %d", rest, offset, f.store.im.blockSize)
	}
	return nil
}

// readWords reads the list of blocks, which c is at.
func (f *fileContent) readWords(c *cursor, blocks int64) error {
	var b [4 * blocksPerMark]byte
	sum := int64(0)
	for blocks > 0 {
		group := b[:4*min(blocks, blocksPerMark)]
		if err := c.read(group); err != nil {
			return err
		}
		f.marks = append(f.marks, sum)
		for ; len(group) > 0; group = group[4:] {
			word := binary.LittleEndian.Uint32(group)
			f.words = append(f.words, word)
			sum += int64(word &^ blockStored)
			blocks--
		}
	}
	if sum > f.store.im.size-f.start {
		return fmt.Errorf("%d bytes of blocks at byte %d of %d: %w", sum, f.start, f.store.im.size, io.ErrUnexpectedEOF)
	}
	return nil
}

// key returns which block the i-th one is.
func (f *fileContent) key(i int64) blockKey {
	if i >= int64(len(f.words)) {
		return f.tail
	}
	at := f.start + f.marks[i/blocksPerMark]
	for _, word := range f.words[i&^(blocksPerMark-1) : i] {
		at += int64(word &^ blockStored)
	}
	return blockKey{at, f.words[i]}
}

// length returns how many bytes of the file are in the i-th block.
func (f *fileContent) length(i int64) int64 {
	return min(f.store.im.blockSize, f.size-i*f.store.im.blockSize)
}

// hole says whether the i-th block is zeros.
func (f *fileContent) hole(i int64) bool { return i < int64(len(f.words)) && f.words[i] == 0 }

// NextData returns the first blocks that are no holes and end behind off, from
// off on, in bytes; false when only holes follow.
func (f *fileContent) NextData(off int64) (start, end int64, ok bool) {
	block := f.store.im.blockSize
	i := off / block
	for f.hole(i) {
		i++
	}
	start = max(off, i*block)
	for i++; i*block < f.size && !f.hole(i); {
		i++
	}
	return start, i * block, start < f.size
}

// ReadAt implements [io.ReaderAt]. Blocks that p has room for as a whole are
// unpacked there.
func (f *fileContent) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, f.fail(fs.ErrInvalid)
	}
	if off >= f.size {
		return 0, io.EOF
	}
	if rest := f.size - off; int64(len(p)) > rest {
		p, err = p[:rest], io.EOF
	}
	for n < len(p) {
		k, err := f.readPart(p[n:], off+int64(n))
		if err != nil {
			return n, f.fail(err)
		}
		n += k
	}
	return n, err
}

// readPart fills p from byte off on, as far as one block goes.
func (f *fileContent) readPart(p []byte, off int64) (int, error) {
	i, from := off/f.store.im.blockSize, off%f.store.im.blockSize
	length := f.length(i)
	if rest := length - from; int64(len(p)) > rest {
		p = p[:rest]
	}
	switch whole := int64(len(p)) == length; {
	case f.hole(i):
		clear(p)
		return len(p), nil
	case whole && i < int64(len(f.words)):
		return len(p), f.readWhole(p, i)
	}
	data, err := f.part(i)
	if err != nil {
		return 0, err
	}
	return copy(p, data[from:]), nil
}

// readWhole unpacks the i-th block into p, unless it is there already.
func (f *fileContent) readWhole(p []byte, i int64) error {
	key := f.key(i)
	if b, ok := f.store.cache.peek(key); ok && len(b.data) == len(p) {
		copy(p, b.data)
		return nil
	}
	n, err := f.store.readData(p, key.at, key.word)
	return f.checkLength(i, int64(n), int64(len(p)), err)
}

// part returns the part of the i-th block that belongs to the file.
func (f *fileContent) part(i int64) ([]byte, error) {
	if last := f.last.Load(); last != nil && last.index == i {
		return last.data, nil
	}
	key, length := f.key(i), f.length(i)
	limit, shared := length, i >= int64(len(f.words))
	if shared {
		limit = f.store.im.blockSize
	}
	b, err := f.store.data(key.at, key.word, limit)
	data := b.data
	if shared {
		data, err = f.cutTail(data, length, err)
	} else {
		err = f.checkLength(i, int64(len(data)), length, err)
	}
	if err != nil {
		return nil, err
	}
	f.last.Store(&readBlock{i, data})
	return data, nil
}

// cutTail returns the part of a fragment block that belongs to the file. There
// are others' tails before and behind.
func (f *fileContent) cutTail(data []byte, length int64, err error) ([]byte, error) {
	if err == nil && f.offset+length > int64(len(data)) {
		err = fmt.Errorf("%d bytes at byte %d of %d", length, f.offset, len(data))
	}
	if err != nil {
		return nil, fmt.Errorf("fragment block: %w", err)
	}
	return data[f.offset:][:length], nil
}

// checkLength returns an error if the i-th block is not as long as it should
// be, or err.
func (f *fileContent) checkLength(i, found, expected int64, err error) error {
	if err == nil && found != expected {
		err = fmt.Errorf("%d bytes, not %d", found, expected)
	}
	if err != nil {
		return fmt.Errorf("block %d: %w", i, err)
	}
	return nil
}

// writeTo writes what is in the file from byte off on to w.
func (f *fileContent) writeTo(w io.Writer, off int64) (n int64, err error) {
	var buf []byte
	for n < f.size-off {
		at := off + n
		i, from := at/f.store.im.blockSize, at%f.store.im.blockSize
		data := buf
		if i < int64(len(f.words)) && (from == 0 || f.hole(i)) {
			if buf == nil {
				buf = make([]byte, min(f.store.im.blockSize, f.size))
			}
			data = buf[:f.length(i)-from]
			_, err = f.readPart(data, at)
		} else if data, err = f.part(i); err == nil {
			data = data[from:]
		}
		if err != nil {
			return n, f.fail(err)
		}
		k, err := w.Write(data)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// fail returns err as one of reading the file.
func (f *fileContent) fail(err error) error {
	return &fs.PathError{Op: "read", Path: f.path, Err: err}
}
