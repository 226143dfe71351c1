package dhcpproxy

import (
	"net"
	"net/netip"
	"runtime"
	"sync"

	"golang.org/x/net/ipv4"
)

// maxBatch is how many packets one system call moves. In a rush of machines
// most of the time goes into waking up whoever waits for a packet, once for
// each system call.
const maxBatch = 32

// A batchReader reads several packets at a time and hands them out one by one.
type batchReader struct {
	conn     *ipv4.PacketConn
	messages []ipv4.Message
	ready    []ipv4.Message // read, and not yet handed out
}

func newBatchReader(conn *ipv4.PacketConn) *batchReader {
	r := &batchReader{conn: conn, messages: make([]ipv4.Message, maxBatch)}
	for i := range r.messages {
		r.messages[i] = ipv4.Message{Buffers: [][]byte{make([]byte, bufferLen)}, OOB: make([]byte, oobLen)}
	}
	return r
}

// next copies a packet into b and returns its length, control message and
// sender.
func (r *batchReader) next(b []byte) (n int, oob []byte, src netip.AddrPort, err error) {
	if len(r.ready) == 0 {
		got, err := r.conn.ReadBatch(r.messages, 0)
		if err != nil {
			return 0, nil, src, err
		}
		r.ready = r.messages[:got]
	}
	m := &r.ready[0]
	r.ready = r.ready[1:]
	if from, ok := m.Addr.(*net.UDPAddr); ok {
		src = from.AddrPort()
	}
	return copy(b, m.Buffers[0][:m.N]), m.OOB[:m.NN], src, nil
}

// A batchWriter sends together what several goroutines want to send at the
// same time.
type batchWriter struct {
	conn *ipv4.PacketConn

	mu      sync.Mutex
	waiting *batch // being filled; nil if nobody sends
}

// A batch is sent by the goroutine that began it.
type batch struct {
	messages []ipv4.Message
	errs     []error
	sent     chan struct{}
}

// write sends b, and returns when it was sent.
func (w *batchWriter) write(m ipv4.Message) error {
	w.mu.Lock()
	own := w.waiting == nil || len(w.waiting.messages) == maxBatch
	if own {
		w.waiting = &batch{sent: make(chan struct{})}
	}
	bt, place := w.waiting, len(w.waiting.messages)
	bt.messages = append(bt.messages, m)
	w.mu.Unlock()
	if !own {
		<-bt.sent
		return bt.errs[place]
	}
	runtime.Gosched() // Those who are about to send come along.
	w.mu.Lock()
	if w.waiting == bt {
		w.waiting = nil
	}
	w.mu.Unlock()
	bt.send(w.conn)
	return bt.errs[0]
}

// send sends every message: a system call stops at the first that fails.
func (bt *batch) send(conn *ipv4.PacketConn) {
	defer close(bt.sent)
	bt.errs = make([]error, len(bt.messages))
	for done := 0; done < len(bt.messages); {
		n, err := conn.WriteBatch(bt.messages[done:], 0)
		done += max(n, 0)
		if err != nil && done < len(bt.messages) {
			bt.errs[done] = err
			done++
		}
	}
}
