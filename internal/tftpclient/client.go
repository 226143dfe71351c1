package tftpclient

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"
)

// A Client says how to ask. The zero value asks without options.
type Client struct {
	Mode      string // "octet" if empty
	BlockSize int    // blksize in bytes; not asked if 0
	Window    int    // windowsize in blocks; not asked if 0
	Timeout   int    // timeout in seconds; not asked if 0
	Size      bool   // Ask for tsize.
	Probe     bool   // End with an ERROR after the OACK, as a boot ROM does.

	Wait   time.Duration // before sending again; one second if 0
	Tries  int           // 10 if 0
	Linger time.Duration // how long to answer repetitions of the last block
	Local  netip.Addr    // the address to ask from; any if zero
}

// A Result says what came of a transfer.
type Result struct {
	Bytes    int64
	Options  map[string]int64 // what the server agreed to
	Server   netip.AddrPort   // the port that answered
	Repeated int              // how often silence made the client send again
	Strays   int              // packets from elsewhere
}

// An Error is an ERROR packet of the server.
type Error struct {
	Code uint16
	Text string
}

// Error implements the error interface.
func (e *Error) Error() string { return fmt.Sprintf("server says code %d, %q", e.Code, e.Text) }

// Get writes the file called name, from the server at addr, to w.
func (c Client) Get(ctx context.Context, addr, name string, w io.Writer) (Result, error) {
	to, err := net.ResolveUDPAddr("udp", addr)
	if err != nil {
		return Result{}, err
	}
	network := "udp6"
	if to.IP.To4() != nil {
		network = "udp4"
	}
	var local *net.UDPAddr
	if c.Local.IsValid() {
		local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(c.Local, 0))
	}
	conn, err := net.ListenUDP(network, local)
	if err != nil {
		return Result{}, err
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })()
	return c.GetFrom(ctx, conn, to.AddrPort(), name, w)
}

// GetFrom is like Get, but asks from conn, which it does not close.
func (c Client) GetFrom(ctx context.Context, conn *net.UDPConn, to netip.AddrPort, name string, w io.Writer) (Result, error) {
	if c.Wait == 0 {
		c.Wait = time.Second
	}
	if c.Tries == 0 {
		c.Tries = 10
	}
	t := &transfer{
		Client: c, ctx: ctx, conn: conn, to: to, w: w,
		blockSize: 512, window: 1,
		in: make([]byte, 65536),
	}
	t.res.Options = map[string]int64{}
	err := t.run(name)
	return t.res, err
}

// Request returns the packet that asks for name.
func (c Client) Request(name string) []byte {
	mode := c.Mode
	if mode == "" {
		mode = "octet"
	}
	b := []byte("\x00\x01" + name + "\x00" + mode + "\x00")
	add := func(ask bool, name string, value int) {
		if ask {
			b = append(b, name+"\x00"+strconv.Itoa(value)+"\x00"...)
		}
	}
	add(c.Size, "tsize", 0)
	add(c.BlockSize != 0, "blksize", c.BlockSize)
	add(c.Timeout != 0, "timeout", c.Timeout)
	add(c.Window != 0, "windowsize", c.Window)
	return b
}

type transfer struct {
	Client

	ctx  context.Context //nolint:containedctx // It lives as long as one call.
	conn *net.UDPConn
	to   netip.AddrPort // the port for requests, then the transfer's
	w    io.Writer
	res  Result
	in   []byte
	out  [4]byte

	answered  bool
	blockSize int
	window    int
	last      uint16 // the last block received in order
	pending   int    // blocks since the last acknowledgement
	complain  bool   // A gap has been reported.
}

func (t *transfer) run(name string) error {
	request := t.Request(name)
	if err := t.send(request); err != nil {
		return err
	}
	tries := 0
	deadline := time.Now().Add(t.Wait)
	_ = t.conn.SetReadDeadline(deadline)
	for {
		pkt, err := t.read()
		if errors.Is(err, os.ErrDeadlineExceeded) && t.ctx.Err() == nil {
			if tries++; tries >= t.Tries {
				return fmt.Errorf("no answer after %d tries at block %d: %w", tries, t.last+1, err)
			}
			t.res.Repeated++
			again := request
			if t.answered {
				again = t.ackPacket()
			}
			if err := t.send(again); err != nil {
				return err
			}
			deadline = time.Now().Add(t.Wait)
			_ = t.conn.SetReadDeadline(deadline)
			continue
		}
		if err != nil {
			return errors.Join(err, t.ctx.Err())
		}
		if now := time.Now(); deadline.Sub(now) < t.Wait*3/4 {
			deadline = now.Add(t.Wait) // Not for each packet: it costs time.
			_ = t.conn.SetReadDeadline(deadline)
		}
		before := t.last
		done, err := t.packet(pkt)
		if err != nil {
			t.abort(err)
			return err
		}
		if done {
			t.linger()
			return nil
		}
		if t.last != before {
			tries = 0
		}
	}
}

