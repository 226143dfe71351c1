package dhcpproxy_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

// A frame is one packet as a client sends or sees it.
type frame struct {
	iface    string // the server's, lab0 or office0
	src, dst netip.AddrPort
	hardware [6]byte // the receiver of an answer
	payload  []byte
}

// A wire carries frames between a client and a server.
type wire interface {
	send(t *testing.T, f frame)
	receive(t *testing.T) frame
}

// testTransport has a server at the other end of w answer a client whose
// Ethernet address is hardware, and checks where each answer comes from and
// goes. The same must hold for every kind of Conn.
func testTransport(t *testing.T, w wire, hardware [6]byte) {
	t.Helper()
	everyone := [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	x64 := func() *request { return discover(pxeX64, 7) }
	tests := []struct {
		name               string
		iface, src, dst    string
		request            *request
		wantSrc, wantDst   string // none: ignored
		hardware           [6]byte
		siaddr, wantOption string
	}{
		{
			name: "broadcast", iface: "lab0", src: "0.0.0.0:68", dst: "255.255.255.255:67", request: x64(),
			wantSrc: "192.0.2.1:67", wantDst: "255.255.255.255:68", hardware: everyone, siaddr: "192.0.2.1",
		},
		{
			name: "broadcast on the other interface", iface: "office0", src: "0.0.0.0:68", dst: "255.255.255.255:67", request: x64(),
			wantSrc: "198.51.100.1:67", wantDst: "255.255.255.255:68", hardware: everyone, siaddr: "198.51.100.1",
		},
		{
			name: "network broadcast", iface: "lab0", src: "192.0.2.77:68", dst: "192.0.2.255:67", request: x64(),
			wantSrc: "192.0.2.1:67", wantDst: "255.255.255.255:68", hardware: everyone, siaddr: "192.0.2.1",
		},
		{name: "ordinary machine", iface: "lab0", src: "0.0.0.0:68", dst: "255.255.255.255:67", request: x64().setString(60, "MSFT 5.0")},
		{name: "request for a lease", iface: "lab0", src: "0.0.0.0:68", dst: "255.255.255.255:67", request: x64().set(53, 3)},
		{name: "on its way to another host", iface: "lab0", src: "192.0.2.77:67", dst: "203.0.113.1:67", request: x64()},
		{name: "stranger on 4011", iface: "lab0", src: "203.0.113.9:4011", dst: "192.0.2.1:4011", request: x64().set(53, 3)},
		{
			name: "4011", iface: "lab0", src: "192.0.2.77:4011", dst: "192.0.2.1:4011", request: x64().set(53, 3),
			wantSrc: "192.0.2.1:4011", wantDst: "192.0.2.77:4011", hardware: hardware, siaddr: "192.0.2.1",
		},
		{
			name: "4011 at the second address", iface: "lab0", src: "192.0.3.77:68", dst: "192.0.3.1:4011", request: x64().set(53, 3),
			wantSrc: "192.0.3.1:4011", wantDst: "192.0.3.77:68", hardware: hardware, siaddr: "192.0.3.1",
		},
		{
			name: "relay agent", iface: "lab0", src: "192.0.2.77:67", dst: "192.0.2.1:67",
			request: x64().set(82, 1, 3, 'p', '0', '1').with(func(r *request) { r.giaddr = [4]byte{192, 0, 2, 77} }),
			wantSrc: "192.0.2.1:67", wantDst: "192.0.2.77:67", hardware: hardware, siaddr: "192.0.2.1", wantOption: "\x01\x03p01",
		},
		{
			name: "boot item, client with an address", iface: "lab0", src: "192.0.2.77:68", dst: "255.255.255.255:67",
			request: x64().set(53, 8).set(43, 71, 4, 0, 1, 0, 0, 255).with(func(r *request) { r.ciaddr = [4]byte{192, 0, 2, 77} }),
			wantSrc: "192.0.2.1:67", wantDst: "192.0.2.77:68", hardware: hardware, siaddr: "192.0.2.1",
		},
	}
	for i, tt := range tests {
		t.Log(tt.name) // Says which one got no answer.
		tt.request.xid = uint32(i)
		w.send(t, frame{
			iface: tt.iface, src: netip.MustParseAddrPort(tt.src), dst: netip.MustParseAddrPort(tt.dst), payload: tt.request.bytes(),
		})
		if tt.wantSrc == "" {
			continue // The next answer shows that there was none.
		}
		got := w.receive(t)
		require.GreaterOrEqual(t, len(got.payload), 300)
		r := parseReply(got.payload)
		require.Equal(t, byte(i), got.payload[7], "%s: the answer is to this request", tt.name)
		assert.Equal(t, tt.iface, got.iface, tt.name)
		assert.Equal(t, tt.wantSrc, got.src.String(), tt.name)
		assert.Equal(t, tt.wantDst, got.dst.String(), tt.name)
		assert.Equal(t, tt.hardware, got.hardware, tt.name)
		assert.Equal(t, "ipxe.efi", r.file(), tt.name)
		assert.Equal(t, tt.siaddr, r.sname(), tt.name)
		assert.Equal(t, tt.wantOption, string(r.opts[82]), tt.name)
	}
}

// memoryWire is the wire without a network.
type memoryWire struct {
	conn     *memoryConn
	hardware [6]byte
}

func (w memoryWire) send(_ *testing.T, f frame) {
	index := map[string]int{"lab0": 1, "office0": 2}[f.iface]
	w.conn.in <- datagram{payload: f.payload, path: dhcpproxy.Path{Interface: index, Local: f.dst, Remote: f.src}}
}

func (w memoryWire) receive(*testing.T) frame {
	d := <-w.conn.out
	f := frame{src: d.path.Local, dst: d.path.Remote, payload: d.payload, hardware: w.hardware}
	f.iface, _, _ = w.conn.InterfaceByIndex(d.path.Interface)
	if d.path.Remote.Addr() == netip.MustParseAddr("255.255.255.255") {
		f.hardware = [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	return f
}

func TestTransportMemory(t *testing.T) {
	t.Parallel()

	_, conn := serve(t, program("ipxe.efi"), dhcpproxy.WithRateLimit(0, 1))
	testTransport(t, memoryWire{conn, [6]byte{2}}, [6]byte{2})
}
