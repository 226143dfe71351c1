package dhcpproxy_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

const namespaceVariable = "NETBOOTKIT_TEST_NAMESPACE"

// inNamespace runs the calling test a second time, in a process that has a
// network namespace to itself, and returns false; in that process it returns
// true. The namespace ends with the process.
func inNamespace(t *testing.T) bool {
	t.Helper()
	oracle.Root(t)
	oracle.Need(t, "ip")
	if os.Getenv(namespaceVariable) != "" {
		return true
	}
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=60s")
	cmd.Env = append(os.Environ(), namespaceVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	return false
}

// run runs a command that must succeed.
func run(t *testing.T, line string) {
	t.Helper()
	args := strings.Fields(line)
	oracle.Run(t, args[0], args[1:]...)
}

// buildLab makes the interfaces that memoryConn describes. Each is one end of
// a cable; the client has the other end, lab1 and office1.
func buildLab(t *testing.T) *cable {
	t.Helper()
	run(t, "ip link set lo up")
	for _, name := range []string{"lab", "office"} {
		run(t, "ip link add "+name+"0 type veth peer name "+name+"1")
		run(t, "ip link set "+name+"0 up")
		run(t, "ip link set "+name+"1 up")
	}
	for _, a := range []string{"169.254.7.7/16 dev lab0", "192.0.2.1/24 dev lab0", "192.0.3.1/24 dev lab0", "198.51.100.1/24 dev office0"} {
		run(t, "ip addr add "+a)
	}
	lab1, err := net.InterfaceByName("lab1")
	require.NoError(t, err)
	for _, a := range []string{"192.0.2.77", "192.0.3.77"} {
		run(t, "ip neigh add "+a+" lladdr "+lab1.HardwareAddr.String()+" dev lab0")
	}
	return newCable(t, [6]byte(lab1.HardwareAddr))
}

// A cable is the wire of real interfaces: it sends and sees Ethernet frames.
type cable struct {
	fd       int
	hardware [6]byte
	index    map[string]int    // by the server's interface
	server   map[int]string    // the server's interface, by index
	mac      map[string][]byte // the server's address
	badSum   bool              // send wrong UDP checksums, as some virtual machines do
}

func newCable(t *testing.T, hardware [6]byte) *cable {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, int(binary.NativeEndian.Uint16([]byte{0, unix.ETH_P_ALL})))
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	require.NoError(t, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: 5}))
	c := &cable{fd: fd, hardware: hardware, index: map[string]int{}, server: map[int]string{}, mac: map[string][]byte{}}
	for _, name := range []string{"lab", "office"} {
		client, err := net.InterfaceByName(name + "1")
		require.NoError(t, err)
		server, err := net.InterfaceByName(name + "0")
		require.NoError(t, err)
		c.index[server.Name], c.server[client.Index], c.mac[server.Name] = client.Index, server.Name, server.HardwareAddr
	}
	return c
}

func (c *cable) send(t *testing.T, f frame) {
	t.Helper()
	to := c.mac[f.iface]
	if a := f.dst.Addr().As4(); a[3] == 255 {
		to = []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	b := append(append(append([]byte{}, to...), c.hardware[:]...), 8, 0)
	ip := []byte{0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0}
	binary.BigEndian.PutUint16(ip[2:], uint16(28+len(f.payload)))
	ip = append(append(ip, f.src.Addr().AsSlice()...), f.dst.Addr().AsSlice()...)
	var sum uint32
	for i := 0; i < len(ip); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(ip[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(ip[10:], ^uint16(sum))
	b = append(b, ip...)
	b = binary.BigEndian.AppendUint16(b, f.src.Port())
	b = binary.BigEndian.AppendUint16(b, f.dst.Port())
	b = binary.BigEndian.AppendUint16(b, uint16(8+len(f.payload)))
	if c.badSum {
		b = append(b, 0xba, 0xad)
	} else {
		b = append(b, 0, 0)
	}
	b = append(b, f.payload...)
	require.NoError(t, unix.Sendto(c.fd, b, 0, &unix.SockaddrLinklayer{Ifindex: c.index[f.iface]}))
}

// receive returns the next answer that reaches the client.
func (c *cable) receive(t *testing.T) frame {
	t.Helper()
	for {
		b := make([]byte, 2048)
		n, from, err := unix.Recvfrom(c.fd, b, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		require.NoError(t, err, "no answer")
		ll := from.(*unix.SockaddrLinklayer)
		iface, ok := c.server[ll.Ifindex]
		if b = b[:n]; !ok || ll.Pkttype == unix.PACKET_OUTGOING || n < 42 || b[12] != 8 || b[13] != 0 || b[23] != 17 {
			continue
		}
		addr := func(at, port int) netip.AddrPort {
			return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[at:at+4])), binary.BigEndian.Uint16(b[port:]))
		}
		return frame{iface: iface, src: addr(26, 34), dst: addr(30, 36), hardware: [6]byte(b[:6]), payload: b[42:]}
	}
}

// serveConns serves each conn until the test ends.
func serveConns(t *testing.T, srv *dhcpproxy.Server, conns ...dhcpproxy.Conn) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	for _, conn := range conns {
		go func() { done <- srv.Serve(ctx, conn) }()
	}
	t.Cleanup(func() {
		cancel()
		for range conns {
			assert.NoError(t, <-done)
		}
	})
}

