package netsim

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleepUntil returns at t, late by no more than the kernel's timer slack. The
// timers of the Go runtime count whole milliseconds when nothing else runs.
func sleepUntil(t time.Time) {
	for d := time.Until(t); d > 0; d = time.Until(t) {
		ts := unix.NsecToTimespec(d.Nanoseconds())
		_ = unix.Nanosleep(&ts, nil) // Cut short by a signal, it goes round again.
	}
}