// read returns the next packet of the transfer.
func (t *transfer) read() ([]byte, error) {
	for {
		n, from, err := t.conn.ReadFromUDPAddrPort(t.in)
		if err != nil {
			return nil, err
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		if !t.answered {
			if from.Addr() != t.to.Addr().Unmap() {
				return nil, fmt.Errorf("answer from %v, asked %v", from, t.to)
			}
			t.answered, t.to, t.res.Server = true, from, from
		}
		if from != t.res.Server {
			t.res.Strays++
			_, _ = t.conn.WriteToUDPAddrPort([]byte("\x00\x05\x00\x05unknown transfer ID\x00"), from)
			continue
		}
		return t.in[:n], nil
	}
}

func (t *transfer) packet(b []byte) (done bool, err error) {
	if len(b) < 4 {
		return false, fmt.Errorf("packet of %d bytes", len(b))
	}
	switch op := binary.BigEndian.Uint16(b); op {
	case 3:
		return t.data(binary.BigEndian.Uint16(b[2:]), b[4:])
	case 5:
		text, _, ok := strings.Cut(string(b[4:]), "\x00")
		if !ok {
			return false, errors.New("ERROR without its NUL")
		}
		return false, &Error{binary.BigEndian.Uint16(b[2:]), text}
	case 6:
		return t.oack(b[2:])
	default:
		return false, fmt.Errorf("opcode %d", op)
	}
}

func (t *transfer) oack(b []byte) (done bool, err error) {
	if t.last != 0 || t.res.Bytes != 0 {
		return false, nil // A repetition that was on its way.
	}
	fields := strings.Split(string(b), "\x00")
	if len(fields)%2 != 1 || fields[len(fields)-1] != "" {
		return false, fmt.Errorf("OACK %q is not made of pairs", b)
	}
	asked := map[string]int64{
		"blksize": int64(t.BlockSize), "windowsize": int64(t.Window), "timeout": int64(t.Timeout),
	}
	for i := 0; i+1 < len(fields); i += 2 {
		name := strings.ToLower(fields[i])
		value, err := strconv.ParseInt(fields[i+1], 10, 64)
		switch {
		case err != nil:
			return false, fmt.Errorf("OACK: %w", err)
		case name == "tsize" && !t.Size, name != "tsize" && asked[name] == 0:
			return false, fmt.Errorf("OACK has %q, which was not asked for", name)
		case name != "tsize" && value > asked[name], name == "timeout" && value != asked[name]:
			return false, fmt.Errorf("OACK has %s %d, asked %d", name, value, asked[name])
		}
		t.res.Options[name] = value
	}
	if n, ok := t.res.Options["blksize"]; ok {
		t.blockSize = int(n)
	}
	if n, ok := t.res.Options["windowsize"]; ok {
		t.window = int(n)
	}
	if t.Probe {
		return true, t.send([]byte("\x00\x05\x00\x08User aborted the transfer\x00"))
	}
	return false, t.send(t.ackPacket())
}

func (t *transfer) data(block uint16, data []byte) (done bool, err error) {
	if len(data) > t.blockSize {
		return false, fmt.Errorf("block of %d bytes, agreed %d", len(data), t.blockSize)
	}
	switch ahead := block - t.last; {
	case ahead == 1:
	case t.window > 1 && ahead != 0 && int(ahead) <= t.window && !t.complain:
		t.complain, t.pending = true, 0 // A gap: say once what came last (RFC 7440 §4).
		return false, t.send(t.ackPacket())
	case t.window == 1 && ahead == 0 && t.last != 0:
		return false, t.send(t.ackPacket()) // Our acknowledgement was lost.
	case t.window == 1 && ahead != 0 && ahead < 1<<15:
		return false, fmt.Errorf("block %d after %d", block, t.last)
	default:
		return false, nil
	}
	t.last, t.complain = block, false
	t.pending++
	t.res.Bytes += int64(len(data))
	if _, err := t.w.Write(data); err != nil {
		return false, err
	}
	done = len(data) < t.blockSize
	if done || t.pending >= t.window {
		t.pending = 0
		return done, t.send(t.ackPacket())
	}
	return false, nil
}

// linger answers repetitions of the last block, as RFC 1350 §6 asks.
func (t *transfer) linger() {
	if t.Linger == 0 || t.Probe {
		return
	}
	_ = t.conn.SetReadDeadline(time.Now().Add(t.Linger))
	for {
		b, err := t.read()
		if err != nil {
			return
		}
		if len(b) >= 4 && b[1] == 3 {
			_ = t.send(t.ackPacket())
		}
	}
}

// abort tells the server, unless it was the one to end the transfer.
func (t *transfer) abort(err error) {
	var told *Error
	if t.answered && !errors.As(err, &told) {
		_ = t.send([]byte("\x00\x05\x00\x04" + "illegal operation\x00"))
	}
}

func (t *transfer) ackPacket() []byte {
	binary.BigEndian.PutUint16(t.out[:], 4)
	binary.BigEndian.PutUint16(t.out[2:], t.last)
	return t.out[:]
}

func (t *transfer) send(b []byte) error {
	_, err := t.conn.WriteToUDPAddrPort(b, t.to)
	return err
}
