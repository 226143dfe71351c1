package dhcpproxy

import (
	"hash/maphash"
	"sync"
	"time"
)

// maxMachines bounds how many machines are remembered, at about 400 bytes each.
const maxMachines = 10_000

// machines remembers how often each machine asks, and what it was offered.
// It is safe for concurrent use.
type machines struct {
	cfg  *config
	seed maphash.Seed

	mu    sync.Mutex
	known lru[[6]byte, machine]
}

// A machine is what is remembered of one hardware address.
type machine struct {
	tokens float64 // packets that may be answered now
	filled time.Time
	rounds [numClients]round
}

// A round counts how often a machine, as one kind of client, was offered the
// same file.
type round struct {
	file  uint64 // hash of the boot file
	xid   [4]byte
	count int
	first time.Time // when counting began
	last  time.Time
}

func newMachines(cfg *config) *machines {
	return &machines{cfg: cfg, seed: maphash.MakeSeed(), known: lru[[6]byte, machine]{max: maxMachines}}
}

// allow takes a token from the machine's bucket and reports whether there was
// one. A dry run takes none.
func (ms *machines) allow(mac [6]byte, now time.Time, dry bool) bool {
	if ms.cfg.rate == 0 {
		return true
	}
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if dry && ms.known.peek(mac) == nil {
		return true
	}
	m := ms.known.at(mac)
	tokens := float64(ms.cfg.rate)
	if !m.filled.IsZero() {
		tokens = min(tokens, m.tokens+now.Sub(m.filled).Seconds()*tokens/ms.cfg.ratePeriod.Seconds())
	}
	if dry {
		return tokens >= 1
	}
	m.tokens, m.filled = tokens, now
	if tokens < 1 {
		return false
	}
	m.tokens--
	return true
}

// repeats returns how many times the machine was offered the same file.
func (ms *machines) repeats(mac [6]byte, client Client, now time.Time) int {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	m := ms.known.peek(mac)
	if m == nil || now.Sub(m.rounds[client].first) > ms.cfg.loopWindow {
		return 0
	}
	return m.rounds[client].count
}

// offered counts an offer, unless it repeats one for a retransmission, and
// returns the new count. Retransmissions carry the same transaction ID within
// seconds; some ROMs use the same one at every boot.
func (ms *machines) offered(mac [6]byte, client Client, file string, xid [4]byte, now time.Time) (count int, fresh bool) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	r := &ms.known.at(mac).rounds[client]
	hash := maphash.String(ms.seed, file)
	if r.file != hash || now.Sub(r.first) > ms.cfg.loopWindow {
		*r = round{file: hash, xid: xid, count: 1, first: now, last: now}
		return 1, true
	}
	if r.xid == xid && now.Sub(r.last) < retransmission {
		r.last = now
		return r.count, false
	}
	r.xid, r.last = xid, now
	r.count++
	return r.count, true
}

// retransmission is the longest time between two tries of one request; UEFI
// firmware waits 4, 8, 16 and 32 seconds.
const retransmission = 35 * time.Second
