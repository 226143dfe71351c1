package tftpd_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pin/tftp/v3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tftpclient"
)

// The tests in this file put the same packets to pin/tftp as it is and to a
// Server. Each first shows the defect of the library, so that none of them can
// pass because of how it asks; should a later version of the library mend one,
// the test says so.

// A raw is pin/tftp without a guard.
type raw struct {
	addr   netip.AddrPort
	panics chan any
}

func startRaw(t *testing.T, configure func(*tftp.Server)) raw {
	t.Helper()
	r := raw{panics: make(chan any, 10)}
	files := patterns(0, 600, 5000)
	srv := tftp.NewServer(func(name string, rf io.ReaderFrom) error {
		defer func() {
			if p := recover(); p != nil {
				r.panics <- p
			}
		}()
		if name == "fails" {
			_, err := rf.ReadFrom(failing{})
			return err
		}
		f, ok := files[name]
		if !ok {
			return &os.PathError{Op: "open", Path: "/srv/secret/" + name, Err: os.ErrNotExist}
		}
		_, err := rf.ReadFrom(strings.NewReader(string(f.Data)))
		return err
	}, nil)
	srv.SetTimeout(50 * time.Millisecond)
	srv.SetBackoff(func(int) time.Duration { return 0 })
	if configure != nil {
		configure(srv)
	}
	conn := listen(t)
	r.addr = netip.MustParseAddrPort(conn.LocalAddr().String())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(conn)
	}()
	t.Cleanup(func() {
		srv.Shutdown()
		<-done
	})
	return r
}

// panicked waits for the handler to recover.
func (r raw) panicked(t *testing.T) string {
	t.Helper()
	select {
	case p := <-r.panics:
		return fmt.Sprint(p)
	case <-time.After(5 * time.Second):
		return ""
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("disk failed") }

func TestGuardAnswersRight(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name, request string
		raw, guarded  string // the first reply
	}{
		{"options in capitals", rrq("600", "TSIZE", "0"), "\x00\x03\x00\x01" + string(pattern(600)[:512]), "\x00\x06tsize\x00600\x00"},
		{"small block", rrq("600", "blksize", "100"), "\x00\x03\x00\x01" + string(pattern(600)[:512]), "\x00\x06blksize\x00100\x00"},
		{"size of an empty file", rrq("0", "tsize", "0"), "\x00\x03\x00\x01", "\x00\x06tsize\x000\x00"},
		{"timeout", rrq("0", "timeout", "2"), "\x00\x03\x00\x01", "\x00\x06timeout\x002\x00"},
		{"window", rrq("0", "windowsize", "4"), "\x00\x03\x00\x01", "\x00\x06windowsize\x004\x00"},
		{"mode in capitals", "\x00\x010\x00MAIL\x00", "\x00\x03\x00\x01", "\x00\x05\x00\x04illegal operation\x00"},
		{"path in the error", rrq("none"), "\x00\x05\x00\x01open /srv/secret/none: file does not exist\x00", "\x00\x05\x00\x01file not found\x00"},
		{"write", "\x00\x02x\x00octet\x00", "\x00\x05\x00\x01server does not support write requests\x00", "\x00\x05\x00\x02access violation\x00"},
		{"leading slash", rrq("/0"), "\x00\x05\x00\x01open /srv/secret//0: file does not exist\x00", "\x00\x03\x00\x01"},
	}
	unguarded, srv := startRaw(t, nil), start(t, patterns(0, 600))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			s := newSocket(t)
			s.send(unguarded.addr, tt.request)
			s.want(tt.raw)
			s = newSocket(t)
			s.send(srv.port, tt.request)
			s.want(tt.guarded)
		})
	}
}

// TestGuardStopsOverflow: one packet ends a process that runs the library with
// a larger block size on a single port, unless its handler recovers.
func TestGuardStopsOverflow(t *testing.T) {
	t.Parallel()

	packet := func(n int) string { return rrq("600", "tsize", strings.Repeat("1", n), "blksize", "1024") }
	unguarded := startRaw(t, func(s *tftp.Server) {
		s.EnableSinglePort()
		s.SetBlockSizeNegotiation(false)
		s.SetBlockSize(1468)
	})
	s := newSocket(t)
	s.send(unguarded.addr, packet(1300))
	assert.Contains(t, unguarded.panicked(t), "out of range")

	srv := start(t, patterns(600))
	s = newSocket(t)
	s.send(srv.port, packet(1300)) // Too long for a request.
	s.send(srv.port, packet(450))
	s.want("\x00\x06blksize\x001024\x00")
}

