package dhcpproxy

import (
	"hash/maphash"
	"sync"
	"time"
)

// maxMachines bounds how many machines are remembered, at about 320 bytes each.
const maxMachines = 10_000

// retransmission is the longest time between two tries of one request; UEFI
// firmware waits 4, 8, 16 and 32 seconds.
const retransmission = 35 * time.Second

// introduction is how long a machine that a relay agent passed on may ask on
// port 4011 by itself: as long as the whole of UEFI's PXE takes.
const introduction = 5 * time.Minute

// machines remembers how often each machine asks, and what it was offered.
// It is safe for concurrent use.
type machines struct {
	cfg   *config
	seed  maphash.Seed
	start time.Time

	mu    sync.Mutex
	known lru[[6]byte, machine]
}

// A machine is what is remembered of one hardware address. Times count from
// machines.start: there are no pointers in it.
type machine struct {
	known  bool
	tokens float64 // packets that may be answered now
	filled time.Duration
	until  time.Duration // when the introduction by a relay agent ends
	rounds [numClients]round
}

// A round counts how often a machine, as one kind of client, was offered the
// same file.
type round struct {
	file  uint64 // hash of the boot file
	xid   [4]byte
	count int32
	first time.Duration // when counting began
	last  time.Duration
}

func newMachines(cfg *config) *machines {
	return &machines{
		cfg:   cfg,
		seed:  maphash.MakeSeed(),
		start: time.Now(),
		known: lru[[6]byte, machine]{max: maxMachines},
	}
}

// allow takes a token from the machine's bucket and reports whether there was
// one. A dry run takes none.
func (ms *machines) allow(mac [6]byte, at time.Time, dry bool) bool {
	if ms.cfg.rate == 0 {
		return true
	}
	ms.mu.Lock()
	defer ms.mu.Unlock()
	if dry && ms.known.peek(mac) == nil {
		return true
	}
	now, m := at.Sub(ms.start), ms.known.at(mac)
	tokens := float64(ms.cfg.rate)
	if m.known {
		tokens = min(tokens, m.tokens+(now-m.filled).Seconds()*tokens/ms.cfg.ratePeriod.Seconds())
	}
	if dry {
		return tokens >= 1
	}
	m.known, m.tokens, m.filled = true, tokens, now
	if tokens < 1 {
		return false
	}
	m.tokens--
	return true
}

// introduce remembers that a relay agent has passed the machine on.
func (ms *machines) introduce(mac [6]byte, at time.Time) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	ms.known.at(mac).until = at.Sub(ms.start) + introduction
}

// introduced reports whether a relay agent has passed the machine on lately.
func (ms *machines) introduced(mac [6]byte, at time.Time) bool {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	m := ms.known.peek(mac)
	return m != nil && at.Sub(ms.start) < m.until
}

// repeats returns how many times the machine was offered the same file.
func (ms *machines) repeats(mac [6]byte, client Client, at time.Time) int {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	m := ms.known.peek(mac)
	if m == nil || at.Sub(ms.start)-m.rounds[client].first > ms.cfg.loopWindow {
		return 0
	}
	return int(m.rounds[client].count)
}

// offered counts an offer, unless it repeats one for a retransmission, and
// returns the new count. Retransmissions carry the same transaction ID within
// seconds; some ROMs use the same one at every boot.
func (ms *machines) offered(mac [6]byte, client Client, file string, xid [4]byte, at time.Time) (count int, fresh bool) {
	ms.mu.Lock()
	defer ms.mu.Unlock()
	now, r := at.Sub(ms.start), &ms.known.at(mac).rounds[client]
	hash := maphash.String(ms.seed, file)
	if r.count == 0 || r.file != hash || now-r.first > ms.cfg.loopWindow {
		*r = round{file: hash, xid: xid, count: 1, first: now, last: now}
		return 1, true
	}
	again := r.xid == xid && now-r.last < retransmission
	r.xid, r.last = xid, now
	if !again {
		r.count++
	}
	return int(r.count), !again
}
