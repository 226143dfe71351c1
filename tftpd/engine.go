package tftpd

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/pin/tftp/v3"
)

// errEngine says that the engine ended without having served its request.
var errEngine = errors.New("engine did not start")

// An engine runs one transfer without options on pin/tftp.
//
// The library gets a server of its own for each transfer, and the engine as
// the only network that it sees. It reads from there a request which this
// package wrote, and then nothing but the acknowledgement it waits for; what it
// writes goes out through the transfer's link, which repeats it, gives up, and
// lets no ERROR pass. So none of the library's own timers, sockets, limits or
// error texts is in use, and no byte of a client reaches its parser.
//
// In the library's mode for a single port, which this is, a packet that arrives
// while a transfer ends can be sent on a closed channel. Here none can: there
// is one acknowledgement for each packet written, and none after the last.
type engine struct {
	link  *link
	bytes int64 // acknowledged, as they were sent

	request []byte        // what the library reads first
	acks    chan uint16   // and then; holds one
	done    chan struct{} // closed when the library has finished
	once    sync.Once     // closes done
}

func newEngine(l *link, netascii bool) *engine {
	request := "\x00\x01-\x00octet\x00"
	if netascii {
		request = "\x00\x01-\x00netascii\x00"
	}
	return &engine{
		link:    l,
		request: []byte(request),
		acks:    make(chan uint16, 1),
		done:    make(chan struct{}),
	}
}

// run sends all of r and returns once the last block is acknowledged.
func (e *engine) run(r io.Reader) error {
	err := errEngine
	var srv *tftp.Server
	srv = tftp.NewServer(func(_ string, rf io.ReaderFrom) error {
		defer srv.Shutdown()
		err = recovered(func() error {
			_, err := rf.ReadFrom(r)
			return err
		})
		return nil // The link tells the client.
	}, nil)
	srv.EnableSinglePort()
	srv.SetTimeout(math.MaxInt64) // The link has the clock.
	if failed := recovered(func() error { return srv.Serve(e) }); failed != nil {
		return failed
	}
	return err
}

// ReadFrom gives the library its request, and then the acknowledgement of each
// packet it has written.
func (e *engine) ReadFrom(b []byte) (int, net.Addr, error) {
	if e.request != nil {
		n := copy(b, e.request)
		e.request = nil
		return n, engineAddr(), nil
	}
	select {
	case block := <-e.acks:
		b[0], b[1], b[2], b[3] = 0, opACK, byte(block>>8), byte(block)
		return headerSize, engineAddr(), nil
	case <-e.done:
		return 0, nil, os.ErrDeadlineExceeded
	}
}

// WriteTo sends what the library has written and waits until the client has
// acknowledged it. An error ends the transfer.
func (e *engine) WriteTo(b []byte, _ net.Addr) (int, error) {
	if opcode(b) != opDATA {
		return len(b), nil // An ERROR, with a text from inside.
	}
	block := blockNumber(b)
	if err := e.link.exchange(b, block); err != nil {
		return 0, err
	}
	e.bytes += int64(len(b) - headerSize)
	e.acks <- block
	return len(b), nil
}

// SetReadDeadline is how the library's Shutdown makes ReadFrom return.
func (e *engine) SetReadDeadline(time.Time) error {
	e.once.Do(func() { close(e.done) })
	return nil
}

// LocalAddr and the rest make an engine a [net.PacketConn].
func (e *engine) LocalAddr() net.Addr              { return engineAddr() }
func (e *engine) SetDeadline(time.Time) error      { return nil }
func (e *engine) SetWriteDeadline(time.Time) error { return nil }
func (e *engine) Close() error                     { return nil }

// engineAddr stands for every address that the library sees.
func engineAddr() *net.UDPAddr { return &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 69} }

// recovered calls f and returns a panic as an error.
func recovered(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &panicError{p, debug.Stack()}
		}
	}()
	return f()
}

// A panicError is a panic of the handler, of its file or of the engine.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }
