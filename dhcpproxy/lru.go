package dhcpproxy

// An lru is a map of at most max entries. Adding one more forgets the entry
// that was not used for longest. Its zero value with max set is empty.
//
// The entries lie in one slice and know each other by number, so that a table
// without pointers in K and V costs the garbage collector nothing.
type lru[K comparable, V any] struct {
	max     int
	numbers map[K]int32
	entries []lruEntry[K, V] // entry 0 is the ring's anchor: its next is the latest, its prev the oldest
}

type lruEntry[K comparable, V any] struct {
	key        K
	value      V
	next, prev int32
}

// len returns the number of entries.
func (l *lru[K, V]) len() int { return len(l.numbers) }

// peek returns the value of key without changing anything, or nil. It is valid
// until the next call of at.
func (l *lru[K, V]) peek(key K) *V {
	if n, ok := l.numbers[key]; ok {
		return &l.entries[n].value
	}
	return nil
}

// at returns the value of key, adding a zero one if there is none. It is valid
// until the next call.
func (l *lru[K, V]) at(key K) *V {
	if l.numbers == nil {
		l.numbers = make(map[K]int32)
		l.entries = make([]lruEntry[K, V], 1)
	}
	n, ok := l.numbers[key]
	switch {
	case ok:
		l.unlink(n)
	case l.len() < l.max:
		n = int32(len(l.entries))
		l.entries = append(l.entries, lruEntry[K, V]{key: key})
	default:
		n = l.entries[0].prev
		l.unlink(n)
		delete(l.numbers, l.entries[n].key)
		l.entries[n] = lruEntry[K, V]{key: key}
	}
	if !ok {
		l.numbers[key] = n
	}
	l.link(n)
	return &l.entries[n].value
}

// link makes entry n the latest.
func (l *lru[K, V]) link(n int32) {
	first := l.entries[0].next
	l.entries[n].next, l.entries[n].prev = first, 0
	l.entries[first].prev = n
	l.entries[0].next = n
}

func (l *lru[K, V]) unlink(n int32) {
	e := &l.entries[n]
	l.entries[e.prev].next, l.entries[e.next].prev = e.next, e.prev
}
