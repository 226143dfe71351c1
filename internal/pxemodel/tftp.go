package pxemodel

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// TFTP packet types (RFC 1350 §5, RFC 2347).
const (
	tftpRead  uint16 = 1
	tftpData  uint16 = 3
	tftpAck   uint16 = 4
	tftpError uint16 = 5
	tftpOACK  uint16 = 6
)

// A TFTPError is an ERROR packet from the server.
type TFTPError struct {
	Code uint16
	Text string
}

// Error returns the code and the text.
func (e *TFTPError) Error() string { return fmt.Sprintf("TFTP error %d, %q", e.Code, e.Text) }

// errTimeout is what firmware says when a server does not answer.
var errTimeout = errors.New("PXE-E32: TFTP open timeout")

// A tftpOption is a name and its value, as text (RFC 2347).
type tftpOption struct{ name, value string }

// tftpConn is one request on a port of its own. The first answer binds it to
// the server's port; packets from elsewhere are not seen.
type tftpConn struct {
	conn *net.UDPConn
	peer netip.AddrPort // whom to answer: port 69 until the first packet
	met  bool
	last []byte // sent, to be repeated
	buf  []byte
}

func openTFTP(ctx context.Context, server netip.AddrPort) (*tftpConn, error) {
	var lc net.ListenConfig
	conn, err := lc.ListenPacket(ctx, "udp4", ":0")
	if err != nil {
		return nil, err
	}
	return &tftpConn{conn: conn.(*net.UDPConn), peer: server, buf: make([]byte, 65536)}, nil
}

// close frees the port; what fails then does not matter any more.
func (c *tftpConn) close() { _ = c.conn.Close() }

// request sends an RRQ.
func (c *tftpConn) request(name string, options []tftpOption) error {
	return c.send(tftpRequest(name, options))
}

// tftpRequest encodes an RRQ.
func tftpRequest(name string, options []tftpOption) []byte {
	fields := []string{name, "octet"}
	for _, o := range options {
		fields = append(fields, o.name, o.value)
	}
	return append(binary.BigEndian.AppendUint16(nil, tftpRead), strings.Join(fields, "\x00")+"\x00"...)
}

func (c *tftpConn) send(b []byte) error {
	c.last = bytes.Clone(b)
	_, err := c.conn.WriteToUDPAddrPort(b, c.peer)
	return err
}

func (c *tftpConn) ack(block uint16) error {
	return c.send(binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, tftpAck), block))
}

// abort ends the transfer with an ERROR.
func (c *tftpConn) abort(code uint16, text string) {
	b := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, tftpError), code)
	_ = c.send(append(append(b, text...), 0)) // It is over in any case.
}

// receive returns the next packet from the server. When none comes in time it
// repeats what it sent last, once for each further wait.
func (c *tftpConn) receive(ctx context.Context, waits []time.Duration) (kind uint16, body []byte, err error) {
	for i, wait := range waits {
		if i > 0 {
			if err := c.send(c.last); err != nil {
				return 0, nil, err
			}
		}
		kind, body, err = c.receiveUntil(ctx, time.Now().Add(wait))
		if !errors.Is(err, os.ErrDeadlineExceeded) || ctx.Err() != nil {
			return kind, body, err
		}
	}
	return 0, nil, errTimeout
}

