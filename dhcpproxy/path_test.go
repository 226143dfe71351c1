package dhcpproxy_test

import (
	"context"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

func TestServerServeDestination(t *testing.T) {
	t.Parallel()

	path := func(iface int, local, remote string) dhcpproxy.Path {
		return dhcpproxy.Path{Interface: iface, Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote)}
	}
	x64 := func() *request { return discover(pxeX64, 7) }
	inform := func() *request { return x64().set(53, 8).set(43, 71, 4, 0, 1, 0, 0, 255) }
	relayed := func(giaddr ...byte) *request {
		return x64().with(func(r *request) { r.giaddr, r.hops = [4]byte(giaddr), 1 })
	}
	tests := []struct {
		name      string
		request   *request
		via, want dhcpproxy.Path
		server    string // siaddr; option 54 too unless id is set
		id        string
		flags     byte
		opts      []dhcpproxy.Option
	}{
		{
			name: "no address yet", request: x64(), server: "192.0.2.1", flags: 0x80,
			via: onPort67, want: path(1, "192.0.2.1:67", "255.255.255.255:68"),
		},
		{
			name: "client's port is not 68", request: x64(), server: "192.0.2.1", flags: 0x80,
			via: path(1, "255.255.255.255:67", "0.0.0.0:4711"), want: path(1, "192.0.2.1:67", "255.255.255.255:68"),
		},
		{
			name: "other interface", request: x64(), server: "198.51.100.1", flags: 0x80,
			via: path(2, "255.255.255.255:67", "0.0.0.0:68"), want: path(2, "198.51.100.1:67", "255.255.255.255:68"),
		},
		{
			name: "network broadcast", request: x64(), server: "192.0.2.1", flags: 0x80,
			via: path(1, "192.0.2.255:67", "0.0.0.0:68"), want: path(1, "192.0.2.1:67", "255.255.255.255:68"),
		},
		{
			name: "advertised address that is not ours", request: x64(), server: "203.0.113.80", flags: 0x80,
			via: onPort67, want: path(1, "192.0.2.1:67", "255.255.255.255:68"),
			opts: []dhcpproxy.Option{dhcpproxy.WithAdvertise(netip.MustParseAddr("203.0.113.80"))},
		},
		{
			name: "advertised address that is ours", request: x64(), server: "192.0.3.1", flags: 0x80,
			via: onPort67, want: path(1, "192.0.3.1:67", "255.255.255.255:68"),
			opts: []dhcpproxy.Option{dhcpproxy.WithAdvertise(netip.MustParseAddr("192.0.3.1"))},
		},
		{
			name: "interface without address, one advertised", request: x64(), server: "203.0.113.80", flags: 0x80,
			via:  path(3, "255.255.255.255:67", "0.0.0.0:68"),
			want: dhcpproxy.Path{Interface: 3, Local: netip.AddrPortFrom(netip.Addr{}, 67), Remote: netip.MustParseAddrPort("255.255.255.255:68")},
			opts: []dhcpproxy.Option{dhcpproxy.WithAdvertise(netip.MustParseAddr("203.0.113.80"))},
		},
		{
			name: "has its address", server: "192.0.3.1",
			request: inform().with(func(r *request) { r.ciaddr = [4]byte{192, 0, 3, 9} }),
			via:     path(1, "255.255.255.255:67", "192.0.3.9:68"), want: path(1, "192.0.3.1:67", "192.0.3.9:68"),
		},
		{
			name: "claims an address that it does not use", server: "192.0.3.1", flags: 0x80,
			request: inform().with(func(r *request) { r.ciaddr = [4]byte{192, 0, 3, 9} }),
			via:     path(1, "255.255.255.255:67", "192.0.3.10:68"), want: path(1, "192.0.3.1:67", "255.255.255.255:68"),
		},
		{
			name: "4011", request: x64().set(53, 3), server: "192.0.2.1",
			via: onPort4011, want: path(1, "192.0.2.1:4011", "192.0.2.77:4011"),
		},
		{
			name: "4011 from a bios rom's port, second address", request: x64().set(53, 3), server: "192.0.3.1",
			via: path(1, "192.0.3.1:4011", "192.0.3.77:68"), want: path(1, "192.0.3.1:4011", "192.0.3.77:68"),
		},
		{
			name: "4011 from another of our networks", request: x64().set(53, 3), server: "192.0.2.1",
			via: path(1, "192.0.2.1:4011", "198.51.100.7:4011"), want: path(0, "192.0.2.1:4011", "198.51.100.7:4011"),
		},
		{
			name: "4011 by broadcast from no address", request: x64().set(53, 3), server: "192.0.2.1", flags: 0x80,
			via: path(1, "255.255.255.255:4011", "0.0.0.0:68"), want: path(1, "192.0.2.1:4011", "255.255.255.255:68"),
		},
		{
			name: "relay on a network of ours", request: relayed(192, 0, 3, 254), server: "192.0.3.1",
			via: path(1, "192.0.3.1:67", "192.0.3.254:67"), want: path(1, "192.0.3.1:67", "192.0.3.254:67"),
		},
		{
			name: "relay beyond a router", request: relayed(10, 1, 0, 1), server: "192.0.2.1",
			via: path(1, "192.0.2.1:67", "10.9.9.9:67"), want: path(0, "192.0.2.1:67", "10.1.0.1:67"),
		},
		{
			name: "relay that wants to be asked", request: relayed(10, 1, 0, 1).set(82, 11, 4, 10, 1, 0, 3),
			server: "192.0.2.1", id: "10.1.0.3",
			via: path(1, "192.0.2.1:67", "10.1.0.1:67"), want: path(0, "192.0.2.1:67", "10.1.0.1:67"),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			e := make(events, 10)
			_, conn := serve(t, program("ipxe.efi"), append(tt.opts, e.option())...)
			ev, d := conn.send(t, e, tt.request.bytes(), tt.via)
			require.NotNil(t, d, "%+v", ev)
			assert.Equal(t, tt.want, d.path)
			r := parseReply(d.payload)
			id := tt.id
			if id == "" {
				id = tt.server
			}
			assert.Equal(t, netip.MustParseAddr(tt.server).AsSlice(), d.payload[20:24], "siaddr")
			assert.Equal(t, netip.MustParseAddr(id).AsSlice(), r.opts[54], "option 54")
			assert.Equal(t, tt.server, r.sname())
			assert.Equal(t, tt.request.giaddr[:], d.payload[24:28], "giaddr is copied")
			assert.Equal(t, tt.flags, d.payload[10], "flags")
			assert.Equal(t, byte(0), d.payload[3], "hops")
		})
	}
}

