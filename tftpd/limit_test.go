package tftpd_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tftpclient"
	"github.com/netbootkit/netbootkit/tftpd"
)

const busy = "\x00\x05\x00\x00server busy\x00"

func TestServerServeLimitsTransfersPerClient(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(600), tftpd.WithMaxTransfersPerClient(2))
	a, b, c := newSocket(t), newSocket(t), newSocket(t)
	a.send(srv.port, rrq("600"))
	_, from := a.read(5 * time.Second)
	b.send(srv.port, rrq("600"))
	b.read(5 * time.Second)
	c.send(srv.port, rrq("600"))
	c.want(busy)
	tr := srv.next(t)
	require.ErrorIs(t, tr.Err, tftpd.ErrBusy)
	assert.Equal(t, "600", tr.Name)

	a.send(from, "\x00\x05\x00\x00stop\x00") // Makes room.
	require.ErrorIs(t, srv.next(t).Err, tftpd.ErrAborted)
	c.send(srv.port, rrq("600"))
	got, _ := c.read(5 * time.Second)
	assert.Len(t, got, 516)

	if runtime.GOOS == "linux" { // All of 127.0.0.0/8 is local there.
		other := tftpclient.Client{Local: netip.MustParseAddr("127.0.0.3")}
		_, err := other.Get(t.Context(), srv.addr, "600", io.Discard)
		require.NoError(t, err, "another address has room of its own")
	}
}

func TestServerServeLimitsTransfers(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(600), tftpd.WithMaxTransfers(3))
	for range 3 {
		s := newSocket(t)
		s.send(srv.port, rrq("600"))
		s.read(5 * time.Second)
	}
	s := newSocket(t)
	s.send(srv.port, rrq("600"))
	s.want(busy)
}

// TestServerServeAmplification counts what a forged sender's victim gets.
func TestServerServeAmplification(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name    string
		options []string
		packets int
		bytes   int
	}{
		{"one block and one repetition", nil, 2, 2 * 516},
		{"an OACK and one repetition", []string{"blksize", "1468", "windowsize", "64", "timeout", "1"}, 2, 100},
	}
	srv := start(t, patterns(100_000), tftpd.WithTimeout(50*time.Millisecond))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newSocket(t)
			request := rrq("100000", tt.options...)
			s.send(srv.port, request)
			require.ErrorIs(t, srv.next(t).Err, os.ErrDeadlineExceeded)
			packets, bytes := s.drain()
			assert.Equal(t, tt.packets, packets)
			assert.LessOrEqual(t, bytes, tt.bytes)
			t.Logf("%d bytes in, %d out: %.1f, with IP and UDP headers %.1f", len(request), bytes,
				float64(bytes)/float64(len(request)), float64(bytes+28*packets)/float64(len(request)+28))
		})
	}
}

// TestServerServeAmplificationOfFlood: however many requests are forged in a
// victim's name, it gets hardly more than was sent.
func TestServerServeAmplificationOfFlood(t *testing.T) {
	t.Parallel()

	// The transfers that are let in hold their places however slow this loop is.
	srv := start(t, patterns(100_000), tftpd.WithMaxTransfersPerClient(8),
		tftpd.WithTimeout(time.Minute), tftpd.WithGracePeriod(0))
	const headers = 28 // of IPv4 and UDP, in bytes
	in, out := 0, 0
	for range 1000 {
		s := newSocket(t)
		request := rrq("100000")
		s.send(srv.port, request)
		in += headers + len(request)
		got, _ := s.read(5 * time.Second)
		out += headers + len(got)
		_ = s.conn.Close()
	}
	t.Logf("1000 requests, %d bytes in, %d bytes out: %.2f", in, out, float64(out)/float64(in))
	assert.Less(t, float64(out), 1.2*float64(in))
}

// drain reads what has arrived.
func (s socket) drain() (packets, bytes int) {
	for {
		got, _ := s.read(50 * time.Millisecond)
		if got == "" {
			return packets, bytes
		}
		packets++
		bytes += len(got)
	}
}

// TestServerServeLeaksNothing starts and aborts a thousand transfers.
func TestServerServeLeaksNothing(t *testing.T) {
	closed := make(chan struct{}, 2000)
	h := tftpd.HandlerFunc(func(context.Context, string, netip.AddrPort) (tftpd.File, error) {
		return closer{strings.NewReader(strings.Repeat("x", 5000)), closed}, nil
	})
	srv := startHandler(t, h)
	abort := func(i int) {
		s := newSocket(t)
		defer s.conn.Close()
		s.send(srv.port, [...]string{rrq("f"), rrq("f", "tsize", "0"), rrq("f", "windowsize", "8"), rrq("f", "blksize", "1468")}[i%4])
		_, from := s.read(5 * time.Second)
		if i%3 == 0 {
			s.send(from, "\x00\x04\x00\x00")
		}
		s.send(from, "\x00\x05\x00\x00stop\x00")
		srv.next(t)
	}
	abort(0)
	files, routines := openFiles(t), runtime.NumGoroutine()
	for i := range 1000 {
		abort(i)
	}
	for range 1001 {
		<-closed
	}
	for range 500 { // The last goroutine is on its way out.
		if runtime.NumGoroutine() <= routines {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), routines)
	assert.Equal(t, files, openFiles(t))
	if t.Failed() {
		var b strings.Builder
		_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
		t.Log(b.String())
	}
}

