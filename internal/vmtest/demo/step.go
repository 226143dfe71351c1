package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// A step is a line of netboot's log about one machine.
type step struct {
	Time     time.Time
	MAC      string
	Stage    string // dhcp, program, script, kernel, initrd, file or booting
	Path     string // proxydhcp, pxe, tftp or http
	File     string
	Bytes    int64
	Duration time.Duration
	Probe    bool   // only the size was asked for
	Error    string // why it failed, if it did
}

// name says what was done, such as "ipxe.efi over TFTP".
func (s *step) name() string {
	switch {
	case s.Path == "pxe":
		return "answer on port 4011"
	case s.Stage == "dhcp":
		return "DHCP offer"
	case s.Stage == "script":
		return "boot script over HTTP"
	case s.Stage == "booting":
		return "kernel starts"
	}
	file := s.File[strings.LastIndexByte(s.File, '/')+1:]
	if s.Stage == "file" {
		file = "cloud config"
	}
	return strings.TrimSuffix(file, "-0") + " over " + strings.ToUpper(s.Path)
}

// readSteps returns the steps of one machine from a log of JSON lines, without
// what failed or was only asked about.
func readSteps(log, mac string) ([]step, error) {
	var steps []step
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "{") {
			continue
		}
		var s step
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			return nil, fmt.Errorf("netboot's log: %w: %s", err, line)
		}
		if s.MAC == mac && s.Path != "" && !s.Probe && s.Error == "" {
			steps = append(steps, s)
		}
	}
	return steps, nil
}

// summarize prints when each step was done, and the line that says all.
func summarize(w io.Writer, started, booted time.Time, steps []step) {
	line := func(at time.Time, what string) {
		say(w, "%7.1f s  %s\n", at.Sub(started).Seconds(), what)
	}
	line(started, "power on")
	var path []string
	for _, s := range steps {
		what := s.name()
		line(s.Time, what+size(&s))
		if len(path) == 0 || path[len(path)-1] != what {
			path = append(path, what)
		}
	}
	line(booted, "guest is up, with its command line and cloud config byte for byte")
	say(w, "\nbooted %v in %.1f s: %s → guest\n", machine(), booted.Sub(started).Seconds(), strings.Join(path, " → "))
}

// size says how much a step sent and how long that took, if anything.
func size(s *step) string {
	if s.Bytes == 0 || s.Stage == "booting" {
		return ""
	}
	return fmt.Sprintf(", %d bytes in %.1f s", s.Bytes, s.Duration.Seconds())
}
