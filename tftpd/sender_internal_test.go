package tftpd

import (
	"encoding/binary"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A peer is the client's end of a link: a pipe, whose clock is the test's.
type peer struct {
	t    *testing.T
	conn net.Conn
}

// read returns the next packet and the time that passed before it came.
func (p peer) read() ([]byte, time.Duration) {
	p.t.Helper()
	start := time.Now()
	buf := make([]byte, 2048)
	n, err := p.conn.Read(buf)
	require.NoError(p.t, err)
	return buf[:n], time.Since(start)
}

// blocks reads n DATA packets and returns their numbers.
func (p peer) blocks(n int) []int {
	p.t.Helper()
	var got []int
	for range n {
		pkt, _ := p.read()
		require.EqualValues(p.t, opDATA, opcode(pkt))
		got = append(got, int(blockNumber(pkt)))
	}
	return got
}

func (p peer) ack(block int) {
	p.t.Helper()
	_, err := p.conn.Write(binary.BigEndian.AppendUint16([]byte{0, opACK}, uint16(block)))
	require.NoError(p.t, err)
}

// newPipe returns a link and its peer.
func newPipe(t *testing.T, timeout time.Duration) (*link, peer) {
	t.Helper()
	cfg, err := newConfig(nil)
	require.NoError(t, err)
	ours, theirs := net.Pipe()
	t.Cleanup(func() { _, _ = ours.Close(), theirs.Close() })
	return newLink(ours, &cfg, timeout, new(atomic.Bool)), peer{t, theirs}
}

// begin runs a sender for size bytes in the background.
func begin(t *testing.T, l *link, size, block, window int) <-chan error {
	t.Helper()
	file := &readAhead{file: strings.NewReader(strings.Repeat("x", size)), size: int64(size), buf: make([]byte, readAheadSize)}
	s := newSender(l, file, terms{blockSize: block, window: window}, make([]byte, headerSize+block))
	done := make(chan error, 1)
	go func() { done <- s.run() }()
	return done
}

func TestLinkExchangeWhenNobodyAnswers(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l, p := newPipe(t, 0)
		done := make(chan error, 1)
		go func() { done <- l.exchange([]byte{0, opDATA, 0, 1, 'x'}, 1) }()
		p.read()
		_, after := p.read()
		assert.InDelta(t, time.Second, after, float64(300*time.Millisecond))
		start := time.Now()
		require.ErrorIs(t, <-done, os.ErrDeadlineExceeded, "one repetition only: the address is not proven")
		assert.Less(t, time.Since(start), 2*time.Second)
	})
}

func TestLinkExchangeWhenClientFallsSilent(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l, p := newPipe(t, 0)
		done := begin(t, l, 10, 8, 1)
		p.blocks(1)
		time.Sleep(10 * time.Millisecond) // The round trip.
		p.ack(1)
		silent := time.Now()
		waits := make(chan time.Duration, 100)
		go func() {
			for last := silent; ; last = time.Now() {
				if _, err := p.conn.Read(make([]byte, 100)); err != nil {
					return
				}
				waits <- time.Since(last)
			}
		}()
		require.ErrorIs(t, <-done, os.ErrDeadlineExceeded)
		assert.InDelta(t, 11*time.Second, time.Since(silent), float64(1300*time.Millisecond))
		<-waits // The second block.
		assert.InDelta(t, minWait, <-waits, float64(minWait/3), "the first repetition follows the round trip")
		assert.InDelta(t, 2*minWait, <-waits, float64(minWait))
		assert.GreaterOrEqual(t, len(waits), 8, "then it doubles up to the timeout")
		assert.LessOrEqual(t, len(waits), 14)
		assert.True(t, l.quiet.Load())
	})
}

// TestLinkKeepsClientsTimeout: what the client sets is the longest wait.
func TestLinkKeepsClientsTimeout(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l, p := newPipe(t, 4*time.Second)
		done := begin(t, l, 10, 8, 1)
		p.blocks(1)
		p.ack(1)
		start := time.Now()
		p.blocks(8) // 0, 0.1, 0.3, 0.7, 1.5, 3.1, 6.3, 10.3 s
		_, after := p.read()
		assert.InDelta(t, 4*time.Second, after, float64(time.Second))
		assert.Greater(t, time.Since(start), 11*time.Second, "the server's patience would be at an end")
		p.ack(2)
		require.NoError(t, <-done)
	})
}

