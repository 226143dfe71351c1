package tftpd

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGuardIgnoresBroadcasts(t *testing.T) {
	t.Parallel()

	for asked, want := range map[string]int64{"127.0.0.1": 1, "255.255.255.255": 0, "224.0.0.1": 0, "ff02::1": 0} {
		var opened atomic.Int64
		srv, err := NewServer(HandlerFunc(func(context.Context, string, netip.AddrPort) (File, error) {
			opened.Add(1)
			return strings.NewReader(""), nil
		}))
		require.NoError(t, err)
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		require.NoError(t, err)
		g := newGuard(srv, newListener(conn))
		ctx, cancel := context.WithCancelCause(t.Context())
		g.handle(ctx, []byte("\x00\x01f\x00octet\x00"), addrPort(conn.LocalAddr()), netip.MustParseAddr(asked))
		cancel(errShutdown)
		g.sessions.Wait()
		assert.Equal(t, want, opened.Load(), asked)
		assert.Zero(t, g.transfers)
		assert.Empty(t, g.current)
		assert.Empty(t, g.perClient)
		require.NoError(t, conn.Close())
	}
}
