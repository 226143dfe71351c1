package dhcpproxy_test

import (
	"bytes"
	"net"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

func TestServerServeWhenIgnored(t *testing.T) {
	t.Parallel()

	x64 := func() *request { return discover(pxeX64, 7) }
	boot := func() *request { return x64().set(53, 3) }
	field := func(change func(r *request)) []byte { return x64().with(change).bytes() }
	on67, on4011 := onPort67, onPort4011
	from := func(via dhcpproxy.Path, iface int, local, remote string) dhcpproxy.Path {
		via.Interface = iface
		via.Local, via.Remote = netip.MustParseAddrPort(local), netip.MustParseAddrPort(remote)
		return via
	}
	allowed := dhcpproxy.WithRelays(netip.MustParsePrefix("10.1.0.0/16"))

	tests := []struct {
		name    string
		payload []byte
		via     dhcpproxy.Path
		want    dhcpproxy.Reason
		opts    []dhcpproxy.Option
	}{
		{name: "empty", payload: nil, via: on67, want: dhcpproxy.ReasonMalformed},
		{name: "short", payload: x64().bytes()[:239], via: on67, want: dhcpproxy.ReasonMalformed},
		{name: "oversized", payload: append(x64().bytes(), make([]byte, 1300)...), via: on67, want: dhcpproxy.ReasonOversized},
		{name: "no cookie", payload: bytes.Replace(x64().bytes(), []byte{99, 130, 83, 99}, make([]byte, 4), 1), via: on67, want: dhcpproxy.ReasonMalformed},
		{name: "option cut short", payload: field(func(r *request) { r.raw = []byte{12, 200, 'x'} }), via: on67, want: dhcpproxy.ReasonMalformed},
		{name: "overload of nonsense", payload: append(x64().set(52, 1).bytes()[:108], append(bytes.Repeat([]byte{7}, 128), x64().set(52, 1).bytes()[236:]...)...), via: on67, want: dhcpproxy.ReasonMalformed},
		{name: "reply", payload: field(func(r *request) { r.op = 2 }), via: on67, want: dhcpproxy.ReasonNotRequest},
		{name: "address of 16 bytes", payload: field(func(r *request) { r.hlen = 16 }), via: on67, want: dhcpproxy.ReasonHardwareType},
		{name: "infiniband", payload: field(func(r *request) { r.htype, r.hlen = 32, 0 }), via: on67, want: dhcpproxy.ReasonHardwareType},
		{name: "other medium without option 93", payload: x64().del(93).with(func(r *request) { r.htype = 6 }).bytes(), via: on67, want: dhcpproxy.ReasonHardwareType},
		{name: "zero address", payload: field(func(r *request) { r.mac = make(net.HardwareAddr, 6) }), via: on67, want: dhcpproxy.ReasonHardwareAddr},
		{name: "multicast address", payload: field(func(r *request) { r.mac = net.HardwareAddr{1, 0, 0x5e, 0, 0, 1} }), via: on67, want: dhcpproxy.ReasonHardwareAddr},
		{name: "interface not served", payload: x64().bytes(), via: from(on67, 2, "255.255.255.255:67", "0.0.0.0:68"), want: dhcpproxy.ReasonInterface, opts: []dhcpproxy.Option{dhcpproxy.WithInterfaces("lab*")}},
		{name: "passing through", payload: x64().bytes(), via: from(on67, 1, "203.0.113.1:67", "10.1.0.1:67"), want: dhcpproxy.ReasonDestination},
		{name: "bootp", payload: x64().del(53).bytes(), via: on67, want: dhcpproxy.ReasonBOOTP},
		{name: "message type of two bytes", payload: x64().set(53, 1, 1).bytes(), via: on67, want: dhcpproxy.ReasonBOOTP},
		{name: "offer", payload: x64().set(53, 2).bytes(), via: on67, want: dhcpproxy.ReasonMessageType},
		{name: "decline", payload: x64().set(53, 4).bytes(), via: on67, want: dhcpproxy.ReasonMessageType},
		{name: "ack", payload: x64().set(53, 5).bytes(), via: on67, want: dhcpproxy.ReasonMessageType},
		{name: "nak", payload: x64().set(53, 6).bytes(), via: on67, want: dhcpproxy.ReasonMessageType},
		{name: "release", payload: x64().set(53, 7).bytes(), via: on67, want: dhcpproxy.ReasonMessageType},
		{name: "lease query", payload: x64().set(53, 10).bytes(), via: on67, want: dhcpproxy.ReasonMessageType},
		{name: "inform on 67", payload: x64().set(53, 8).bytes(), via: on67, want: dhcpproxy.ReasonMessageType},
		{name: "discover on 4011", payload: x64().bytes(), via: on4011, want: dhcpproxy.ReasonMessageType},
		{name: "request for a lease", payload: x64().set(53, 3).bytes(), via: on67, want: dhcpproxy.ReasonOtherServer},
		{name: "request for a lease from us", payload: x64().set(53, 3).set(54, 192, 0, 2, 1).bytes(), via: on67, want: dhcpproxy.ReasonOtherServer},
		{name: "boot item of another server", payload: x64().set(53, 3).set(54, 192, 0, 2, 9).set(43, 71, 4, 0, 1, 0, 0, 255).bytes(), via: on67, want: dhcpproxy.ReasonOtherServer},
		{name: "another server's on 4011", payload: boot().set(54, 192, 0, 2, 9).bytes(), via: on4011, want: dhcpproxy.ReasonOtherServer},
		{name: "no vendor class", payload: x64().del(60).bytes(), via: on67, want: dhcpproxy.ReasonVendorClass},
		{name: "ordinary machine", payload: x64().setString(60, "MSFT 5.0").bytes(), via: on67, want: dhcpproxy.ReasonVendorClass},
		{name: "vendor class in the middle", payload: x64().setString(60, "xPXEClient").bytes(), via: on67, want: dhcpproxy.ReasonVendorClass},
		{name: "u-boot with a pc's architecture", payload: x64().setString(60, "U-Boot.armv8").bytes(), via: on67, want: dhcpproxy.ReasonVendorClass},
		{name: "no architecture", payload: x64().del(93).bytes(), via: on67, want: dhcpproxy.ReasonNoArch},
		{name: "empty architecture", payload: x64().set(93).bytes(), via: on67, want: dhcpproxy.ReasonBadArch},
		{name: "odd architecture", payload: x64().set(93, 0, 7, 0).bytes(), via: on67, want: dhcpproxy.ReasonBadArch},
		{name: "relay not allowed", payload: field(func(r *request) { r.giaddr = [4]byte{10, 2, 0, 1} }), via: on67, want: dhcpproxy.ReasonRelay, opts: []dhcpproxy.Option{allowed}},
		{name: "relay is a broadcast", payload: field(func(r *request) { r.giaddr = [4]byte{255, 255, 255, 255} }), via: on67, want: dhcpproxy.ReasonRelay},
		{name: "relay is a group", payload: field(func(r *request) { r.giaddr = [4]byte{224, 0, 0, 1} }), via: on67, want: dhcpproxy.ReasonRelay},
		{name: "relay is the loopback", payload: field(func(r *request) { r.giaddr = [4]byte{127, 0, 0, 1} }), via: on67, want: dhcpproxy.ReasonRelay},
		{name: "stranger on 4011", payload: boot().bytes(), via: from(on4011, 1, "192.0.2.1:4011", "203.0.113.9:4011"), want: dhcpproxy.ReasonSource},
		{name: "stranger on 4011 with relays allowed", payload: boot().bytes(), via: from(on4011, 1, "192.0.2.1:4011", "203.0.113.9:4011"), want: dhcpproxy.ReasonSource, opts: []dhcpproxy.Option{allowed}},
		{name: "boot integrity services", payload: boot().set(43, 71, 4, 0, 1, 0x80, 0, 255).bytes(), via: on4011, want: dhcpproxy.ReasonBIS},
		{name: "interface without address", payload: x64().bytes(), via: from(on67, 3, "255.255.255.255:67", "0.0.0.0:68"), want: dhcpproxy.ReasonNoAddress},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			e := make(events, 10)
			srv, conn := serve(t, chainload(), append(tt.opts, e.option())...)
			ev, d := conn.send(t, e, tt.payload, tt.via)
			assert.Nil(t, d, "no answer")
			assert.Equal(t, dhcpproxy.EventIgnored, ev.Kind)
			assert.Equal(t, tt.want.String(), ev.Reason.String())
			assert.Equal(t, map[dhcpproxy.Reason]uint64{tt.want: 1}, srv.Stats().Ignored)
		})
	}
}

