package dhcpproxy_test

import (
	"context"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

// always is a policy with one answer.
func always(o dhcpproxy.Offer) dhcpproxy.Handler {
	return dhcpproxy.HandlerFunc(func(context.Context, *dhcpproxy.Request) (*dhcpproxy.Offer, error) { return &o, nil })
}

func TestOfferWhenInvalid(t *testing.T) {
	t.Parallel()

	long := strings.Repeat("x", 128)
	bios, http := discover(pxeBIOS, 0), discover(httpX64, 16)
	item := dhcpproxy.MenuItem{Type: 1, Text: "Linux"}
	tests := []struct {
		name    string
		request *request
		offer   dhcpproxy.Offer
		reason  dhcpproxy.Reason
		text    string
	}{
		{name: "no file", request: bios, text: "no boot file"},
		{name: "file does not fit", request: bios, offer: dhcpproxy.Offer{BootFile: long}, text: "boot file name of 128 bytes, over 127"},
		{name: "url too long for one option", request: http, offer: dhcpproxy.Offer{BootFile: "http://192.0.2.1/" + strings.Repeat("x", 238)}, text: "boot file name of 255 bytes, over 254"},
		{name: "control character", request: bios, offer: dhcpproxy.Offer{BootFile: "a\nb"}, text: "control characters"},
		{name: "path for http boot", request: http, offer: dhcpproxy.Offer{BootFile: "ipxe.efi"}, text: "not an http or https URL"},
		{name: "ipv6 server", request: bios, offer: dhcpproxy.Offer{BootFile: "x", Server: netip.MustParseAddr("2001:db8::1")}, text: "server 2001:db8::1 not an IPv4 address of a host"},
		{name: "broadcast server", request: bios, offer: dhcpproxy.Offer{BootFile: "x", Server: netip.MustParseAddr("255.255.255.255")}, text: "not an IPv4 address"},
		{name: "lease time", request: bios, offer: dhcpproxy.Offer{BootFile: "x", Options: map[uint8][]byte{51: {0, 0, 0, 1}}}, text: "option 51"},
		{name: "router", request: bios, offer: dhcpproxy.Offer{BootFile: "x", Options: map[uint8][]byte{3: {192, 0, 2, 1}}}, text: "option 3"},
		{name: "relay agent information", request: bios, offer: dhcpproxy.Offer{BootFile: "x", Options: map[uint8][]byte{82: {1}}}, text: "option 82"},
		{name: "end", request: bios, offer: dhcpproxy.Offer{BootFile: "x", Options: map[uint8][]byte{255: {1}}}, text: "option 255"},
		{name: "option too long", request: bios, offer: dhcpproxy.Offer{BootFile: "x", Options: map[uint8][]byte{200: make([]byte, 256)}}, text: "256 bytes"},
		{name: "vendor options too long", request: bios, offer: dhcpproxy.Offer{BootFile: "x", Options: map[uint8][]byte{43: make([]byte, 255)}}, text: "option 43 has 256 bytes"},
		{name: "empty menu", request: bios, offer: dhcpproxy.Offer{Menu: &dhcpproxy.Menu{}}, text: "menu without items"},
		{name: "menu prompt", request: bios, offer: dhcpproxy.Offer{Menu: &dhcpproxy.Menu{Prompt: long, Items: []dhcpproxy.MenuItem{item}}}, text: "menu prompt of 128 bytes"},
		{name: "menu timeout", request: bios, offer: dhcpproxy.Offer{Menu: &dhcpproxy.Menu{Timeout: 255 * time.Second, Items: []dhcpproxy.MenuItem{item}}}, text: "menu timeout"},
		{name: "menu text", request: bios, offer: dhcpproxy.Offer{Menu: &dhcpproxy.Menu{Items: []dhcpproxy.MenuItem{{Text: long}}}}, text: "menu text of 128 bytes"},
		{name: "menu server", request: bios, offer: dhcpproxy.Offer{Menu: &dhcpproxy.Menu{Items: []dhcpproxy.MenuItem{{Text: "x", Servers: []netip.Addr{netip.IPv6Loopback()}}}}}, text: "menu server ::1"},
		{name: "menu too long", request: bios, offer: dhcpproxy.Offer{Menu: &dhcpproxy.Menu{Items: []dhcpproxy.MenuItem{{Text: long[:90]}, {Text: long[:90]}, {Text: long[:90]}}}}, text: "menu too long"},
		{
			name: "more than the client takes", request: discover(pxeBIOS, 0).set(57, 2, 64), reason: dhcpproxy.ReasonReplyTooLarge,
			offer: dhcpproxy.Offer{BootFile: "x", Options: map[uint8][]byte{200: make([]byte, 255)}}, text: "and the client takes 548",
		},
		{
			name: "more than a frame takes", request: discover(pxeBIOS, 0).set(57, 0xff, 0xff), reason: dhcpproxy.ReasonReplyTooLarge,
			offer: dhcpproxy.Offer{BootFile: "x", Options: map[uint8][]byte{
				200: make([]byte, 255), 201: make([]byte, 255), 202: make([]byte, 255), 203: make([]byte, 255), 204: make([]byte, 255),
			}}, text: "and the client takes 1472",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if tt.reason == dhcpproxy.ReasonNone {
				tt.reason = dhcpproxy.ReasonOfferInvalid
			}
			e := make(events, 10)
			_, conn := serve(t, always(tt.offer), e.option())
			ev, d := conn.send(t, e, tt.request.bytes(), onPort67)
			assert.Nil(t, d, "nothing is sent rather than something cut short")
			assert.Equal(t, tt.reason, ev.Reason)
			require.Error(t, ev.Err)
			assert.ErrorContains(t, ev.Err, tt.text)
			assert.ErrorContains(t, ev.Err, "dhcpproxy: encode for 52:54:00:12:34:56: ")
		})
	}
}

