package netsim_test

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/netsim"
)

func TestRelayShowsEachServerPort(t *testing.T) {
	t.Parallel()

	server, transfer, client := open(t), open(t), open(t)
	r := relay(t, server, netsim.Path{})
	write(t, client, r.Addr(), "request")
	data, from := read(t, server)
	require.Equal(t, "request", data)

	write(t, server, from, "from the port asked")
	data, peer := read(t, client)
	assert.Equal(t, "from the port asked", data)
	assert.Equal(t, r.Addr(), peer)

	write(t, transfer, from, "from a new port")
	data, peer = read(t, client)
	assert.Equal(t, "from a new port", data)
	assert.NotEqual(t, r.Addr(), peer, "a new port of the server must be a new one to the client")

	write(t, client, peer, "to the new port")
	data, back := read(t, transfer)
	assert.Equal(t, "to the new port", data)
	assert.Equal(t, from, back, "the server must see one client")

	write(t, transfer, from, "again")
	_, again := read(t, client)
	assert.Equal(t, peer, again, "the port must stay")
}

func TestRelayTellsClientsApart(t *testing.T) {
	t.Parallel()

	server, a, b := open(t), open(t), open(t)
	r := relay(t, server, netsim.Path{})
	for conn, text := range map[*net.UDPConn]string{a: "a", b: "b"} {
		write(t, conn, r.Addr(), text)
		_, from := read(t, server)
		write(t, server, from, "for "+text)
	}
	data, _ := read(t, a)
	assert.Equal(t, "for a", data)
	data, _ = read(t, b)
	assert.Equal(t, "for b", data)
}

func TestRelayLosesAndRepeats(t *testing.T) {
	t.Parallel()

	server, client := open(t), open(t)
	var received atomic.Int64
	var reader sync.WaitGroup
	reader.Go(func() {
		for buf := make([]byte, 10); ; received.Add(1) {
			if _, _, err := server.ReadFromUDPAddrPort(buf); err != nil {
				return
			}
		}
	})
	t.Cleanup(func() {
		assert.NoError(t, server.Close())
		reader.Wait()
	})
	const n, burst = 2000, 50
	r := relay(t, server, netsim.Path{Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Seed: 7})
	for sent := burst; sent <= n; sent += burst {
		for range burst {
			write(t, client, r.Addr(), "x")
		}
		// Each burst arrives before the next, so that no socket's buffer
		// overruns, however slow the machine is.
		require.Eventually(t, func() bool {
			c := r.Counts()
			return c.Passed+c.Lost == int64(sent) && received.Load() == c.Passed+c.Duplicated
		}, time.Minute, time.Millisecond, "what was sent must arrive, but for what was lost")
	}
	c := r.Counts()
	assert.InDelta(t, n/10, c.Lost, n/25)
	assert.InDelta(t, n/10, c.Duplicated, n/25)
	assert.InDelta(t, n/10, c.Reordered, n/25)
	assert.EqualValues(t, n, c.ToServer)
}

func TestRelayDelay(t *testing.T) {
	t.Parallel()

	server, client := open(t), open(t)
	const delay = 5 * time.Millisecond
	r := relay(t, server, netsim.Path{Delay: delay})
	// 4 000 packets a second, in bursts of 16 as a window of TFTP makes them.
	var late []time.Duration
	for range 100 {
		sent := time.Now()
		for range 16 {
			write(t, client, r.Addr(), "x")
		}
		for range 16 {
			read(t, server)
		}
		late = append(late, time.Since(sent)-delay)
	}
	slices.Sort(late)
	t.Logf("late by: least %v, median %v, 90%% %v, worst %v", late[0], late[50], late[90], late[99])
	assert.GreaterOrEqual(t, late[0], time.Duration(0), "too early")
	// Others may be late because the machine is busy.
	assert.Less(t, late[0], delay/2)
}

func TestRelayCloseEndsAll(t *testing.T) {
	t.Parallel()

	server, client := open(t), open(t)
	r, err := netsim.Listen(address(server), netsim.Path{Delay: time.Millisecond})
	require.NoError(t, err)
	write(t, client, r.Addr(), "x")
	read(t, server)
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(r.Addr()))
	require.NoError(t, err, "the port must be free again")
	require.NoError(t, conn.Close())
}

func relay(t *testing.T, server *net.UDPConn, p netsim.Path) *netsim.Relay {
	t.Helper()
	r, err := netsim.Listen(address(server), p)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	return r
}

func open(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func address(conn *net.UDPConn) netip.AddrPort {
	ap := conn.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

func write(t *testing.T, conn *net.UDPConn, to netip.AddrPort, data string) {
	t.Helper()
	_, err := conn.WriteToUDPAddrPort([]byte(data), to)
	require.NoError(t, err)
}

func read(t *testing.T, conn *net.UDPConn) (string, netip.AddrPort) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(5*time.Second)))
	buf := make([]byte, 2048)
	n, from, err := conn.ReadFromUDPAddrPort(buf)
	require.NoError(t, err)
	return string(buf[:n]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}