func TestServerServeWhenOdd(t *testing.T) {
	t.Parallel()

	x64 := func() *request { return discover(pxeX64, 7) }
	on67, on4011 := onPort67, onPort4011
	fromAfar := on4011
	fromAfar.Remote = netip.MustParseAddrPort("10.1.2.3:4011")
	overloaded := x64().set(52, 3).del(60).del(93).bytes()
	copy(overloaded[108:], "\x5d\x02\x00\x07\xff")
	copy(overloaded[44:], "\x3c\x09PXEClient\xff")

	tests := []struct {
		name    string
		payload []byte
		via     dhcpproxy.Path
		opts    []dhcpproxy.Option
	}{
		{name: "no option 97", payload: x64().del(97).bytes(), via: on67},
		{name: "option 97 of the wrong length", payload: x64().set(97, 0, 1, 2).bytes(), via: on67},
		{name: "option 97 of another type", payload: x64().set(97, bytes.Repeat([]byte{9}, 17)...).bytes(), via: on67},
		{name: "empty option 97", payload: x64().set(97).bytes(), via: on67},
		{name: "no option 94", payload: x64().del(94).bytes(), via: on67},
		{name: "no options 55 and 57", payload: x64().del(55).del(57).bytes(), via: on67},
		{name: "bare vendor class", payload: x64().setString(60, "PXEClient").bytes(), via: on67},
		{name: "other vendor class that is allowed", payload: x64().setString(60, "Acme boot 3").bytes(), via: on67, opts: []dhcpproxy.Option{dhcpproxy.WithVendorClasses("Acme")}},
		{name: "no end", payload: x64().with(func(r *request) { r.raw = []byte{} }).bytes(), via: on67},
		{name: "padding before options", payload: x64().with(func(r *request) { r.raw = []byte{0, 0, 0, 12, 1, 'x', 255} }).bytes(), via: on67},
		{name: "options in the file and sname fields", payload: overloaded, via: on67},
		{name: "option in two parts", payload: x64().with(func(r *request) { r.options = append(r.options, []byte{60, ':', 'x'}) }).bytes(), via: on67},
		{name: "medium other than ethernet", payload: x64().with(func(r *request) { r.htype = 6 }).bytes(), via: on67},
		{name: "unknown architecture only", payload: x64().set(93, 0x30, 0x39).bytes(), via: on67},
		{name: "inform on 4011", payload: x64().set(53, 8).bytes(), via: on4011},
		{name: "4011 with our server identifier", payload: x64().set(53, 3).set(54, 192, 0, 2, 1).bytes(), via: on4011},
		{name: "4011 from an allowed network", payload: x64().set(53, 3).bytes(), via: fromAfar, opts: []dhcpproxy.Option{dhcpproxy.WithRelays(netip.MustParsePrefix("10.1.0.0/16"))}},
		{name: "boot item by broadcast", payload: x64().set(53, 3).set(54, 192, 0, 2, 1).set(43, 71, 4, 0, 1, 0, 0, 255).bytes(), via: on67},
		{name: "boot item by inform", payload: x64().set(53, 8).set(43, 71, 4, 0, 1, 0, 0, 255).bytes(), via: on67},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			e := make(events, 10)
			_, conn := serve(t, program("ipxe.efi"), append(tt.opts, e.option())...)
			ev, d := conn.send(t, e, tt.payload, tt.via)
			require.NotNil(t, d, "%v", ev.Reason)
			r := parseReply(d.payload)
			assert.Equal(t, "ipxe.efi", r.file())
			asked := parseReply(tt.payload)
			assert.Equal(t, string(asked.opts[97]), string(r.opts[97]), "option 97 is echoed as it came")
			assert.NotContains(t, r.codes[:len(r.codes)-1], byte(82))
			if _, ok := asked.opts[97]; !ok || len(asked.opts[97]) == 0 {
				assert.NotContains(t, r.codes, byte(97))
			}
			if item := asked.opts[43]; item != nil {
				assert.Equal(t, string(item), string(r.opts[43]), "the boot item is echoed")
			}
		})
	}
}