func TestServerServeEchoesRelayAgentInformation(t *testing.T) {
	t.Parallel()

	// Sub-options 1 and 5, and more bytes than one option holds.
	info := append([]byte{1, 4, 'e', 't', 'h', '0', 5, 4, 10, 1, 0, 0, 151, 0, 255}, make([]byte, 235)...)
	for _, giaddr := range [][4]byte{{192, 0, 2, 254}, {}} { // With and without a relay: switches add it too.
		e := make(events, 10)
		_, conn := serve(t, program("ipxe.efi"), e.option())
		r := discover(pxeX64, 7).set(82, info...).set(12, 'x')
		r.giaddr, r.flags = giaddr, 0x8000
		ev, d := conn.send(t, e, r.bytes(), onPort67)
		require.NotNil(t, d, "%+v", ev)
		got := parseReply(d.payload)
		assert.Equal(t, byte(82), got.codes[len(got.codes)-1], "last")
		assert.Equal(t, info, got.opts[82], "verbatim")
		assert.Equal(t, byte(0x80), d.payload[10], "flags are the client's")
	}
}

func TestServerServeUnicastFrames(t *testing.T) {
	t.Parallel()

	e := make(events, 10)
	_, conn := serve(t, program("ipxe.efi"), e.option(), dhcpproxy.WithPacketSocket(), dhcpproxy.WithUnicastFrames())
	_, d := conn.send(t, e, discover(pxeX64, 7).bytes(), onPort67)
	require.NotNil(t, d)
	assert.Equal(t, [6]byte(testMAC), d.path.Hardware)
}

func TestServerServeTellsHandler(t *testing.T) {
	t.Parallel()

	var got *dhcpproxy.Request
	h := dhcpproxy.HandlerFunc(func(_ context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
		got = req
		return nil, nil
	})
	e := make(events, 10)
	_, conn := serve(t, h, e.option())
	r := discover(pxeX64, 7).set(12, []byte("node7\x00")...).setString(77, "iPXE").set(175, ipxeFeatures...).
		set(43, 71, 4, 0, 5, 0, 2, 255).set(93, 0x4e, 0x20, 0, 7)
	r.giaddr = [4]byte{192, 0, 2, 254}
	ev, _ := conn.send(t, e, r.bytes(), onPort67)
	assert.Equal(t, dhcpproxy.ReasonDeclined, ev.Reason)
	require.NoError(t, ev.Err, "a nil Offer is no failure")

	require.NotNil(t, got)
	assert.Equal(t, testMAC, got.MAC)
	assert.Equal(t, "3210547689abcdef", string(got.UUID[:]))
	assert.Equal(t, []dhcpproxy.Arch{20000, 7}, got.Archs)
	assert.Equal(t, dhcpproxy.ArchX64EFI, got.Arch)
	assert.Equal(t, dhcpproxy.ClientIPXE, got.Client)
	assert.Equal(t, pxeX64, got.VendorClass)
	assert.Equal(t, []string{"iPXE"}, got.UserClasses)
	assert.Equal(t, dhcpproxy.Features{
		Present: true, Version: "1.21.1", HTTP: true, TFTP: true, EFI: true, Menu: true,
	}, got.Features)
	assert.Equal(t, "node7", got.Hostname)
	assert.Equal(t, &dhcpproxy.BootItem{Type: 5, Layer: 2}, got.BootItem)
	assert.Equal(t, netip.MustParseAddr("192.0.2.254"), got.Relay)
	assert.Equal(t, "lab0", got.Interface)
	assert.Equal(t, netip.MustParseAddr("192.0.2.1"), got.Server)
	assert.Equal(t, uint16(67), got.Port)
	assert.Equal(t, r.bytes(), got.Raw)
}