func TestSenderWindow(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l, p := newPipe(t, 0)
		done := begin(t, l, 80, 8, 4) // 10 full blocks and an empty one
		assert.Equal(t, []int{1, 2, 3, 4}, p.blocks(4))
		p.ack(4)
		assert.Equal(t, []int{5, 6, 7, 8}, p.blocks(4))
		p.ack(8)
		assert.Equal(t, []int{9, 10, 11}, p.blocks(3))
		p.ack(11)
		require.NoError(t, <-done)
		assert.Zero(t, l.repeated)
	})
}

func TestSenderGoesBack(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l, p := newPipe(t, 0)
		done := begin(t, l, 79, 8, 4)
		p.blocks(4)
		time.Sleep(time.Millisecond)
		p.ack(4)
		p.blocks(4)
		time.Sleep(time.Millisecond)
		p.ack(6) // Block 7 was lost.
		assert.Equal(t, []int{7, 8, 9, 10}, p.blocks(4))
		time.Sleep(time.Millisecond)
		p.ack(6) // And again.
		assert.Equal(t, []int{7, 8, 9, 10}, p.blocks(4))
		time.Sleep(time.Millisecond)
		p.ack(10)
		require.NoError(t, <-done)
		assert.Equal(t, 2, l.repeated)
	})
}

// TestSenderIgnoresRepeatedAcks: the sorcerer's apprentice would send a window
// twice for each acknowledgement that came twice (RFC 1123 §4.2.3.1).
func TestSenderIgnoresRepeatedAcks(t *testing.T) {
	t.Parallel()

	for _, window := range []int{1, 4} {
		synctest.Test(t, func(t *testing.T) {
			l, p := newPipe(t, 0)
			done := begin(t, l, window*8*3-1, 8, window)
			for i := 1; i <= 3; i++ {
				want := make([]int, window)
				for j := range want {
					want[j] = (i-1)*window + j + 1
				}
				assert.Equal(t, want, p.blocks(window))
				time.Sleep(10 * time.Millisecond)
				p.ack(i * window)
				if i < 3 {
					// The pipe hands over one packet at a time: the window is on its way.
					go p.ack(i * window)
				}
			}
			require.NoError(t, <-done)
			assert.Zero(t, l.repeated)
		})
	}
}

func TestSenderIgnoresAcksOfOtherBlocks(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l, p := newPipe(t, 0)
		done := begin(t, l, 79, 8, 4)
		p.blocks(4)
		for _, block := range []int{5, 11, 40_000, 65535} {
			p.ack(block)
		}
		p.ack(4)
		assert.Equal(t, []int{5, 6, 7, 8}, p.blocks(4))
		p.ack(1) // Late.
		p.ack(8)
		assert.Equal(t, []int{9, 10}, p.blocks(2))
		p.ack(10)
		require.NoError(t, <-done)
	})
}

func TestSenderRepeatsAfterSilence(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l, p := newPipe(t, 0)
		done := begin(t, l, 79, 8, 4)
		p.blocks(4)
		p.ack(4)
		p.blocks(4)
		start := time.Now()
		assert.Equal(t, []int{5, 6, 7, 8}, p.blocks(4))
		assert.GreaterOrEqual(t, time.Since(start), minWait)
		p.ack(8)
		p.blocks(2)
		p.ack(10)
		require.NoError(t, <-done)
		assert.Equal(t, 1, l.repeated)
	})
}

func TestLinkStopWaitsForTheLastAck(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l, p := newPipe(t, 0)
		done := begin(t, l, 4, 8, 1)
		p.blocks(1)
		l.stop(ErrSuperseded)
		time.Sleep(linger / 2)
		p.ack(1)
		require.NoError(t, <-done)

		l, p = newPipe(t, 0)
		done = begin(t, l, 4, 8, 1)
		p.blocks(1)
		l.stop(ErrSuperseded)
		require.ErrorIs(t, <-done, ErrSuperseded)
	})
}
