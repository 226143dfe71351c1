package tftpd

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"sync/atomic"
	"time"
)

// A session is one request, from its arrival to the end of its transfer.
type session struct {
	srv    *Server
	listen *listener
	packet []byte         // the request as it came
	peer   netip.AddrPort // who sent it
	asked  netip.Addr     // to which of our addresses, if known
	start  time.Time

	req    request
	cancel context.CancelCauseFunc // ends the session
	quiet  atomic.Bool             // The client answered once, and then stopped.
}

// run serves the request and returns how that went.
func (s *session) run(ctx context.Context) Transfer {
	t := Transfer{Name: s.req.name, Peer: s.peer}
	if err := recovered(func() error { return s.serve(ctx, &t) }); err != nil {
		op := "send"
		if t.BlockSize == 0 {
			op = "open"
			s.tell(err)
		}
		t.Err = s.failure(op, err)
	}
	t.Duration = time.Since(s.start)
	return t
}

// serve opens the file and sends it, and fills in t.
func (s *session) serve(ctx context.Context, t *Transfer) error {
	file, err := s.srv.handler.OpenTFTP(ctx, s.req.name, s.peer)
	if err != nil {
		return err
	}
	if file == nil {
		return errors.New("handler returned no file")
	}
	if c, ok := file.(io.Closer); ok {
		defer func() { _ = c.Close() }()
	}
	t.Size = file.Size()
	conn, err := dial(s.peer, s.asked)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()

	agreed := negotiate(s.req, t.Size, &s.srv.cfg)
	t.BlockSize, t.Window = agreed.blockSize, agreed.window
	l := newLink(conn, &s.srv.cfg, agreed.timeout, &s.quiet)
	defer context.AfterFunc(ctx, func() { l.stop(context.Cause(ctx)) })()

	err = s.send(l, file, agreed, t)
	t.Repeated = l.repeated
	if told := (*peerError)(nil); errors.As(err, &told) && agreed.sized && !l.proven {
		t.Probe = true
		return nil
	}
	l.abort(err)
	return err
}

// send lets pin/tftp send what RFC 1350 alone describes, and sends itself what
// options were agreed for.
func (s *session) send(l *link, file File, agreed terms, t *Transfer) error {
	buf := s.srv.buffers.Get().(*buffer)
	defer s.srv.buffers.Put(buf)
	ra := &readAhead{file: file, size: t.Size, buf: buf.file[:]}

	if agreed.oack == nil {
		e := newEngine(l, s.req.netascii)
		err := e.run(io.NewSectionReader(ra, 0, t.Size))
		t.Bytes = e.bytes
		return err
	}
	if err := l.exchange(agreed.oack, 0); err != nil {
		return err
	}
	w := newSender(l, ra, agreed, buf.packet(agreed.blockSize))
	err := recovered(w.run)
	t.Bytes = w.bytes()
	return err
}

func (s *session) failure(op string, err error) *Error {
	return &Error{Op: op, Name: s.req.name, Peer: s.peer, Code: codeFor(err), Err: err}
}

// tell says on the port for requests why there is no transfer.
func (s *session) tell(err error) {
	_ = s.listen.write(errorPacket(err), s.peer, s.asked) // If it is lost, the client asks again.
}

// A buffer is the memory of one transfer.
type buffer struct {
	file [readAheadSize]byte
	data []byte
}

// packet returns room for a DATA packet.
func (b *buffer) packet(blockSize int) []byte {
	if need := headerSize + blockSize; cap(b.data) < need {
		b.data = make([]byte, need)
	}
	return b.data[:headerSize+blockSize]
}
