package main

import (
	"fmt"
	"time"
)

// Kinds of steps of a boot.
const (
	stepFirmware = "firmware" // the firmware asks for an address and a boot program
	stepIPXE     = "ipxe"     // iPXE does
	stepTFTP     = "tftp"     // a file is asked for over TFTP
	stepHTTP     = "http"     // a file is asked for over HTTP
)

// A step is something that a machine asked for.
type step struct {
	Kind  string
	Name  string    // of the file
	At    time.Time // when it asked
	Until time.Time // when the last data came before the next step, or zero
}

// phases returns what a machine goes through, in order. Each ends where the
// next one begins.
func phases() []string {
	return []string{
		"firmware, to its first DHCPDISCOVER",
		"DHCP, to the first request by TFTP",
		"iPXE by TFTP, to its last byte",
		"iPXE, to its request for the script",
		"script, kernel and initramfs by HTTP",
		"kernel, to the guest's marker",
	}
}

// marks returns when each phase ended, counted from start.
func marks(steps []step, start, booted time.Time) ([]time.Duration, error) {
	firmware, tftp, program := first(steps, stepFirmware).At, first(steps, stepTFTP).At, lastData(steps, stepTFTP, len(steps))
	script := first(steps, stepHTTP).At
	files := lastData(steps, stepHTTP, 3) // The script, the kernel and the initramfs.
	var ends []time.Duration
	for i, t := range []time.Time{firmware, tftp, program, script, files, booted} {
		end := t.Sub(start)
		if t.IsZero() || i > 0 && end < ends[i-1] {
			return nil, fmt.Errorf("phase %q ended at %v, by these steps: %v", phases()[i], end, steps)
		}
		ends = append(ends, end)
	}
	return ends, nil
}

// first returns the first step of a kind, or the zero one.
func first(steps []step, kind string) step {
	for _, s := range steps {
		if s.Kind == kind {
			return s
		}
	}
	return step{}
}

// lastData returns when the last data came for the first n steps of a kind.
func lastData(steps []step, kind string, n int) (last time.Time) {
	for _, s := range steps {
		if s.Kind != kind {
			continue
		}
		if n--; n < 0 {
			break
		}
		if s.Until.After(last) {
			last = s.Until
		}
	}
	return last
}

// bootTimes holds how long each phase took, in seconds, boot by boot.
type bootTimes struct {
	phases [6]sample
	whole  sample
}

// add takes what marks returned.
func (b *bootTimes) add(ends []time.Duration) {
	var before time.Duration
	for i, end := range ends {
		b.phases[i] = append(b.phases[i], (end - before).Seconds())
		before = end
	}
	b.whole = append(b.whole, before.Seconds())
}

// phaseTable says where the seconds go.
func phaseTable(ours, theirs *bootTimes) table {
	t := table{
		title: "Where the seconds of a boot go (medians):",
		head:  []string{"phase", "netboot", "dnsmasq and nginx"},
	}
	line := func(name string, ours, theirs sample) {
		t.rows = append(t.rows, []string{name, number(ours.median()), number(theirs.median())})
	}
	for i, name := range phases() {
		line(name, ours.phases[i], theirs.phases[i])
	}
	line("all", ours.whole, theirs.whole)
	return t
}
