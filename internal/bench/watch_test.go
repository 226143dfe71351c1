//go:build linux

package main

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/unix"
)

func TestWatcherPacket(t *testing.T) {
	t.Parallel()

	var w watcher
	now := time.Unix(0, 0)
	see := func(b []byte) {
		now = now.Add(time.Second)
		w.packet(b, now)
	}
	discover := dhcpRequest(netip.MustParseAddrPort("0.0.0.0:68"))
	see(datagram(68, 67, discover))
	see(datagram(68, 67, append(discover, "iPXE"...)))
	see(datagram(68, 67, make([]byte, 300)))
	see(datagram(2000, 69, []byte("\x00\x01a/ipxe.efi\x00octet\x00")))
	see(datagram(3000, 2000, []byte("\x00\x03\x00\x01data")))
	see(datagram(2000, 3000, []byte("\x00\x04\x00\x01")))
	see(tcpSegment(4000, httpPort, 7, 100, "GET /kernel HTTP/1.1\r\n"))
	see(tcpSegment(httpPort, 4000, 100, 30, "some data"))
	see(tcpSegment(httpPort, 4000, 100, 30, "some data")) // Sent again.
	see(tcpSegment(httpPort, 5000, 999, 30, "data of another connection"))
	for _, b := range [][]byte{nil, {0x45}, make([]byte, 20), append([]byte{0x4f}, make([]byte, 30)...)} {
		see(b)
	}
	second := func(n int64) time.Time { return time.Unix(n, 0) }
	assert.Equal(t, []step{
		{Kind: stepFirmware, At: second(1)},
		{Kind: stepIPXE, At: second(2)},
		{Kind: stepTFTP, Name: "a/ipxe.efi", At: second(4), Until: second(5)},
		{Kind: stepHTTP, Name: "/kernel", At: second(7), Until: second(8)},
	}, w.steps)
}

// ipPacket returns an IPv4 packet with a header of 20 bytes.
func ipPacket(protocol byte, b []byte) []byte {
	head := make([]byte, 20)
	head[0], head[9] = 0x45, protocol
	return append(head, b...)
}

func datagram(from, to uint16, payload []byte) []byte {
	head := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from), to)
	return ipPacket(unix.IPPROTO_UDP, append(append(head, 0, 0, 0, 0), payload...))
}

func tcpSegment(from, to uint16, seq, ack uint32, payload string) []byte {
	head := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, from), to)
	head = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(head, seq), ack)
	return ipPacket(unix.IPPROTO_TCP, append(append(head, 5<<4, 0, 0, 0, 0, 0, 0, 0), payload...))
}
