package pxemodel

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// A Socket is one port of a [Host]. Its methods may be called concurrently.
type Socket struct {
	host   *Host
	port   uint16
	queue  chan Datagram
	closed chan struct{}
	once   sync.Once

	mu       sync.Mutex
	deadline time.Time
	changed  chan struct{} // closed when deadline is set anew
}

// Listen opens a port. Until it is closed, datagrams to the port go to the
// socket instead of [Host.Receive].
func (h *Host) Listen(port uint16) *Socket {
	s := &Socket{
		host: h, port: port, queue: make(chan Datagram, queueLen),
		closed: make(chan struct{}), changed: make(chan struct{}),
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sockets[port] = s
	return s
}

// Port returns the port that the socket was opened with.
func (s *Socket) Port() uint16 { return s.port }

// Read returns the next datagram. It fails with [os.ErrDeadlineExceeded] once
// the read deadline has passed and with [net.ErrClosed] after Close.
func (s *Socket) Read() (Datagram, error) {
	for {
		s.mu.Lock()
		deadline, changed := s.deadline, s.changed
		s.mu.Unlock()
		select {
		case <-s.closed:
			return Datagram{}, net.ErrClosed
		default:
		}
		var expired <-chan time.Time
		if !deadline.IsZero() {
			if !time.Now().Before(deadline) {
				return Datagram{}, os.ErrDeadlineExceeded
			}
			expired = time.After(time.Until(deadline))
		}
		select {
		case d := <-s.queue:
			return d, nil
		case <-expired:
			return Datagram{}, os.ErrDeadlineExceeded
		case <-s.closed:
			return Datagram{}, net.ErrClosed
		case <-changed:
		}
	}
}

// Write sends a datagram from the socket's port.
func (s *Socket) Write(b []byte, dst netip.AddrPort) error {
	return s.host.Send(Datagram{Src: netip.AddrPortFrom(netip.Addr{}, s.port), Dst: dst, Payload: b})
}

// SetReadDeadline makes Read fail from t on; the zero time lifts it.
func (s *Socket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// Close makes Read fail and gives the port back.
func (s *Socket) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.host.mu.Lock()
		delete(s.host.sockets, s.port)
		s.host.mu.Unlock()
	})
	return nil
}