// TestGuardUsesNoAnticipation: the library's own way to send ahead panics.
func TestGuardUsesNoAnticipation(t *testing.T) {
	t.Parallel()

	unguarded := startRaw(t, func(s *tftp.Server) {
		s.EnableSinglePort()
		s.SetAnticipate(16)
	})
	_, err := tftpclient.Client{}.Get(t.Context(), unguarded.addr.String(), "0", io.Discard)
	require.NoError(t, err)
	assert.Contains(t, unguarded.panicked(t), "close of closed channel")

	unguarded = startRaw(t, func(s *tftp.Server) { s.SetAnticipate(16) })
	s := newSocket(t)
	s.send(unguarded.addr, rrq("fails"))
	assert.Contains(t, unguarded.panicked(t), "nil pointer")

	// A Server's transfers, failed ones among them, are followed by others.
	srv := start(t, patterns(600, 5000))
	for range 3 {
		_, err := tftpclient.Client{}.Get(t.Context(), srv.addr, "5000", io.Discard)
		require.NoError(t, err)
		require.NoError(t, srv.next(t).Err)
	}
}

// TestGuardStopsSpin: TestServerServeWhenConnIsClosed is the other half.
func TestGuardStopsSpin(t *testing.T) {
	t.Parallel()

	var failures atomic.Int64
	srv := tftp.NewServer(nil, nil)
	srv.SetHook(hook{func() { failures.Add(1) }})
	conn := listen(t)
	wrapped := struct{ net.PacketConn }{conn} // Any guard's conn is one.
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(wrapped)
	}()
	require.NoError(t, conn.Close())
	require.Eventually(t, func() bool { return failures.Load() > 1000 }, 5*time.Second, time.Millisecond)
	srv.Shutdown()
	<-done
}

type hook struct{ failed func() }

func (h hook) OnSuccess(tftp.TransferStats)        {}
func (h hook) OnFailure(tftp.TransferStats, error) { h.failed() }

// TestGuardAnswersNoError: TestServerServeWhenClientAborts is the other half.
func TestGuardAnswersNoError(t *testing.T) {
	t.Parallel()

	s := newSocket(t)
	s.send(startRaw(t, nil).addr, rrq("5000", "tsize", "0"))
	_, from := s.read(5 * time.Second)
	s.send(from, "\x00\x05\x00\x08stop\x00")
	for {
		got, _ := s.read(5 * time.Second)
		if strings.HasPrefix(got, "\x00\x06") {
			continue // A repetition.
		}
		require.True(t, strings.HasPrefix(got, "\x00\x05\x00\x01"), "%q", got)
		break
	}
}

// TestGuardSendsLittleToStrangers: TestServerServeAmplification is the other half.
func TestGuardSendsLittleToStrangers(t *testing.T) {
	t.Parallel()

	s := newSocket(t)
	s.send(startRaw(t, nil).addr, rrq("5000"))
	blocks := 0
	for {
		got, _ := s.read(5 * time.Second)
		if !strings.HasPrefix(got, "\x00\x03") {
			break // The library gives up with an ERROR.
		}
		blocks++
	}
	assert.Equal(t, 6, blocks, "of 516 bytes for one request of 13")
}

// TestGuardCollapsesRepetitions: TestServerServeCollapsesRepeatedRequests is
// the other half.
func TestGuardCollapsesRepetitions(t *testing.T) {
	t.Parallel()

	unguarded := startRaw(t, nil)
	s := newSocket(t)
	s.send(unguarded.addr, rrq("5000"))
	s.send(unguarded.addr, rrq("5000"))
	_, first := s.read(5 * time.Second)
	_, second := s.read(5 * time.Second)
	assert.NotEqual(t, first, second, "two transfers for one client")
}

// TestGuardLimitsTransfers: TestServerServeLimitsTransfersPerClient is the
// other half.
func TestGuardLimitsTransfers(t *testing.T) {
	t.Parallel()

	unguarded := startRaw(t, nil)
	ports := map[netip.AddrPort]bool{}
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range 20 {
		s := newSocket(t)
		wg.Go(func() {
			_, _ = s.conn.WriteToUDPAddrPort([]byte(rrq("5000")), unguarded.addr)
			got, from := s.read(5 * time.Second)
			mu.Lock()
			defer mu.Unlock()
			ports[from] = len(got) == 516
		})
	}
	wg.Wait()
	assert.Len(t, ports, 20, "a transfer for each")
}

// TestGuardAnswersFromTheAddressAsked: TestServerServeAnswersFromTheAddressAsked
// is the other half.
func TestGuardAnswersFromTheAddressAsked(t *testing.T) {
	t.Parallel()

	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp4", "0.0.0.0:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	srv := tftp.NewServer(func(_ string, rf io.ReaderFrom) error {
		_, err := rf.ReadFrom(strings.NewReader("x"))
		return err
	}, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(struct{ net.PacketConn }{conn})
	}()
	t.Cleanup(func() {
		srv.Shutdown()
		<-done
	})
	_, port, err := net.SplitHostPort(conn.LocalAddr().String())
	require.NoError(t, err)
	s := newSocket(t)
	s.send(netip.MustParseAddrPort(net.JoinHostPort("127.0.0.2", port)), rrq("f"))
	_, from := s.read(5 * time.Second)
	s.send(from, "\x00\x04\x00\x01")
	assert.Equal(t, "127.0.0.1", from.Addr().String())
}
