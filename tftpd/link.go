package tftpd

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	minWait         = 100 * time.Millisecond // Shorter is silence of a busy client, not loss.
	unprovenRetries = 1                      // How often to send again to who never answered.
	quietTries      = 3                      // How often to send again before a client may start anew.
	maxRefusals     = 3                      // ICMP's word that nobody listens, in a row.
	maxPatience     = time.Minute            // Bounds what a client's own long timeout can hold.
	linger          = 20 * time.Millisecond  // For the last acknowledgement, when told to stop.
)

// errSilence says that it is time to send again.
var errSilence = errors.New("no acknowledgement in time")

// A peerError is an ERROR packet of the client. It is never answered.
type peerError struct {
	code Code
	text string
}

func (e *peerError) Error() string { return fmt.Sprintf("client says code %d, %q", e.code, e.text) }
func (e *peerError) Unwrap() error { return ErrAborted }

// A link is the connected socket of one transfer together with the clock that
// says when to send again and when to give up. Only stop may be called from
// another goroutine.
//
// An address is proven once the client has answered. Until then the link sends
// hardly more than it was sent, so that a forged request cannot turn the server
// on somebody else.
type link struct {
	conn     net.Conn
	timeout  time.Duration // the longest wait
	patience time.Duration // how long a client may be silent
	proven   bool
	repeated int // packets or windows sent again, in all

	wait     time.Duration // how long to wait this time
	sentAt   time.Time     // when the last packet was sent
	wakeAt   time.Time     // when to send again
	since    time.Time     // when progress was made last
	tries    int           // how often sent again since then
	refusals int
	quiet    *atomic.Bool  // set while a proven client keeps silent
	srtt     time.Duration // smoothed round trip (RFC 6298 §2), 0 if unknown
	rttvar   time.Duration
	minRTT   time.Duration

	mu       sync.Mutex
	deadline time.Time // of conn
	stopped  error     // why stop was called

	in [maxRequestSize]byte
}

// newLink returns a link over conn. The client's own timeout, unless it is 0,
// takes the place of the server's as the longest wait (RFC 2349).
func newLink(conn net.Conn, cfg *config, timeout time.Duration, quiet *atomic.Bool) *link {
	l := &link{
		conn:     conn,
		timeout:  cfg.timeout,
		patience: time.Duration(cfg.retries+1) * cfg.timeout,
		wait:     cfg.timeout,
		quiet:    quiet,
		since:    time.Now(),
	}
	if timeout != 0 {
		l.timeout = timeout
		l.patience = max(2*timeout, min(time.Duration(cfg.retries+1)*timeout, maxPatience))
		l.wait = min(l.wait, timeout)
	}
	return l
}

// exchange sends pkt until the client acknowledges block.
func (l *link) exchange(pkt []byte, block uint16) error {
	for {
		if err := l.send(pkt); err != nil {
			return err
		}
		l.arm()
		err := l.awaitBlock(block)
		if err == nil {
			l.progress(l.tries == 0)
			return nil
		}
		if !errors.Is(err, errSilence) {
			return err
		}
		if err := l.retry(); err != nil {
			return err
		}
	}
}

// awaitBlock passes over acknowledgements of other blocks. To answer those
// would double every packet from then on (RFC 1123 §4.2.3.1).
func (l *link) awaitBlock(block uint16) error {
	for {
		got, err := l.ack()
		if err != nil || got == block {
			return err
		}
	}
}

// send sends one packet. Failures that may pass are left to the clock.
func (l *link) send(pkt []byte) error {
	_, err := l.conn.Write(pkt)
	if err == nil || passing(err) {
		return l.refusedBy(err)
	}
	return fmt.Errorf("write: %v", err)
}