func newServer(t *testing.T, opts ...dhcpproxy.Option) *dhcpproxy.Server {
	t.Helper()
	srv, err := dhcpproxy.NewServer(program("ipxe.efi"), append(opts, dhcpproxy.WithRateLimit(0, 1))...)
	require.NoError(t, err)
	return srv
}

func TestTransportUDP(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	c := buildLab(t)
	dhcp, err := dhcpproxy.Listen(t.Context(), 67)
	require.NoError(t, err)
	t.Cleanup(func() { dhcp.Close() })
	boot, err := dhcpproxy.Listen(t.Context(), 4011)
	require.NoError(t, err)
	t.Cleanup(func() { boot.Close() })
	serveConns(t, newServer(t), dhcp, boot)
	testTransport(t, c, c.hardware)

	_, err = dhcpproxy.Listen(t.Context(), 67)
	require.ErrorIs(t, err, unix.EADDRINUSE)
	assert.ErrorContains(t, err, "UDP port 67 is taken by another DHCP or boot server on this host")
}

func TestTransportPacket(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	c := buildLab(t)
	c.badSum = true
	dhcp, err := dhcpproxy.ListenPacket(t.Context(), 67)
	require.NoError(t, err)
	t.Cleanup(func() { dhcp.Close() })
	boot, err := dhcpproxy.ListenPacket(t.Context(), 4011)
	require.NoError(t, err)
	t.Cleanup(func() { boot.Close() })
	serveConns(t, newServer(t), dhcp, boot)
	testTransport(t, c, c.hardware)
}

func TestTransportPacketUnicastFrames(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	c := buildLab(t)
	conn, err := dhcpproxy.ListenPacket(t.Context(), 67)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	serveConns(t, newServer(t, dhcpproxy.WithPacketSocket(), dhcpproxy.WithUnicastFrames()), conn)
	c.send(t, frame{iface: "lab0", src: onPort67.Remote, dst: onPort67.Local, payload: discover(pxeX64, 7).bytes()})
	got := c.receive(t)
	assert.Equal(t, [6]byte(testMAC), got.hardware)
	assert.Equal(t, "255.255.255.255:68", got.dst.String())
}

// A DHCP server has port 67 on this host. The packet socket works beside it,
// and the client sees both answers.
func TestTransportPacketBesideDHCPServer(t *testing.T) {
	t.Parallel()
	dnsmasq := oracle.Need(t, "dnsmasq")
	if !inNamespace(t) {
		return
	}
	c := buildLab(t)
	cmd := exec.CommandContext(t.Context(), dnsmasq, "--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null", "--user=root",
		"--port=0", "--bind-interfaces", "--interface=lab0", "--except-interface=lo", "--dhcp-range=192.0.2.100,192.0.2.150",
		"--pid-file=", "--no-ping", "--dhcp-leasefile="+filepath.Join(t.TempDir(), "leases"))
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	for lines := bufio.NewScanner(stderr); lines.Scan() && !strings.Contains(lines.Text(), "DHCP, sockets bound"); {
		t.Log(lines.Text())
	}

	srv := newServer(t, dhcpproxy.WithPacketSocket())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- srv.ListenAndServe(ctx) }()
	require.Eventually(t, func() bool { // Port 4011 is opened first, the packet socket with it.
		c.send(t, frame{iface: "lab0", src: onPort67.Remote, dst: onPort67.Local, payload: asking(9)})
		return srv.Stats().Offers > 0
	}, 5*time.Second, 20*time.Millisecond)

	proxy, lease := false, false
	for !proxy || !lease {
		got := c.receive(t)
		offered := netip.AddrFrom4([4]byte(got.payload[16:20]))
		if offered.IsUnspecified() {
			assert.Equal(t, "ipxe.efi", parseReply(got.payload).file())
			proxy = true
		} else {
			lease = true
		}
	}
	cancel()
	require.NoError(t, <-done)
}

func TestServerListenAndServeWhenPortTaken(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	run(t, "ip link set lo up")
	taken, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp4", ":67")
	require.NoError(t, err)
	defer taken.Close()
	err = newServer(t).ListenAndServe(t.Context())
	require.ErrorIs(t, err, unix.EADDRINUSE)
	var opErr *dhcpproxy.Error
	require.ErrorAs(t, err, &opErr)
	assert.Equal(t, "listen", opErr.Op)

	boot, err := dhcpproxy.Listen(t.Context(), 4011)
	require.NoError(t, err, "nothing was left open")
	boot.Close()
}

func TestConnsClosedWhileReading(t *testing.T) {
	t.Parallel()
	if !inNamespace(t) {
		return
	}
	run(t, "ip link set lo up")
	udp, err := dhcpproxy.Listen(t.Context(), 67)
	require.NoError(t, err)
	packet, err := dhcpproxy.ListenPacket(t.Context(), 67)
	require.NoError(t, err)
	for _, conn := range []interface {
		dhcpproxy.Conn
		Close() error
	}{udp, packet} {
		done := make(chan error)
		go func() { done <- newServer(t).Serve(t.Context(), conn) }()
		require.NoError(t, conn.Close())
		err := <-done
		assert.True(t, errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrClosed), "a closed socket ends Serve at once: %v", err)
	}
}
