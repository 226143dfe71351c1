package dhcpproxy

import "sync/atomic"

// Stats counts what a [Server] did since it was made.
type Stats struct {
	Received   uint64            // packets read
	Offers     uint64            // answers to a DISCOVER
	Acks       uint64            // answers to a question on port 4011
	Loops      uint64            // machines found in a loop, see EventLoop
	ReadErrors uint64            // failed reads that were survived
	Panics     uint64            // panics of the event function or logger; a handler's are in Ignored
	Ignored    map[Reason]uint64 // packets without an answer, ReasonBusy for those dropped
}

// counters is the live form of Stats.
type counters struct {
	received, offers, acks, loops, readErrors, panics atomic.Uint64
	ignored                                           [numReasons]atomic.Uint64
}

// Stats returns the present counts. Received is the sum of Offers, Acks and
// all of Ignored, save for the packets that are being worked on.
func (s *Server) Stats() Stats {
	st := Stats{
		Received:   s.counters.received.Load(),
		Offers:     s.counters.offers.Load(),
		Acks:       s.counters.acks.Load(),
		Loops:      s.counters.loops.Load(),
		ReadErrors: s.counters.readErrors.Load(),
		Panics:     s.counters.panics.Load(),
		Ignored:    make(map[Reason]uint64),
	}
	for r := range numReasons {
		if n := s.counters.ignored[r].Load(); n > 0 {
			st.Ignored[r] = n
		}
	}
	return st
}
