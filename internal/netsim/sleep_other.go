//go:build !linux

package netsim

import "time"

// sleepUntil returns at t, or as soon after as the system's timers allow.
func sleepUntil(t time.Time) { time.Sleep(time.Until(t)) }
