package dhcpproxy

import "container/list"

// An lru is a map of at most max entries. Adding one more forgets the entry
// that was not used for longest. Its zero value with max set is empty.
type lru[K comparable, V any] struct {
	max     int
	entries map[K]*list.Element
	order   list.List // of *lruEntry, the latest first
}

type lruEntry[K comparable, V any] struct {
	key   K
	value V
}

// peek returns the value of key without changing anything, or nil.
func (l *lru[K, V]) peek(key K) *V {
	if e, ok := l.entries[key]; ok {
		return &e.Value.(*lruEntry[K, V]).value
	}
	return nil
}

// at returns the value of key, adding a zero one if there is none.
func (l *lru[K, V]) at(key K) *V {
	if e, ok := l.entries[key]; ok {
		l.order.MoveToFront(e)
		return &e.Value.(*lruEntry[K, V]).value
	}
	if l.entries == nil {
		l.entries = make(map[K]*list.Element)
	}
	if len(l.entries) >= l.max {
		oldest := l.order.Back()
		delete(l.entries, l.order.Remove(oldest).(*lruEntry[K, V]).key)
	}
	entry := &lruEntry[K, V]{key: key}
	l.entries[key] = l.order.PushFront(entry)
	return &entry.value
}
