package timeline

import (
	"container/list"
	"slices"
	"sync"
	"time"
)

const (
	maxMachines = 4096             // machines remembered
	maxSteps    = 256              // steps remembered of each machine
	newBoot     = 15 * time.Minute // after such a silence a machine starts anew
)

// A Timeline collects steps. It is safe for concurrent use.
type Timeline struct {
	observe  func(Step)
	mu       sync.Mutex
	machines map[string]*list.Element // of *machine
	recent   *list.List               // newest first
}

type machine struct {
	mac   string
	steps []Step // of the current boot, oldest first
}

// New returns an empty Timeline that hands every step to observe, one at a
// time.
func New(observe func(Step)) *Timeline {
	return &Timeline{observe: observe, machines: make(map[string]*list.Element), recent: list.New()}
}

// Add appends s to the timeline of its machine. A zero Time is now.
func (t *Timeline) Add(s Step) {
	if s.Time.IsZero() {
		s.Time = time.Now()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if s.MAC != "" && s.Stage != Ignored {
		t.remember(s)
	}
	t.observe(s)
}

// Boot returns the steps of the last boot of the machine with the address
// mac, in colon form and lower case, oldest first.
func (t *Timeline) Boot(mac string) []Step {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.machines[mac]; ok {
		return slices.Clone(e.Value.(*machine).steps)
	}
	return nil
}

func (t *Timeline) remember(s Step) {
	e, ok := t.machines[s.MAC]
	if !ok {
		e = t.recent.PushFront(&machine{mac: s.MAC})
		t.machines[s.MAC] = e
	}
	t.recent.MoveToFront(e)
	m := e.Value.(*machine)
	if startsAnew(m.steps, s) {
		m.steps = nil
	}
	if len(m.steps) == maxSteps {
		m.steps = slices.Delete(m.steps, 1, 2) // The first step is where times count from.
	}
	m.steps = append(m.steps, s)
	if t.recent.Len() > maxMachines {
		oldest := t.recent.Back()
		delete(t.machines, t.recent.Remove(oldest).(*machine).mac)
	}
}

// startsAnew reports whether s belongs to another boot than steps. Only
// firmware and boot programs make requests of stage DHCP, so one that follows
// a started kernel means that the machine was reset.
func startsAnew(steps []Step, s Step) bool {
	if len(steps) == 0 || s.Time.Sub(steps[len(steps)-1].Time) > newBoot {
		return true
	}
	ended := func(s Step) bool { return s.Stage == Booting || s.Stage == Local }
	return s.Stage == DHCP && slices.ContainsFunc(steps, ended)
}
