package dhcpproxy_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/golden"
)

// TestServerServeRealRequests pins the answers to requests that were captured
// from real firmware, or, where there is no capture, made up from its
// documentation. See internal/pxemodel/testdata/README.md for their origin.
func TestServerServeRealRequests(t *testing.T) {
	t.Parallel()

	requests := map[string][]byte{
		"bios-rom-discover": discover(pxeBIOS, 0).with(func(r *request) { r.flags = 0x8000 }).
			set(55, append([]byte{1, 3, 43, 60, 66, 67, 97}, rangeOf(128, 135)...)...).set(94, 1, 2, 1).bytes(),
		"bios-rom-4011": discover(pxeBIOS, 0).set(53, 8).set(43, 71, 4, 0, 0, 0, 0, 255).
			with(func(r *request) { r.ciaddr = [4]byte{192, 0, 2, 77} }).bytes(),
		"raspberry-pi-4-discover": discover(pxeBIOS, 0).with(func(r *request) { r.mac = piMAC }).
			setString(97, "\x00RPi4\x03\x11\x03\x11\x0c\xa6\x32\x01\x12\x34\x56\x78").
			set(55, append([]byte{43, 60, 66, 67}, rangeOf(128, 135)...)...).set(94, 1, 2, 1).bytes(),
		"u-boot-discover": discover("U-Boot.armv8", 22).set(55, 1, 3, 6, 12, 17).set(94, 1, 0, 0).set(57, 2, 64).bytes(),
	}
	captures, err := filepath.Glob("../internal/pxemodel/testdata/requests/*.hex")
	require.NoError(t, err)
	require.NotEmpty(t, captures)
	for _, file := range captures {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		b, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		require.NoError(t, err)
		if len(b) > 240 && bytes.Equal(b[236:240], []byte{99, 130, 83, 99}) {
			requests[strings.TrimSuffix(filepath.Base(file), ".hex")] = b
		}
	}
	for name, payload := range requests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			e := make(events, 10)
			via := onPort67
			if kind := parseReply(payload).opts[53][0]; kind != 1 && !strings.HasSuffix(name, "-request") {
				via = onPort4011
			}
			if id := parseReply(payload).opts[54]; len(id) == 4 && via == onPort4011 {
				// The capture is of another server.
				payload = bytes.Replace(payload, []byte{54, 4, 10, 77, 0, 2}, []byte{54, 4, 192, 0, 2, 1}, 1)
			}
			_, conn := serve(t, chainload(), e.option())
			ev, d := conn.send(t, e, payload, via)
			var text strings.Builder
			fmt.Fprintf(&text, "request: %v client, architecture %v, to port %d\n", ev.Client, ev.Arch, ev.Port)
			if d == nil {
				fmt.Fprintf(&text, "ignored: %v\n", ev.Reason)
			} else {
				fmt.Fprintf(&text, "answer: from %v to %v\n\n%s\n%s", d.path.Local, d.path.Remote, describe(d.payload), hex.Dump(d.payload[236:]))
			}
			golden.Check(t, name+".txt", []byte(text.String()))
		})
	}
}

func rangeOf(from, to byte) (list []byte) {
	for c := from; c <= to; c++ {
		list = append(list, c)
	}
	return list
}

// describe decodes a reply into one line for each field.
func describe(b []byte) string {
	r := parseReply(b)
	addr := func(at int) netip.Addr { return netip.AddrFrom4([4]byte(b[at : at+4])) }
	var s strings.Builder
	fmt.Fprintf(&s, "op %d, xid %x, flags %x, %d bytes\n", b[0], b[4:8], b[10:12], len(b))
	fmt.Fprintf(&s, "ciaddr %v, yiaddr %v, siaddr %v, giaddr %v\n", addr(12), addr(16), addr(20), addr(24))
	fmt.Fprintf(&s, "sname %q\nfile %q\n", r.sname(), r.file())
	for _, code := range r.codes {
		v := string(r.opts[code])
		if strings.ContainsFunc(v, func(c rune) bool { return c > unicode.MaxASCII || !unicode.IsPrint(c) }) || v == "" {
			fmt.Fprintf(&s, "option %d: %x\n", code, v)
		} else {
			fmt.Fprintf(&s, "option %d: %q\n", code, v)
		}
	}
	return s.String()
}