// arm starts the wait for an answer to what was just sent.
func (l *link) arm() {
	l.sentAt = time.Now()
	l.wakeAt = l.sentAt.Add(l.wait)
	// Setting a deadline costs more than a packet's share, so one lasts for many.
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped == nil && (l.deadline.Before(l.wakeAt) || l.deadline.After(l.wakeAt.Add(l.wait))) {
		l.deadline = l.wakeAt.Add(l.wait / 4)
		_ = l.conn.SetReadDeadline(l.deadline)
	}
}

// ack returns the number of the next block that the client acknowledges, or
// errSilence when it is time to send again.
func (l *link) ack() (uint16, error) {
	for {
		n, err := l.conn.Read(l.in[:])
		if err != nil {
			if err := l.readFailed(err); err != nil {
				return 0, err
			}
			continue
		}
		switch pkt := l.in[:n]; opcode(pkt) {
		case opACK:
			return blockNumber(pkt), nil
		case opERROR:
			text := cutNUL(pkt[headerSize:])
			return 0, &peerError{Code(blockNumber(pkt)), text}
		}
	}
}

// readFailed returns nil to read on.
func (l *link) readFailed(err error) error {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.stopped != nil {
			return l.stopped
		}
		return errSilence
	case passing(err):
		return l.refusedBy(err)
	default:
		return fmt.Errorf("read: %v", err)
	}
}

// refusedBy counts ICMP's messages that nobody listens. One may be forged, or
// the client be between two receives; several in a row mean that it is gone.
func (l *link) refusedBy(err error) error {
	if err == nil {
		return nil
	}
	if l.refusals++; l.refusals >= maxRefusals {
		return fmt.Errorf("%w: nobody listens at its port", ErrAborted)
	}
	return nil
}

// passing says whether a socket can be used further after err.
func passing(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EHOSTUNREACH) || errors.Is(err, syscall.ENETUNREACH) ||
		errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.EPERM)
}

// retry counts a repetition, or says that there have been enough.
func (l *link) retry() error {
	if silent := time.Since(l.since); silent >= l.patience || !l.proven && l.tries >= unprovenRetries {
		return fmt.Errorf("no acknowledgement for %v: %w", silent.Round(time.Millisecond), os.ErrDeadlineExceeded)
	}
	l.tries++
	l.repeated++
	if l.proven && l.tries == quietTries {
		l.quiet.Store(true)
	}
	l.wait = min(2*l.wait, l.timeout)
	return nil
}

// progress starts the clock anew after the client acknowledged something new.
// The round trip is measured only if what it acknowledged was sent once
// (RFC 6298 §3).
func (l *link) progress(once bool) {
	now := time.Now()
	if once {
		l.measure(now.Sub(l.sentAt))
	}
	if l.tries >= quietTries {
		l.quiet.Store(false)
	}
	l.since, l.tries, l.refusals, l.proven = now, 0, 0, true
	l.wait = l.timeout
	if l.srtt != 0 {
		l.wait = min(max(l.srtt+4*l.rttvar, minWait), l.timeout)
	}
}

func (l *link) measure(rtt time.Duration) {
	if l.srtt == 0 {
		l.srtt, l.rttvar, l.minRTT = rtt, rtt/2, rtt
		return
	}
	l.rttvar += ((rtt - l.srtt).Abs() - l.rttvar) / 4
	l.srtt += (rtt - l.srtt) / 8
	l.minRTT = min(l.minRTT, rtt)
}

// stop ends the transfer for the reason given, once an acknowledgement that is
// already on its way has had time to arrive.
func (l *link) stop(reason error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stopped = reason
	_ = l.conn.SetReadDeadline(time.Now().Add(linger))
}

// abort tells the client that the transfer has failed, unless it knows, has
// gone on to another or was never there.
func (l *link) abort(err error) {
	gone := !l.proven && errors.Is(err, os.ErrDeadlineExceeded)
	if err == nil || gone || errors.Is(err, ErrAborted) || errors.Is(err, ErrSuperseded) {
		return
	}
	_, _ = l.conn.Write(errorPacket(err))
}
