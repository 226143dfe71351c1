package tftpd

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseRequest(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name   string
		packet string
		want   request
	}{
		{"plain", "\x00\x01pxelinux.0\x00octet\x00", request{name: "pxelinux.0"}},
		{"mode in capitals", "\x00\x01f\x00OCTET\x00", request{name: "f"}},
		{"netascii", "\x00\x01f\x00NetASCII\x00", request{name: "f", netascii: true}},
		{"last NUL missing", "\x00\x01f\x00octet", request{name: "f"}},
		{"leading slash", "\x00\x01/grub/grub.cfg\x00octet\x00", request{name: "grub/grub.cfg"}},
		{"leading slashes", "\x00\x01///f\x00octet\x00", request{name: "f"}},
		{"backslashes", "\x00\x01\\Boot\\BCD\x00octet\x00", request{name: "Boot/BCD"}},
		{"0xFF after the name", "\x00\x01undionly.kpxe\xff\xff\x00octet\x00", request{name: "undionly.kpxe"}},
		{"upwards", "\x00\x01../..\\../etc/passwd\x00octet\x00", request{name: "etc/passwd"}},
		{"dots within", "\x00\x01a/./b/../c\x00octet\x00", request{name: "a/c"}},
		{
			"EDK2", "\x00\x01a/ipxe.efi\x00octet\x00tsize\x000\x00blksize\x001468\x00windowsize\x004\x00",
			request{name: "a/ipxe.efi", options: []option{{"tsize", 0}, {"blksize", 1468}, {"windowsize", 4}}},
		},
		{
			"options in capitals", "\x00\x01f\x00octet\x00BLKSIZE\x001024\x00TSize\x000\x00",
			request{name: "f", options: []option{{"blksize", 1024}, {"tsize", 0}}},
		},
		{
			"unknown and malformed options", "\x00\x01f\x00octet\x00multicast\x00\x00blksize\x00big\x00timeout\x000\x00windowsize\x000\x00tsize\x00-1\x00",
			request{name: "f"},
		},
		{
			"values out of range", "\x00\x01f\x00octet\x00blksize\x007\x00timeout\x00256\x00windowsize\x0065536\x00tsize\x0099999999999999999999\x00",
			request{name: "f"},
		},
		{
			"an option twice", "\x00\x01f\x00octet\x00blksize\x00600\x00blksize\x00700\x00",
			request{name: "f", options: []option{{"blksize", 600}}},
		},
		{"a name without value", "\x00\x01f\x00octet\x00blksize\x00", request{name: "f"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := parseRequest([]byte(tt.packet))
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestParseRequestErrors(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name   string
		packet string
		code   Code
		silent bool
	}{
		{"nothing", "", 0, true},
		{"short", "\x00\x01a", 0, true},
		{"too long", "\x00\x01" + strings.Repeat("a", 511), 0, true},
		{"noise", "hello", 0, true},
		{"ERROR", "\x00\x05\x00\x00stop\x00", 0, true},
		{"DATA", "\x00\x03\x00\x01data", CodeUnknownTransferID, false},
		{"ACK", "\x00\x04\x00\x01", CodeUnknownTransferID, false},
		{"OACK", "\x00\x06tsize\x000\x00", CodeUnknownTransferID, false},
		{"no mode", "\x00\x01file\x00", CodeIllegalOperation, false},
		{"mail", "\x00\x01file\x00mail\x00", CodeIllegalOperation, false},
		{"no name", "\x00\x01\x00octet\x00", CodeNotFound, false},
		{"the root", "\x00\x01/\x00octet\x00", CodeNotFound, false},
		{"name not UTF-8", "\x00\x01a\xc3\x28b\x00octet\x00", CodeNotFound, false},
		{"write", "\x00\x02file\x00octet\x00", CodeAccessViolation, false},
		{"write in an unknown mode", "\x00\x02file\x00mail\x00", CodeAccessViolation, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := parseRequest([]byte(tt.packet))
			require.Error(t, err)
			assert.Equal(t, tt.code, codeFor(err))
			var bad *requestError
			assert.Equal(t, tt.silent, errors.As(err, &bad) && bad.silent)
		})
	}
}

func TestNegotiate(t *testing.T) {
	t.Parallel()

	cfg, err := newConfig(nil)
	require.NoError(t, err)
	tests := []struct {
		name    string
		options string
		mode    string
		size    int64
		oack    string
		block   int
		window  int
	}{
		{name: "none", block: 512, window: 1},
		{name: "order", options: "windowsize\x004\x00tsize\x000\x00blksize\x00512\x00", size: 7, oack: "windowsize\x004\x00tsize\x007\x00blksize\x00512\x00", block: 512, window: 4},
		{name: "size of an empty file", options: "tsize\x000\x00", oack: "tsize\x000\x00", block: 512, window: 1},
		{name: "size of a large file", options: "tsize\x000\x00", size: 5 << 30, oack: "tsize\x005368709120\x00", block: 512, window: 1},
		{name: "block too large", options: "blksize\x0065464\x00", oack: "blksize\x001468\x00", block: 1468, window: 1},
		{name: "block beyond the RFC", options: "blksize\x0099999\x00", oack: "blksize\x001468\x00", block: 1468, window: 1},
		{name: "smallest block", options: "blksize\x008\x00", oack: "blksize\x008\x00", block: 8, window: 1},
		{name: "window too large", options: "windowsize\x0065535\x00", oack: "windowsize\x0064\x00", block: 512, window: 64},
		{name: "timeout", options: "timeout\x00255\x00", oack: "timeout\x00255\x00", block: 512, window: 1},
		{name: "netascii", options: "tsize\x000\x00blksize\x001024\x00", mode: "netascii", block: 512, window: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if tt.mode == "" {
				tt.mode = "octet"
			}
			req, err := parseRequest([]byte("\x00\x01f\x00" + tt.mode + "\x00" + tt.options))
			require.NoError(t, err)
			got := negotiate(req, tt.size, &cfg)
			if tt.oack != "" {
				tt.oack = "\x00\x06" + tt.oack
			}
			assert.Equal(t, tt.oack, string(got.oack))
			assert.Equal(t, tt.block, got.blockSize)
			assert.Equal(t, tt.window, got.window)
		})
	}
}

