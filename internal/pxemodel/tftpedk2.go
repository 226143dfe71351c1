package pxemodel

import (
	"context"
	"encoding/binary"
	"net/netip"
	"strconv"
)

// edk2Window is the window that EDK2 asks for (PcdPxeTftpWindowSize).
const edk2Window = 4

// Fetch downloads a file as EDK2 does: a request for the size, then windows of
// four blocks (RFC 7440). Without a size from option 13 in known, which may be
// zero, it asks the server. It is strict about the answer to its options, and
// answers each block out of order with an acknowledgement of the last good one.
func (e *EDK2) Fetch(ctx context.Context, server netip.AddrPort, name string, known int64) ([]byte, error) {
	waits := seconds(4, 4, 4, 4, 4, 4)
	options := []tftpOption{{"blksize", "1468"}, {"windowsize", strconv.Itoa(edk2Window)}}
	size := -1
	if known == 0 {
		var err error
		probe := append([]tftpOption{{"tsize", "0"}}, options...)
		if size, err = tftpProbe(ctx, server, name, probe, waits, 8, "User aborted the transfer"); err != nil {
			return nil, err
		}
	}
	c, err := openTFTP(ctx, server)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.request(name, options); err != nil {
		return nil, err
	}
	blksize, window := 512, 1
	expected, unacked := uint16(1), 0
	var data []byte
	for {
		kind, body, err := c.receive(ctx, waits)
		if err != nil {
			return nil, err
		}
		switch {
		case kind == tftpOACK && len(data) == 0:
			opts, err := validOACK(body, options)
			if err != nil {
				c.abort(8, "Mal-formated OACK packet")
				return nil, err
			}
			blksize, _ = number(opts, "blksize", 512) // validOACK has read it.
			window, _ = number(opts, "windowsize", 1)
			if err := c.ack(0); err != nil {
				return nil, err
			}
		case kind != tftpData:
		case binary.BigEndian.Uint16(body) != expected:
			unacked = 0
			if err := c.ack(expected - 1); err != nil {
				return nil, err
			}
		default:
			data = append(data, body[2:]...)
			last := len(body)-2 < blksize
			expected++
			if unacked++; last || unacked == window {
				unacked = 0
				if err := c.ack(expected - 1); err != nil {
					return nil, err
				}
			}
			if last {
				return data, checkSize(data, size)
			}
		}
	}
}
