package dhcpproxy_test

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

// listenLoopback opens a UDPConn on a free port and a socket to talk to it.
func listenLoopback(t *testing.T) (*dhcpproxy.UDPConn, *net.UDPConn, netip.AddrPort) {
	t.Helper()
	conn, err := dhcpproxy.Listen(t.Context(), 0)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	peer, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { peer.Close() })
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(10*time.Second)))
	require.NoError(t, peer.SetReadDeadline(time.Now().Add(10*time.Second)))

	peerAddr := peer.LocalAddr().(*net.UDPAddr).AddrPort()
	require.NoError(t, conn.WritePacket([]byte("hello"), dhcpproxy.Path{Remote: peerAddr}))
	_, own, err := peer.ReadFromUDPAddrPort(make([]byte, 10))
	require.NoError(t, err)
	return conn, peer, own
}

func TestUDPConnReadPacket(t *testing.T) {
	t.Parallel()

	conn, peer, own := listenLoopback(t)
	const packets = 100 // More than one system call moves.
	for n := range byte(packets) {
		_, err := peer.WriteToUDPAddrPort([]byte{n, 1, 2}[:1+n%3], own)
		require.NoError(t, err)
	}
	buf := make([]byte, 10)
	for n := range byte(packets) {
		got, path, err := conn.ReadPacket(buf)
		require.NoError(t, err)
		assert.Equal(t, []byte{n, 1, 2}[:1+n%3], buf[:got])
		assert.Equal(t, peer.LocalAddr().String(), path.Remote.String())
		assert.Equal(t, own.Port(), path.Local.Port())
		if runtime.GOOS == "linux" {
			assert.Equal(t, own, path.Local)
			assert.NotZero(t, path.Interface)
		}
	}
	require.NoError(t, conn.SetReadDeadline(time.Unix(1, 0)))
	_, _, err := conn.ReadPacket(buf)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.NoError(t, conn.Close())
	_, _, err = conn.ReadPacket(buf)
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestUDPConnWritePacketFromMany(t *testing.T) {
	t.Parallel()

	conn, peer, _ := listenLoopback(t)
	to := dhcpproxy.Path{Remote: peer.LocalAddr().(*net.UDPAddr).AddrPort()}
	bad := to
	bad.Remote = netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), 0)

	const writers = 120
	var group sync.WaitGroup
	for n := range byte(writers) {
		group.Go(func() {
			if n%3 == 0 {
				assert.Error(t, conn.WritePacket([]byte{n}, bad), "its own failure")
			} else {
				assert.NoError(t, conn.WritePacket([]byte{n}, to), "nobody else's")
			}
		})
	}
	group.Wait()
	seen := map[byte]bool{}
	for range writers * 2 / 3 {
		b := make([]byte, 2)
		n, err := peer.Read(b)
		require.NoError(t, err)
		require.Equal(t, 1, n)
		seen[b[0]] = true
	}
	assert.Len(t, seen, writers*2/3, "each arrives once")
}
