package console_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/console"
)

func TestWriterKeepsAllInOrder(t *testing.T) {
	t.Parallel()

	var b strings.Builder
	w := console.NewWriter(&b)
	var want strings.Builder
	for i := range 10_000 {
		line := fmt.Sprintln("line", i)
		want.WriteString(line)
		_, err := io.WriteString(w, line)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	assert.Equal(t, want.String(), b.String())
	_, err := w.Write([]byte("late"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

// slow writes when it is told to.
type slow struct {
	calls chan string
	err   error
}

func (s slow) Write(p []byte) (int, error) {
	s.calls <- string(p)
	return len(p), s.err
}

func TestWriterWritesTogetherWhatWaits(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s := slow{calls: make(chan string)}
		w := console.NewWriter(s)
		for _, line := range []string{"a\n", "b\n", "c\n"} {
			_, _ = io.WriteString(w, line)
			synctest.Wait()
		}
		assert.Equal(t, "a\n", <-s.calls)
		assert.Equal(t, "b\nc\n", <-s.calls)
		require.NoError(t, w.Close())
	})
}

func TestWriterWaitsWhenFull(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		s := slow{calls: make(chan string)}
		w := console.NewWriter(s)
		var writing sync.WaitGroup
		var written atomic.Int64
		writing.Go(func() {
			for range 8 {
				n, _ := w.Write(make([]byte, 1<<20))
				written.Add(int64(n))
			}
		})
		synctest.Wait()
		assert.LessOrEqual(t, written.Load(), int64(4<<20), "memory is bounded")

		var got int
		writing.Go(func() {
			for p := range s.calls {
				got += len(p)
			}
		})
		for written.Load() < 8<<20 {
			synctest.Wait()
		}
		require.NoError(t, w.Close())
		close(s.calls)
		writing.Wait()
		assert.Equal(t, 8<<20, got)
	})
}

func TestWriterErrors(t *testing.T) {
	t.Parallel()

	gone := errors.New("gone")
	s := slow{calls: make(chan string, 10), err: gone}
	w := console.NewWriter(s)
	_, err := w.Write([]byte("x"))
	require.NoError(t, err)
	require.ErrorIs(t, w.Close(), gone)
}
