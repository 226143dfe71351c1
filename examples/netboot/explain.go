package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/internal/pcap"
)

// explain says on w what each DHCP request in file would be answered. The file
// is a capture, or one packet without its UDP header, as bytes or in hex.
func explain(ctx context.Context, srv *dhcpproxy.Server, file string, w io.Writer) error {
	data, err := os.ReadFile(file) //nolint:gosec // The user named it.
	if err != nil {
		return err
	}
	n := 0
	for d, err := range pcap.UDP(bytes.NewReader(data)) {
		if errors.Is(err, pcap.ErrFormat) {
			fmt.Fprintf(w, "Request, as if broadcast to port 67:\n%s", srv.Explain(ctx, packet(data), dhcpproxy.Path{}))
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if port := d.Dst.Port(); port != 67 && port != 4011 {
			continue
		}
		n++
		fmt.Fprintf(w, "Request %d, %v to %v:\n", n, d.Src, d.Dst)
		via := dhcpproxy.Path{Local: d.Dst, Remote: d.Src}
		if d.Dst.Port() == 67 {
			via.Local = netip.AddrPort{} // As if it had been broadcast here.
		}
		fmt.Fprintln(w, srv.Explain(ctx, d.Payload, via))
	}
	if n == 0 {
		return fmt.Errorf("%s holds no DHCP request: want packets to UDP port 67 or 4011", file)
	}
	return nil
}

// packet returns the bytes of a packet that may be written in hex.
func packet(data []byte) []byte {
	text := strings.NewReplacer(" ", "", "\n", "", "\r", "", "\t", "", ":", "").Replace(string(data))
	if b, err := hex.DecodeString(text); err == nil {
		return b
	}
	return data
}