type closer struct {
	*strings.Reader

	closed chan<- struct{}
}

func (c closer) Close() error {
	c.closed <- struct{}{}
	return nil
}

// openFiles counts the descriptors of this process, where the system tells.
func openFiles(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	names, err := filepath.Glob("/proc/self/fd/*")
	require.NoError(t, err)
	return len(names)
}

func TestServerServeWhenConnIsClosed(t *testing.T) {
	t.Parallel()

	srv, err := tftpd.NewServer(tftpd.FS(patterns()))
	require.NoError(t, err)
	conn := listen(t)
	done := make(chan error, 1)
	go func() { done <- srv.Serve(t.Context(), conn) }()
	require.NoError(t, conn.Close())
	select {
	case err := <-done:
		require.ErrorIs(t, err, net.ErrClosed)
	case <-time.After(5 * time.Second):
		require.Fail(t, "Serve goes on")
	}
}

func TestServerServeWhenConnFails(t *testing.T) {
	t.Parallel()

	srv, err := tftpd.NewServer(tftpd.FS(patterns()))
	require.NoError(t, err)
	err = srv.Serve(t.Context(), brokenConn{listen(t)})
	require.ErrorIs(t, err, io.ErrNoProgress)
}

// A brokenConn cannot be read.
type brokenConn struct{ net.PacketConn }

func (brokenConn) ReadFrom([]byte) (int, net.Addr, error) { return 0, nil, io.ErrNoProgress }

func TestServerServeReturnsNilWhenContextDone(t *testing.T) {
	t.Parallel()

	srv, err := tftpd.NewServer(tftpd.FS(patterns(5)))
	require.NoError(t, err)
	conn := listen(t)
	for range 2 { // The conn can be used again.
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- srv.Serve(ctx, conn) }()
		_, err = tftpclient.Client{}.Get(ctx, conn.LocalAddr().String(), "5", io.Discard)
		require.NoError(t, err)
		cancel()
		require.NoError(t, <-done)
	}
}

func TestServerServeFinishesTransfersAfterContextDone(t *testing.T) {
	t.Parallel()

	srv, err := tftpd.NewServer(tftpd.FS(patterns(600)))
	require.NoError(t, err)
	conn := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, conn) }()
	s := newSocket(t)
	s.send(netip.MustParseAddrPort(conn.LocalAddr().String()), rrq("600"))
	_, from := s.read(5 * time.Second)
	cancel()
	s.send(from, "\x00\x04\x00\x01")
	s.want("\x00\x03\x00\x02" + string(pattern(600)[512:]))
	select {
	case <-done:
		require.Fail(t, "Serve did not wait for the transfer")
	default:
	}
	s.send(from, "\x00\x04\x00\x02")
	require.NoError(t, <-done)
}

func TestServerServeEndsTransfersAfterGracePeriod(t *testing.T) {
	t.Parallel()

	ended := make(chan tftpd.Transfer, 1)
	srv, err := tftpd.NewServer(tftpd.FS(patterns(5000)), tftpd.WithGracePeriod(50*time.Millisecond),
		tftpd.WithTransferFunc(func(tr tftpd.Transfer) { ended <- tr }))
	require.NoError(t, err)
	conn := listen(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, conn) }()
	s := newSocket(t)
	s.send(netip.MustParseAddrPort(conn.LocalAddr().String()), rrq("5000", "blksize", "600"))
	_, from := s.read(5 * time.Second)
	s.send(from, "\x00\x04\x00\x00")
	s.read(5 * time.Second)
	cancel()
	start := time.Now()
	require.NoError(t, <-done)
	assert.Less(t, time.Since(start), 2*time.Second)
	require.ErrorContains(t, (<-ended).Err, "shutting down")
	for {
		got, _ := s.read(5 * time.Second)
		if strings.HasPrefix(got, "\x00\x03") {
			continue // A repetition.
		}
		assert.Equal(t, "\x00\x05\x00\x00transfer failed\x00", got)
		break
	}
}

func TestServerServeSurvivesSlowHandler(t *testing.T) {
	t.Parallel()

	release := make(chan struct{})
	h := tftpd.HandlerFunc(func(ctx context.Context, name string, peer netip.AddrPort) (tftpd.File, error) {
		if name == "slow" {
			select {
			case <-release:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
		}
		return strings.NewReader(name), nil
	})
	srv := startHandler(t, h)
	s := newSocket(t)
	s.send(srv.port, rrq("slow"))
	_, err := tftpclient.Client{}.Get(t.Context(), srv.addr, "fast", io.Discard)
	require.NoError(t, err)
	s.send(srv.port, rrq("slow")) // The client's patience is at an end.
	close(release)
	from := s.want("\x00\x03\x00\x01slow")
	s.send(from, "\x00\x04\x00\x01")
	require.NoError(t, srv.next(t).Err)
	require.NoError(t, srv.next(t).Err)
}

func TestServerListenAndServe(t *testing.T) {
	t.Parallel()

	srv, err := tftpd.NewServer(tftpd.FS(patterns()))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, srv.ListenAndServe(ctx, "127.0.0.1:0"))
	require.ErrorContains(t, srv.ListenAndServe(t.Context(), "127.0.0.1:notaport"), "tftpd: ")
}
