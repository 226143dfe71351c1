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
	r := edk2Read{tftpConn: c, asked: options, blksize: 512, window: 1, expected: 1}
	for {
		kind, body, err := c.receive(ctx, waits)
		if err != nil {
			return nil, err
		}
		done, err := false, error(nil)
		switch {
		case kind == tftpOACK && len(r.data) == 0:
			err = r.oack(body)
		case kind == tftpData:
			done, err = r.block(binary.BigEndian.Uint16(body), body[2:])
		}
		if err != nil {
			return nil, err
		}
		if done {
			return r.data, checkSize(r.data, size)
		}
	}
}

// edk2Read is a file on its way.
type edk2Read struct {
	*tftpConn

	asked           []tftpOption
	blksize, window int
	expected        uint16 // the next block
	unacked         int    // good blocks since the last acknowledgement
	data            []byte
}

func (r *edk2Read) oack(body []byte) error {
	opts, err := validOACK(body, r.asked)
	if err != nil {
		r.abort(8, "Mal-formated OACK packet") // Sic.
		return err
	}
	r.blksize, _ = number(opts, "blksize", 512) // validOACK has read it.
	r.window, _ = number(opts, "windowsize", 1)
	return r.ack(0)
}

// block takes the expected block, and reports whether it was the last.
func (r *edk2Read) block(n uint16, b []byte) (done bool, err error) {
	if n != r.expected {
		r.unacked = 0
		return false, r.ack(r.expected - 1)
	}
	r.data = append(r.data, b...)
	r.expected++
	r.unacked++
	if done = len(b) < r.blksize; done || r.unacked == r.window {
		r.unacked = 0
		err = r.ack(n)
	}
	return done, err
}
