package artifacts

import (
	"context"
	"sync"
)

// turns lets one goroutine at a time work on a key. The zero value is ready.
type turns struct {
	mu   sync.Mutex
	keys map[string]*turn
}

type turn struct {
	token chan struct{} // holds one value while nobody works
	users int           // who work or wait
}

// take waits for the turn to work on key, and returns how to end it.
func (t *turns) take(ctx context.Context, key string) (end func(), err error) {
	t.mu.Lock()
	if t.keys == nil {
		t.keys = make(map[string]*turn)
	}
	k := t.keys[key]
	if k == nil {
		k = &turn{token: make(chan struct{}, 1)}
		k.token <- struct{}{}
		t.keys[key] = k
	}
	k.users++
	t.mu.Unlock()

	select {
	case <-k.token:
		return func() { k.token <- struct{}{}; t.leave(key, k) }, nil
	case <-ctx.Done():
		t.leave(key, k)
		return nil, ctx.Err()
	}
}

func (t *turns) leave(key string, k *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k.users--; k.users == 0 {
		delete(t.keys, key)
	}
}
