package ipxe

import (
	"context"
	"net"
	"sync"
)

// Once is a [Booter] that boots each machine from the network once, and then
// sends it to its own disk until it is armed again. Without it an unattended
// installer runs for ever on a machine whose firmware tries the network
// first.
//
// A machine has used its turn when its script has fetched every file and is
// about to start the kernel, not when it merely asked. It is known by its MAC
// address, so one with several interfaces has a turn on each. Once is safe
// for concurrent use.
type Once struct {
	booter Booter
	ledger Ledger
	local  LocalBoot

	mu   sync.Mutex
	used map[string]bool // turns that the ledger failed to record
}

// NewOnce returns a booter that gives each machine one turn of b. Turns are
// remembered in l, which outlives the process so that a restart installs
// nothing anew; nil remembers them in memory. Afterwards machines boot as
// local says; [LocalNone] means [LocalExit].
func NewOnce(b Booter, l Ledger, local LocalBoot) *Once {
	if l == nil {
		l = new(memoryLedger)
	}
	if local == LocalNone {
		local = LocalExit
	}
	return &Once{booter: b, ledger: l, local: local, used: make(map[string]bool)}
}

// BootSpec implements [Booter]. When the ledger fails, so does the request:
// an installer must not run because a disk was full.
func (o *Once) BootSpec(ctx context.Context, m *Machine) (*Spec, error) {
	used, err := o.usedBy(ctx, m.MAC)
	if err != nil {
		return nil, err
	}
	spec, err := o.booter.BootSpec(ctx, m)
	if err != nil || spec == nil || !used {
		return spec, err
	}
	return &Spec{Local: o.local}, nil
}

// OpenBootFile implements [Booter].
func (o *Once) OpenBootFile(ctx context.Context, name string) (File, error) {
	return o.booter.OpenBootFile(ctx, name)
}

// Booting implements [BootingNotifier]: m has used its turn. It tells the
// underlying booter as well, if that wants to know.
func (o *Once) Booting(ctx context.Context, m *Machine) error {
	key := m.MAC.String()
	// The kernel starts whatever happens here, so finish even if the
	// machine has hung up.
	ctx = context.WithoutCancel(ctx)
	err := o.ledger.Set(ctx, key, true)
	o.mu.Lock()
	if err != nil {
		o.used[key] = true
	} else {
		delete(o.used, key)
	}
	o.mu.Unlock()
	if err != nil {
		return err
	}
	if n, ok := o.booter.(BootingNotifier); ok {
		return n.Booting(ctx, m)
	}
	return nil
}

// Rearm gives the machine with this MAC address another turn.
func (o *Once) Rearm(ctx context.Context, mac net.HardwareAddr) error {
	if err := o.ledger.Set(ctx, mac.String(), false); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.used, mac.String())
	return nil
}

func (o *Once) usedBy(ctx context.Context, mac net.HardwareAddr) (bool, error) {
	o.mu.Lock()
	used := o.used[mac.String()]
	o.mu.Unlock()
	if used {
		return true, nil
	}
	return o.ledger.Get(ctx, mac.String())
}
