package squashfs

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/meter"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// A content is what a regular file holds. Files with the same bytes share one.
type content struct {
	start    uint64   // of the first block in the image
	sizes    []uint32 // of the blocks in the image; 0 for one of zeros
	sparse   uint64   // bytes in blocks of zeros
	fragment uint32   // the number of the block it is in, if it is shorter than a block; else noFragment
	offset   uint32   // where it starts in that block, when unpacked
}

// holdBytes is how much of a file waits for the end of it when another file
// has the same size: most duplicates are then found before they are packed.
const holdBytes = 4 << 20

// A loader reads files, each once, and sends their blocks into a pipe.
type loader struct {
	ctx       context.Context //nolint:containedctx // It lives as long as one call of Write.
	tree      fs.FS
	pipe      *pipe
	progress  *meter.Writer
	blockSize int64

	twins map[int64]bool // sizes that more than one file has
	known map[[sha256.Size]byte]*content
	hash  hash.Hash
	held  []*block
	hold  int // how many blocks are held at most

	zeros []byte
	small []byte // a file that is shorter than a block
	mix   *block // the fragment block that is being filled
	count uint32 // of fragment blocks before it
}

func newLoader(ctx context.Context, tree fs.FS, p *pipe, blockSize, hold int, progress *meter.Writer) *loader {
	return &loader{
		ctx: ctx, tree: tree, pipe: p, progress: progress, blockSize: int64(blockSize), hold: hold,
		known: make(map[[sha256.Size]byte]*content), hash: sha256.New(),
		zeros: make([]byte, blockSize), small: make([]byte, blockSize),
	}
}

// run loads files in the order given.
func (l *loader) run(files []*node) error {
	l.twins = twins(files)
	for _, n := range files {
		if err := context.Cause(l.ctx); err != nil {
			return err
		}
		if err := l.load(n); err != nil {
			return err
		}
	}
	return l.flush()
}

// twins returns the sizes that more than one file has. Only those files can be
// duplicates, and only they are hashed.
func twins(files []*node) map[int64]bool {
	seen := make(map[int64]bool)
	for _, n := range files {
		_, ok := seen[n.Size]
		seen[n.Size] = ok
	}
	return seen
}

// load loads one file.
func (l *loader) load(n *node) error {
	n.file = &content{fragment: noFragment}
	if n.Size == 0 {
		return nil
	}
	name := n.Path()
	if longest := maxBlocks * l.blockSize; n.Size > longest {
		return at(name, fmt.Errorf("size is %d, at most %d is possible in blocks of %d bytes", n.Size, longest, l.blockSize))
	}
	file, err := l.tree.Open(name)
	if err != nil {
		return at(name, err)
	}
	defer file.Close()
	l.hash.Reset()
	l.hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(n.Size)))
	s := &source{loader: l, file: file, from: file, name: name, size: n.Size, twin: l.twins[n.Size]}
	var small []byte
	var sent bool
	if n.Size < l.blockSize {
		small = l.small[:n.Size]
		err = s.read(small)
		s.digest(small)
	} else {
		n.file.sizes = make([]uint32, (n.Size+l.blockSize-1)/l.blockSize)
		sent, err = l.blocks(s, n.file)
	}
	if err != nil {
		return err
	}
	if s.twin {
		sum := [sha256.Size]byte(l.hash.Sum(nil))
		if same, ok := l.known[sum]; ok {
			err := l.forget(n.file, sent)
			n.file = same
			return err
		}
		l.known[sum] = n.file
	}
	l.release()
	return l.mixIn(n.file, small)
}

// blocks loads a file that fills a block or more. What is left behind the
// last full one is a shorter block of its own: that packs as well as sharing one
// with other files, and is read faster. Blocks of a file that may be a duplicate
// are held as long as there are not too many. It says whether any was sent.
func (l *loader) blocks(s *source, c *content) (sent bool, err error) {
	first := true
	for i := range c.sizes {
		length := min(l.blockSize, s.size-s.done)
		if s.skip(length) {
			c.sparse += uint64(length)
			continue
		}
		b, err := l.pipe.get()
		if err != nil {
			return false, err
		}
		b.plain = b.plain[:length]
		if err := s.read(b.plain); err != nil {
			return false, err
		}
		if bytes.Equal(b.plain, l.zeros[:len(b.plain)]) {
			c.sparse += uint64(len(b.plain))
			l.pipe.put(b)
			continue
		}
		s.digest(b.plain)
		b.file, b.index, b.first = c, i, first
		first = false
		l.held = append(l.held, b)
		if !s.twin || len(l.held) > l.hold || sent {
			l.release()
			sent = true
		}
	}
	return sent, nil
}

// release sends the blocks that were held.
func (l *loader) release() {
	for _, b := range l.held {
		l.pipe.send(b)
	}
	l.held = l.held[:0]
}

// forget takes back the blocks of c, some of which may have been sent.
func (l *loader) forget(c *content, sent bool) error {
	for _, b := range l.held {
		l.pipe.put(b)
	}
	l.held = l.held[:0]
	if !sent {
		return nil
	}
	return l.pipe.drop(c)
}

// mixIn puts a file that is shorter than a block into a fragment block.
func (l *loader) mixIn(c *content, small []byte) error {
	if len(small) == 0 {
		return nil
	}
	if l.mix != nil && len(l.mix.plain)+len(small) > cap(l.mix.plain) {
		if err := l.flush(); err != nil {
			return err
		}
	}
	if l.mix == nil {
		var err error
		if l.mix, err = l.pipe.get(); err != nil {
			return err
		}
	}
	c.fragment, c.offset = l.count, uint32(len(l.mix.plain))
	l.mix.plain = append(l.mix.plain, small...)
	return nil
}

// flush sends the fragment block.
func (l *loader) flush() error {
	if l.mix == nil {
		return nil
	}
	l.pipe.send(l.mix)
	l.mix = nil
	l.count++
	return nil
}

// A source is a file that is being read.
type source struct {
	*loader
	file fs.File
	from io.Reader // what comes next of the file
	name string
	size int64
	done int64
	twin bool

	start, end int64 // of the data that follow a hole
}

// skip passes over the next n bytes if they are in a hole. The end of a file is
// always read: that finds out whether it is still there.
func (s *source) skip(n int64) bool {
	at, ok := s.file.(io.ReaderAt)
	if !ok || s.done+n >= s.size || s.ctx.Err() != nil {
		return false
	}
	if s.done >= s.end {
		if s.start, s.end, ok = mosaic.NextData(s.file, s.done, s.size); !ok {
			s.start, s.end = s.size, s.size
		}
	}
	if s.done+n > s.start {
		return false
	}
	s.done += n
	s.progress.Add(n)
	s.from = io.NewSectionReader(at, s.done, s.size-s.done)
	return true
}

// digest adds what was read last to what tells duplicates. Blocks of zeros are
// not added, whether they were read or not: the place of each other one is.
func (s *source) digest(p []byte) {
	if s.twin {
		s.hash.Write(binary.LittleEndian.AppendUint64(nil, uint64(s.done)))
		s.hash.Write(p)
	}
}

// read fills p with what comes next.
func (s *source) read(p []byte) error {
	n, err := io.ReadFull(s.from, p)
	s.done += int64(n)
	s.progress.Add(int64(n))
	switch {
	case err == io.EOF || err == io.ErrUnexpectedEOF:
		return at(s.name, fmt.Errorf("ends after %d of %d bytes", s.done, s.size))
	case err != nil:
		return at(s.name, err)
	}
	return nil
}
