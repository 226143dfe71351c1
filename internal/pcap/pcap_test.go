package pcap_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/pcap"
)

// capture returns a file of one frame: link header, IPv4, UDP, payload.
func capture(order binary.AppendByteOrder, link uint32, header, payload string) []byte {
	udp := binary.BigEndian.AppendUint16([]byte{0, 68, 0, 67}, uint16(8+len(payload)))
	udp = append(append(udp, 0, 0), payload...)
	ip := binary.BigEndian.AppendUint16([]byte{0x45, 0}, uint16(20+len(udp)))
	ip = append(ip, 0, 0, 0x40, 0, 64, 17, 0, 0, 192, 0, 2, 7, 255, 255, 255, 255)
	frame := append(append([]byte(header), ip...), udp...)
	frame = append(frame, "padding"...) // Ethernet pads; the IP length rules.

	f := order.AppendUint32(nil, 0xa1b2c3d4)
	f = append(f, make([]byte, 16)...)
	f = order.AppendUint32(f, link)
	f = append(f, make([]byte, 8)...)
	f = order.AppendUint32(f, uint32(len(frame)))
	f = order.AppendUint32(f, uint32(len(frame)))
	return append(f, frame...)
}

func TestUDP(t *testing.T) {
	t.Parallel()

	ether := "\xff\xff\xff\xff\xff\xff\x52\x54\x00\x00\x00\x01"
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"ethernet", capture(binary.LittleEndian, 1, ether+"\x08\x00", "hello"), "hello"},
		{"big endian", capture(binary.BigEndian, 1, ether+"\x08\x00", "hello"), "hello"},
		{"vlan", capture(binary.LittleEndian, 1, ether+"\x81\x00\x00\x05\x08\x00", "hello"), "hello"},
		{"raw", capture(binary.LittleEndian, 101, "", "hello"), "hello"},
		{"cooked", capture(binary.LittleEndian, 113, string(make([]byte, 14))+"\x08\x00", "hello"), "hello"},
		{"cooked v2", capture(binary.LittleEndian, 276, "\x08\x00"+string(make([]byte, 18)), "hello"), "hello"},
		{"arp", capture(binary.LittleEndian, 1, ether+"\x08\x06", "hello"), ""},
		{"other link", capture(binary.LittleEndian, 105, "", "hello"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var got []byte
			for d, err := range pcap.UDP(bytes.NewReader(tt.file)) {
				require.NoError(t, err)
				assert.Equal(t, "192.0.2.7:68", d.Src.String())
				assert.Equal(t, "255.255.255.255:67", d.Dst.String())
				got = append(got, d.Payload...)
			}
			assert.Equal(t, tt.want, string(got))
		})
	}
}

func TestUDPErrors(t *testing.T) {
	t.Parallel()

	whole := capture(binary.LittleEndian, 101, "", "hello")
	huge := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(huge[24+8:], 1<<30)
	tests := []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, pcap.ErrFormat.Error()},
		{"pcapng", append([]byte{0x0a, 0x0d, 0x0d, 0x0a}, make([]byte, 40)...), pcap.ErrFormat.Error()},
		{"cut in a header", whole[:30], "pcap: record 1: unexpected EOF"},
		{"cut in a frame", whole[:len(whole)-1], "pcap: record 1: unexpected EOF"},
		{"huge", huge, "pcap: record 1: frame of 1073741824 bytes, at most 262144 expected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var got error
			for _, err := range pcap.UDP(bytes.NewReader(tt.file)) {
				got = err
			}
			require.EqualError(t, got, tt.want)
		})
	}
}

func FuzzUDP(f *testing.F) {
	f.Add(capture(binary.LittleEndian, 1, string(make([]byte, 12))+"\x08\x00", "hello"))
	f.Add(capture(binary.BigEndian, 276, "\x08\x00"+string(make([]byte, 18)), "x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		var sum int
		for d, err := range pcap.UDP(io.LimitReader(bytes.NewReader(b), 1<<20)) {
			if err == nil {
				sum += len(d.Payload)
			}
		}
		if sum > len(b) {
			t.Errorf("%d payload bytes from %d", sum, len(b))
		}
	})
}