// FuzzParseRequest: whatever arrives, an accepted name is a valid path, and
// the answer is no longer than a datagram of the smallest path.
func FuzzParseRequest(f *testing.F) {
	f.Add([]byte("\x00\x01pxelinux.0\x00octet\x00blksize\x001468\x00"))
	f.Add([]byte("\x00\x01..\\..\\boot\\bcd\x00octet\x00"))
	f.Add([]byte("\x00\x01a\xff\x00NETASCII\x00tsize\x000\x00windowsize\x0064\x00timeout\x001"))
	f.Add([]byte("\x00\x01f\x00octet\x00tsize\x00" + strings.Repeat("9", 480) + "\x00"))
	f.Add([]byte("\x00\x02f\x00mail\x00"))
	f.Add([]byte("\x00\x05\x00\x00\x00"))
	cfg, err := newConfig(nil)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, b []byte) {
		req, err := parseRequest(b)
		if err != nil {
			if n := len(errorPacket(err)); n > 64 {
				t.Errorf("answer to %q has %d bytes", b, n)
			}
			return
		}
		if !fs.ValidPath(req.name) || req.name == "." {
			t.Errorf("parseRequest(%q) = %q, not the path of a file", b, req.name)
		}
		terms := negotiate(req, 1<<62, &cfg)
		if len(terms.oack) > 128 || terms.blockSize < 8 || terms.blockSize > 1468 || terms.window < 1 || terms.window > 64 {
			t.Errorf("negotiate(%q) = %+v", b, terms)
		}
	})
}
