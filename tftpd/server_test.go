package tftpd_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tftpclient"
	"github.com/netbootkit/netbootkit/tftpd"
)

func TestServerServe(t *testing.T) {
	t.Parallel()

	sizes := []int{0, 1, 511, 512, 513, 1467, 1468, 1469, 14680, 1 << 20}
	clients := map[string]tftpclient.Client{
		"plain":           {},
		"size":            {Size: true},
		"block":           {BlockSize: 1468, Size: true},
		"block too large": {BlockSize: 65464},
		"small block":     {BlockSize: 100},
		"timeout":         {Timeout: 3, BlockSize: 1024},
		"window":          {Window: 4, BlockSize: 1468, Size: true},
		"window of 512":   {Window: 64},
		"window alone":    {Window: 2},
		"everything":      {Window: 16, BlockSize: 700, Size: true, Timeout: 1},
	}
	srv := start(t, patterns(sizes...))
	for name, client := range clients {
		for _, size := range sizes {
			t.Run(fmt.Sprintf("%s/%d", name, size), func(t *testing.T) {
				t.Parallel()

				var got bytes.Buffer
				res, err := client.Get(t.Context(), srv.addr, fmt.Sprint(size), &got)
				require.NoError(t, err)
				require.True(t, bytes.Equal(pattern(size), got.Bytes()), "content differs")
				if client.Size {
					assert.Equal(t, int64(size), res.Options["tsize"])
				}
			})
		}
	}
}

// pattern returns n bytes that repeat at no power of two.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return b
}

// patterns has a file of pattern for each size, named after it.
func patterns(sizes ...int) fstest.MapFS {
	m := fstest.MapFS{}
	for _, n := range sizes {
		m[fmt.Sprint(n)] = &fstest.MapFile{Data: pattern(n)}
	}
	return m
}

// A server is one that runs until its test ends.
type server struct {
	addr string
	port netip.AddrPort

	mu    sync.Mutex
	ended []tftpd.Transfer
	more  chan struct{} // receives after each end
}

func start(t *testing.T, fsys fs.FS, opts ...tftpd.Option) *server {
	t.Helper()
	return startHandler(t, tftpd.FS(fsys), opts...)
}

func startHandler(t *testing.T, h tftpd.Handler, opts ...tftpd.Option) *server {
	t.Helper()
	s := &server{more: make(chan struct{}, 10_000)}
	opts = append([]tftpd.Option{tftpd.WithTransferFunc(s.end), tftpd.WithMaxTransfersPerClient(512)}, opts...)
	srv, err := tftpd.NewServer(h, opts...)
	require.NoError(t, err)
	conn := listen(t)
	s.addr = conn.LocalAddr().String()
	s.port = netip.MustParseAddrPort(s.addr)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, conn) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
	})
	return s
}

func (s *server) end(tr tftpd.Transfer) {
	s.mu.Lock()
	s.ended = append(s.ended, tr)
	s.mu.Unlock()
	s.more <- struct{}{}
}

// next waits for the end of one more transfer.
func (s *server) next(t *testing.T) tftpd.Transfer {
	t.Helper()
	select {
	case <-s.more:
	case <-time.After(20 * time.Second):
		require.Fail(t, "no transfer ended")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tr := s.ended[0]
	s.ended = s.ended[1:]
	return tr
}

func listen(t *testing.T) net.PacketConn {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
