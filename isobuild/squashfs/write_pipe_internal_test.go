package squashfs

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
)

// TestPipePacksSideBySide has as many packers as blocks, of which each waits
// until all are at work. A pipe that packed one block after the other would wait
// until the context ends.
func TestPipePacksSideBySide(t *testing.T) {
	t.Parallel()

	const workers = 2
	limit, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	group, ctx := errgroup.WithContext(limit)
	var all sync.WaitGroup
	all.Add(workers)
	meeting := make(chan struct{})
	go func() { all.Wait(); close(meeting) }()
	packers := make([]packer, workers)
	for i := range packers {
		packers[i] = meetingPacker{ctx, &all, meeting}
	}

	image := make(sink, 100)
	p := newPipe(ctx, &output{w: image}, &config{workers: workers, blockSize: minBlockSize}, 0)
	p.start(group, packers)
	for _, text := range []string{"one", "two"} {
		b, err := p.get()
		require.NoError(t, err)
		b.plain = append(b.plain, text...)
		p.send(b)
	}
	p.close()
	require.NoError(t, group.Wait())
	assert.Equal(t, "onetwo", string(image[:6]))
	assert.Equal(t, []fragment{{0, 3 | blockStored}, {3, 3 | blockStored}}, p.fragments)
}

// A meetingPacker waits for the others before it packs, which saves nothing.
type meetingPacker struct {
	ctx     context.Context //nolint:containedctx // It lives as long as one test.
	all     *sync.WaitGroup
	meeting <-chan struct{}
}

func (p meetingPacker) pack(dst, src []byte) ([]byte, error) {
	p.all.Done()
	select {
	case <-p.meeting:
		return append(dst, src...), nil
	case <-p.ctx.Done():
		return nil, p.ctx.Err()
	}
}

// A sink is an image in memory.
type sink []byte

// WriteAt implements [io.WriterAt].
func (s sink) WriteAt(p []byte, off int64) (int, error) { return copy(s[off:], p), nil }
