package ipxe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
)

// A Ledger remembers which machines have used their turn of [Once]. Keys are
// MAC addresses in lower case with colons. Its methods are called
// concurrently. Servers that share a ledger share the turns.
type Ledger interface {
	Get(ctx context.Context, key string) (bool, error)
	Set(ctx context.Context, key string, used bool) error
}

// memoryLedger forgets when the process ends.
type memoryLedger struct{ used sync.Map }

func (l *memoryLedger) Get(_ context.Context, key string) (bool, error) {
	_, ok := l.used.Load(key)
	return ok, nil
}

func (l *memoryLedger) Set(_ context.Context, key string, used bool) error {
	if used {
		l.used.Store(key, true)
	} else {
		l.used.Delete(key)
	}
	return nil
}

// dirLedger keeps an empty file per key.
type dirLedger struct{ root *os.Root }

// NewDirLedger returns a ledger that keeps one empty file per machine in
// root, such as 52-54-00-12-34-56. A file that is removed by hand arms its
// machine. Processes may share the folder. The caller closes root, after its
// last use.
func NewDirLedger(root *os.Root) Ledger { return &dirLedger{root: root} }

func (l *dirLedger) Get(_ context.Context, key string) (bool, error) {
	_, err := l.root.Stat(fileName(key))
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	default:
		return false, fmt.Errorf("ipxe: read ledger: %w", err)
	}
}

func (l *dirLedger) Set(_ context.Context, key string, used bool) error {
	if err := l.set(fileName(key), used); err != nil {
		return fmt.Errorf("ipxe: write ledger: %w", err)
	}
	return nil
}

func (l *dirLedger) set(name string, used bool) error {
	if !used {
		if err := l.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return l.sync()
	}
	f, err := l.root.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return err
	}
	return l.sync()
}

// sync makes the folder's content outlive a power cut, where the system lets
// a folder be synced.
func (l *dirLedger) sync() error {
	dir, err := l.root.Open(".")
	if err != nil {
		return err
	}
	_ = dir.Sync() // Windows refuses, and needs it not.
	return dir.Close()
}

// fileName makes a key a name that every file system takes.
func fileName(key string) string { return strings.ReplaceAll(key, ":", "-") }