func TestOfferOptions(t *testing.T) {
	t.Parallel()

	e := make(events, 10)
	_, conn := serve(t, always(dhcpproxy.Offer{
		BootFile: "x", Server: netip.MustParseAddr("203.0.113.8"),
		Options: map[uint8][]byte{210: []byte("/"), 175: {0xb0, 1, 1}, 43: {6, 1, 0}},
	}), e.option())
	_, d := conn.send(t, e, discover(pxeBIOS, 0).bytes(), onPort67)
	require.NotNil(t, d)
	r := parseReply(d.payload)
	assert.Equal(t, []byte{53, 54, 60, 97, 43, 66, 67, 175, 210}, r.codes)
	assert.Equal(t, []byte{6, 1, 0, 255}, r.opts[43], "an END is added")
	assert.Equal(t, []byte{203, 0, 113, 8}, r.b[20:24])
	assert.Equal(t, []byte{203, 0, 113, 8}, r.opts[54])
	assert.Equal(t, "203.0.113.8", r.sname())
	assert.Equal(t, "192.0.2.1:67", d.path.Local.String())
}

func TestOfferBootFileSize(t *testing.T) {
	t.Parallel()

	for size, want := range map[int64]string{0: "", 1: "0001", 512: "0001", 513: "0002", 65535 * 512: "ffff", 65535*512 + 1: ""} {
		e := make(events, 10)
		_, conn := serve(t, always(dhcpproxy.Offer{BootFile: "x", BootFileSize: size}), e.option())
		_, d := conn.send(t, e, discover(pxeX64, 7).bytes(), onPort67)
		require.NotNil(t, d)
		assert.Equal(t, want, hex.EncodeToString(parseReply(d.payload).opts[13]), "%d bytes", size)
	}
}

func TestOfferMenu(t *testing.T) {
	t.Parallel()

	h := dhcpproxy.HandlerFunc(func(_ context.Context, req *dhcpproxy.Request) (*dhcpproxy.Offer, error) {
		if req.BootItem != nil {
			return &dhcpproxy.Offer{BootFile: map[uint16]string{7: "seven"}[req.BootItem.Type]}, nil
		}
		return &dhcpproxy.Offer{Menu: &dhcpproxy.Menu{
			Prompt: "F8", Timeout: 3 * time.Second,
			Items: []dhcpproxy.MenuItem{
				{Type: 7, Text: "Linux", Servers: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}},
				{Type: 0, Text: "Disk"},
			},
		}}, nil
	})
	e := make(events, 10)
	_, conn := serve(t, h, e.option())
	ev, d := conn.send(t, e, discover(pxeBIOS, 0).bytes(), onPort67)
	require.NotNil(t, d, "%+v", ev)
	assert.Equal(t, "\x06\x01\x07"+
		"\x0a\x03\x03F8"+
		"\x08\x12\x00\x07\x02\xc0\x00\x02\x01\xc0\x00\x02\x02\x00\x00\x01\xc0\x00\x02\x01"+
		"\x09\x0f\x00\x07\x05Linux\x00\x00\x04Disk\xff", string(parseReply(d.payload).opts[43]))
	assert.Empty(t, parseReply(d.payload).file())

	chosen := discover(pxeBIOS, 0).set(53, 3).set(43, 71, 4, 0, 7, 0, 0, 255)
	ev, d = conn.send(t, e, chosen.bytes(), onPort4011)
	require.NotNil(t, d, "%+v", ev)
	assert.Equal(t, "seven", parseReply(d.payload).file())
	assert.Equal(t, "\x06\x01\x08\x47\x04\x00\x07\x00\x00\xff", string(parseReply(d.payload).opts[43]))
}

func TestOfferMenuWhenItWaits(t *testing.T) {
	t.Parallel()

	e := make(events, 10)
	_, conn := serve(t, always(dhcpproxy.Offer{Menu: &dhcpproxy.Menu{
		Timeout: -1, Items: []dhcpproxy.MenuItem{{Text: "x"}},
	}}), e.option())
	_, d := conn.send(t, e, discover(pxeBIOS, 0).bytes(), onPort67)
	require.NotNil(t, d)
	assert.Contains(t, string(parseReply(d.payload).opts[43]), "\x0a\x01\xff")
}
