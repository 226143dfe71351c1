package squashfs

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

// A block is file data on its way into the image.
type block struct {
	plain  []byte // what was read, until it is packed
	stored []byte // what goes into the image, in the memory of plain
	word   uint32 // its size as tables have it
	err    error
	ready  chan struct{} // has a value when stored is there

	file  *content // whose block it is; nil for a fragment block
	index int      // which block of the file
	first bool     // no block of the file is in the image before it

	undo bool // instead of a block: all blocks of file go out again
}

// A pipe packs blocks side by side and writes them in the order in which they
// were sent.
type pipe struct {
	ctx       context.Context //nolint:containedctx // It lives as long as one call of Write.
	out       *output
	blockSize int
	fragments []fragment

	free  chan *block // those that nobody uses
	work  chan *block // to be packed
	order chan *block // to be written
}

// A fragment is a block of the ends of several files.
type fragment struct {
	start uint64
	size  uint32
}

// newPipe returns a pipe with so many blocks that nobody waits long for one,
// held of them beyond that. Blocks get their memory when they are first used.
func newPipe(ctx context.Context, out *output, cfg *config, held int) *pipe {
	count := 2*cfg.workers + 2 + held
	p := &pipe{ctx: ctx, out: out, blockSize: cfg.blockSize, free: make(chan *block, count), work: make(chan *block, count), order: make(chan *block, count)}
	for range count {
		p.free <- &block{ready: make(chan struct{}, 1)}
	}
	return p
}

// start starts the workers and the writer. They end when the pipe is closed
// or the group is cancelled.
func (p *pipe) start(group *errgroup.Group, packers []packer) {
	for _, packer := range packers {
		group.Go(func() error { return p.pack(packer) })
	}
	group.Go(p.write)
}

// get returns an empty block.
func (p *pipe) get() (*block, error) {
	select {
	case b := <-p.free:
		if b.plain == nil {
			b.plain = make([]byte, 0, p.blockSize)
		}
		return b, nil
	case <-p.ctx.Done():
		return nil, context.Cause(p.ctx)
	}
}

// put takes back a block that was not sent.
func (p *pipe) put(b *block) {
	b.plain, b.stored, b.file, b.index, b.first, b.undo = b.plain[:0], nil, nil, 0, false, false
	p.free <- b
}

// send has b packed and written.
func (p *pipe) send(b *block) {
	p.work <- b // There is room for all blocks.
	p.order <- b
}

// drop takes all blocks of c out of the image. They were the last ones sent.
func (p *pipe) drop(c *content) error {
	b, err := p.get()
	if err != nil {
		return err
	}
	b.file, b.undo = c, true
	p.order <- b
	return nil
}

// close says that no more blocks come.
func (p *pipe) close() {
	close(p.work)
	close(p.order)
}

// pack is a worker.
func (p *pipe) pack(packer packer) error {
	space := make([]byte, 0, p.blockSize+p.blockSize/64)
	for {
		select {
		case b, ok := <-p.work:
			if !ok {
				return nil
			}
			space = b.pack(packer, space)
			b.ready <- struct{}{}
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		}
	}
}

// pack fills b.stored. Of space only the memory matters: blocks that wait to
// be written need none of their own beside what was read. It returns space for the
// next block.
func (b *block) pack(packer packer, space []byte) []byte {
	space, b.err = packer.pack(space[:0], b.plain)
	b.stored, b.word = b.plain, uint32(len(b.plain))|blockStored
	if len(space) < len(b.plain) {
		b.stored = b.plain[:copy(b.plain, space)]
		b.word = uint32(len(b.stored))
	}
	return space
}

// write writes blocks in order.
func (p *pipe) write() error {
	for {
		select {
		case b, ok := <-p.order:
			if !ok {
				return nil
			}
			if err := p.place(b); err != nil {
				return err
			}
			p.put(b)
		case <-p.ctx.Done():
			return context.Cause(p.ctx)
		}
	}
}

// place writes b as soon as it is packed, and notes where it is.
func (p *pipe) place(b *block) error {
	if b.undo {
		p.out.pos = int64(b.file.start)
		return nil
	}
	select {
	case <-b.ready:
	case <-p.ctx.Done():
		return context.Cause(p.ctx)
	}
	if b.err != nil {
		return fmt.Errorf("squashfs: pack: %w", b.err)
	}
	start, err := p.out.put(b.stored)
	switch {
	case err != nil:
		return err
	case b.file == nil:
		p.fragments = append(p.fragments, fragment{start, b.word})
		return nil
	case b.first:
		b.file.start = start
	}
	b.file.sizes[b.index] = b.word
	return nil
}
