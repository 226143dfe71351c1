package dhcpproxy

import (
	"bytes"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func FuzzParseUDP(f *testing.F) {
	src, dst := netip.MustParseAddrPort("192.0.2.1:68"), netip.MustParseAddrPort("255.255.255.255:67")
	f.Add(appendUDP(nil, []byte("payload"), src, dst))
	f.Add(appendUDP(nil, nil, src, dst)[:27])
	f.Add([]byte("\x46\x00\x00\x20........\x11......."))
	f.Fuzz(func(t *testing.T, b []byte) {
		payload, from, to, ok := parseUDP(b)
		if !ok {
			return
		}
		again, from2, to2, ok := parseUDP(appendUDP(nil, payload, from, to))
		if !ok || !bytes.Equal(payload, again) || from != from2 || to != to2 {
			t.Errorf("round trip of %x", b)
		}
	})
}

func TestParseUDP(t *testing.T) {
	t.Parallel()

	src, dst := netip.MustParseAddrPort("192.0.2.1:67"), netip.MustParseAddrPort("255.255.255.255:68")
	whole := appendUDP(nil, []byte("boot"), src, dst)
	payload, from, to, ok := parseUDP(append(bytes.Clone(whole), 0, 0, 0, 0)) // Ethernet pads short frames.
	require.True(t, ok)
	assert.Equal(t, "boot", string(payload))
	assert.Equal(t, src, from)
	assert.Equal(t, dst, to)
	assert.Equal(t, uint16(0xffff), sum(0, whole[:20]), "the checksum makes the sum of the header ones")

	change := func(at int, v byte) []byte {
		b := bytes.Clone(whole)
		b[at] = v
		return b
	}
	for name, b := range map[string][]byte{
		"empty": nil, "header cut": whole[:19], "cut": whole[:31], "ipv6": change(0, 0x65), "header too short": change(0, 0x44),
		"header too long": change(0, 0x4f), "more fragments": change(6, 0x20), "a later fragment": change(7, 1),
		"tcp": change(9, 6), "datagram too short": change(25, 7), "datagram too long": change(25, 200), "shorter than udp": change(3, 27),
	} {
		_, _, _, ok := parseUDP(b)
		assert.False(t, ok, name)
	}
}

func TestAppendUDP(t *testing.T) {
	t.Parallel()

	b := appendUDP(nil, []byte("abc"), netip.MustParseAddrPort("192.0.2.1:67"), netip.MustParseAddrPort("192.0.2.2:68"))
	pseudo := []byte{192, 0, 2, 1, 192, 0, 2, 2, 0, 17, 0, 11}
	assert.Equal(t, uint16(0xffff), sum(uint32(sum(0, pseudo)), b[20:]), "the sum over header and data is ones")
	none := appendDatagram(nil, []byte{0xff, 0xff - 67 - 68 - 10 - 17, 0, 0}, netip.AddrPort{}, netip.AddrPort{})
	assert.NotEqual(t, []byte{0, 0}, none[6:8], "zero would mean that there is no checksum")
}

func TestLRU(t *testing.T) {
	t.Parallel()

	l := lru[int, string]{max: 3}
	for n := range 3 {
		*l.at(n) = "x"
	}
	l.at(0) // Used again.
	*l.at(3) = "new"
	assert.Nil(t, l.peek(1), "the one not used for longest is gone")
	assert.NotNil(t, l.peek(0))
	assert.Equal(t, 3, l.len())
}

func TestMachinesAreBounded(t *testing.T) {
	t.Parallel()

	cfg, err := newConfig(nil)
	require.NoError(t, err)
	ms := newMachines(&cfg)
	for n := range maxMachines + 100 {
		mac := [6]byte{2, 0, 0, byte(n >> 16), byte(n >> 8), byte(n)}
		ms.allow(mac, time.Now(), false)
		ms.offered(mac, ClientBIOS, "x", [4]byte{}, time.Now())
	}
	assert.Equal(t, maxMachines, ms.known.len())
}

func TestInterfacesAreCached(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		asked, routed := 0, 0
		addr := netip.MustParsePrefix("192.0.2.1/24")
		ifs := newInterfaces(nil)
		ifs.lookup = func(int) (string, []netip.Prefix, error) {
			asked++
			return "eth0", []netip.Prefix{netip.MustParsePrefix("127.0.0.1/8"), netip.MustParsePrefix("169.254.0.1/16"), addr}, nil
		}
		ifs.route = func(netip.Addr) netip.Addr { routed++; return addr.Addr() }
		for range 1000 {
			assert.Equal(t, addr.Addr(), ifs.get(1).best(), "a global address comes first")
			assert.Equal(t, addr.Addr(), ifs.source(netip.MustParseAddr("10.0.0.1")))
		}
		assert.Equal(t, []int{1, 1}, []int{asked, routed})
		time.Sleep(interfaceAge + time.Millisecond)
		ifs.get(1)
		assert.Equal(t, 2, asked, "an address that changes is noticed")
	})
}

func TestSystemInterfaces(t *testing.T) {
	t.Parallel()

	ifs := newInterfaces(nil)
	loopback := netip.MustParseAddr("127.0.0.1")
	assert.True(t, ifs.isLocal(loopback))
	assert.True(t, ifs.owns(loopback))
	assert.True(t, ifs.onLink(netip.MustParseAddr("127.9.9.9")))
	assert.Equal(t, loopback, ifs.source(loopback))
	assert.Equal(t, loopback, ifs.get(1).best())
	assert.Empty(t, ifs.get(1<<30).name)
	assert.False(t, ifs.isLocal(netip.MustParseAddr("192.0.2.99")))
}

func TestLastAddr(t *testing.T) {
	t.Parallel()

	for prefix, want := range map[string]string{"192.0.2.1/24": "192.0.2.255", "10.1.2.3/8": "10.255.255.255", "192.0.2.1/30": "192.0.2.3"} {
		assert.Equal(t, want, lastAddr(netip.MustParsePrefix(prefix)).String())
	}
	nic := netInterface{addrs: []netip.Prefix{netip.MustParsePrefix("192.0.2.4/31")}}
	assert.False(t, nic.isLocal(netip.MustParseAddr("192.0.2.5")), "the other end, not a broadcast address (RFC 3021)")
}

func TestParseUserClasses(t *testing.T) {
	t.Parallel()

	for raw, want := range map[string][]string{
		"":                nil,
		"iPXE":            {"iPXE"},
		"\x04iPXE":        {"iPXE"},
		"\x04iPXE\x03foo": {"iPXE", "foo"},
		"\x04iPXE\x00":    {"\x04iPXE\x00"},
		"\x05iPXE":        {"\x05iPXE"},
	} {
		assert.Equal(t, want, parseUserClasses([]byte(raw)), "%q", raw)
	}
}
