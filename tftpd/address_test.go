package tftpd_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tftpclient"
	"github.com/netbootkit/netbootkit/tftpd"
)

// TestServerServeAnswersFromTheAddressAsked: a host with several addresses
// must answer from the one that was asked, or clients take it for a stranger.
func TestServerServeAnswersFromTheAddressAsked(t *testing.T) {
	t.Parallel()

	if runtime.GOOS != "linux" {
		t.Skip("only Linux has all of 127.0.0.0/8 without set-up")
	}
	for listen, asked := range map[string][]string{
		"udp4 0.0.0.0:0":   {"127.0.0.1", "127.0.0.2", "127.1.2.3"},
		"udp [::]:0":       {"127.0.0.1", "127.0.0.2", "::1"},
		"udp4 127.0.0.4:0": {"127.0.0.4"},
		"udp6 [::1]:0":     {"::1"},
	} {
		t.Run(listen, func(t *testing.T) {
			t.Parallel()

			var network, addr string
			_, err := fmt.Sscan(listen, &network, &addr)
			require.NoError(t, err)
			conn, err := new(net.ListenConfig).ListenPacket(t.Context(), network, addr)
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			_, port, err := net.SplitHostPort(conn.LocalAddr().String())
			require.NoError(t, err)
			serve(t, conn)
			for _, ip := range asked {
				for _, c := range []tftpclient.Client{{}, {BlockSize: 1000}, {Window: 4}} {
					var got bytes.Buffer
					_, err := c.Get(t.Context(), net.JoinHostPort(ip, port), "2000", &got) // It refuses other addresses.
					require.NoError(t, err)
					assert.Equal(t, pattern(2000), got.Bytes())
				}
				var told *tftpclient.Error
				_, err := tftpclient.Client{Tries: 2}.Get(t.Context(), net.JoinHostPort(ip, port), "none", new(bytes.Buffer))
				require.ErrorAs(t, err, &told, "refusals come from the address asked, too")
			}
		})
	}
}

// serve serves some files on conn until the test ends.
func serve(t *testing.T, conn net.PacketConn) {
	t.Helper()
	srv, err := tftpd.NewServer(tftpd.FS(patterns(0, 2000)), tftpd.WithTimeout(200*time.Millisecond))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, conn) }()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-done)
	})
}