func (c *tftpConn) receiveUntil(ctx context.Context, until time.Time) (uint16, []byte, error) {
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	if err := c.conn.SetReadDeadline(until); err != nil {
		return 0, nil, err
	}
	for {
		n, from, err := c.conn.ReadFromUDPAddrPort(c.buf)
		if err != nil {
			return 0, nil, err
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if n < 4 || from.Addr() != c.peer.Addr() || c.met && from != c.peer {
			continue
		}
		c.peer, c.met = from, true
		kind := binary.BigEndian.Uint16(c.buf)
		if kind == tftpError {
			return 0, nil, &TFTPError{binary.BigEndian.Uint16(c.buf[2:]), cutNUL(c.buf[4:n])}
		}
		return kind, c.buf[2:n], nil
	}
}

// parseOACK reads the options of an OACK in their order.
func parseOACK(b []byte) ([]tftpOption, error) {
	fields := strings.Split(string(b), "\x00")
	if len(fields)%2 == 0 || fields[len(fields)-1] != "" {
		return nil, fmt.Errorf("OACK %q is cut off", b)
	}
	var opts []tftpOption
	for i := 0; i+1 < len(fields); i += 2 {
		opts = append(opts, tftpOption{strings.ToLower(fields[i]), fields[i+1]})
	}
	return opts, nil
}

// number returns the value of an option, or def if it is not there.
func number(opts []tftpOption, name string, def int) (int, error) {
	for _, o := range opts {
		if o.name == name {
			return strconv.Atoi(o.value)
		}
	}
	return def, nil
}

// Fetch downloads a file as boot ROMs do: a request for the size, ended by an
// error after the server's answer, then the file in lock-step.
func (b *BIOS) Fetch(ctx context.Context, server netip.AddrPort, name string) ([]byte, error) {
	waits := seconds(4, 4, 4, 4)
	size, err := tftpProbe(ctx, server, name, []tftpOption{{"tsize", "0"}}, waits, 0, "TFTP Aborted")
	if err != nil {
		return nil, err
	}
	c, err := openTFTP(ctx, server)
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := c.request(name, []tftpOption{{"blksize", "1456"}}); err != nil {
		return nil, err
	}
	blksize, next := 512, uint16(1)
	var data []byte
	for {
		kind, body, err := c.receive(ctx, waits)
		if err != nil {
			return nil, err
		}
		switch {
		case kind == tftpOACK && len(data) == 0:
			opts, err := parseOACK(body)
			if err != nil {
				return nil, err
			}
			if blksize, err = number(opts, "blksize", 512); err != nil || blksize > 1456 {
				return nil, fmt.Errorf("OACK with block size %d: %w", blksize, err)
			}
			if err := c.ack(0); err != nil {
				return nil, err
			}
		case kind == tftpData:
			block := binary.BigEndian.Uint16(body)
			// An old block is acknowledged again, as the simplest code does.
			if block == next {
				data = append(data, body[2:]...)
				next++
			}
			if err := c.ack(next - 1); err != nil {
				return nil, err
			}
			if block == next-1 && len(body)-2 < blksize {
				return data, checkSize(data, size)
			}
		}
	}
}

// tftpProbe asks for the size of a file and ends the transfer there.
func tftpProbe(ctx context.Context, server netip.AddrPort, name string, options []tftpOption, waits []time.Duration, code uint16, text string) (int, error) {
	c, err := openTFTP(ctx, server)
	if err != nil {
		return 0, err
	}
	defer c.close()
	if err := c.request(name, options); err != nil {
		return 0, err
	}
	kind, body, err := c.receive(ctx, waits)
	if err != nil {
		return 0, err
	}
	defer c.abort(code, text)
	if kind != tftpOACK {
		return 0, errors.New("the server does not tell the size")
	}
	opts, err := validOACK(body, options)
	if err != nil {
		return 0, err
	}
	return number(opts, "tsize", -1)
}

// validOACK reads an OACK by the rules of EDK2: nothing that was not asked
// for, no greater block size or window, the same timeout.
func validOACK(body []byte, asked []tftpOption) ([]tftpOption, error) {
	opts, err := parseOACK(body)
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		want, err := number(asked, o.name, -1)
		if err != nil || want < 0 {
			return nil, fmt.Errorf("OACK has %s, which was not asked for", o.name)
		}
		got, err := strconv.Atoi(o.value)
		if err != nil {
			return nil, fmt.Errorf("OACK says %s %q", o.name, o.value)
		}
		bad := (o.name == "blksize" || o.name == "windowsize") && (got > want || got < 1) ||
			o.name == "timeout" && got != want
		if bad {
			return nil, fmt.Errorf("OACK says %s %d, asked was %d", o.name, got, want)
		}
	}
	return opts, nil
}

func checkSize(data []byte, size int) error {
	if size >= 0 && len(data) != size {
		return fmt.Errorf("%d bytes of %d announced", len(data), size)
	}
	return nil
}
