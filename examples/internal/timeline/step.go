package timeline

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"strings"
	"time"
)

// A Stage says which part of its way a machine is on.
type Stage string

// The stages, in the order in which a machine passes them.
const (
	DHCP    Stage = "dhcp"    // an offer or an acknowledgement was sent
	Program Stage = "program" // a boot program was sent, over TFTP or HTTP
	Script  Stage = "script"  // a boot script was sent
	Kernel  Stage = "kernel"
	Initrd  Stage = "initrd"
	File    Stage = "file"    // any other file: a root file system, a cloud config
	Booting Stage = "booting" // the machine starts its kernel
	Local   Stage = "local"   // the machine was sent to its local disk
	Ignored Stage = "ignored" // the request was left unanswered, for Reason
	Loop    Stage = "loop"    // the machine asks for the same thing again and again
)

// A Step is one thing that a machine did, or that was done for it.
type Step struct {
	Time     time.Time
	MAC      string // colon form, lower case; "" if unknown
	Stage    Stage
	Path     string         // how: "proxydhcp", "pxe" (port 4011), "tftp" or "http"
	Client   string         // what asked, as DHCP tells: "UEFI", "iPXE", …
	File     string         // the name that users know: "kernel", "initrd-0", a boot program's path
	Peer     netip.AddrPort // who asked
	Bytes    int64
	Duration time.Duration
	Reason   string // why it was ignored, or what loops
	Probe    bool   // a client only asked how large the file is
	Err      error  // nil if it went well
}

// String returns the step as a line for people.
func (s *Step) String() string {
	var line string
	switch {
	case s.Stage == DHCP:
		line = "DHCP: Offering to boot " + s.MAC
	case s.Stage == Ignored:
		return fmt.Sprintf("DHCP: Ignoring %s: %s", s.MAC, s.Reason)
	case s.Stage == Loop:
		return fmt.Sprintf("DHCP: %s asks again and again: %s", s.MAC, s.Reason)
	case s.Path == "tftp" && s.Err != nil:
		line = fmt.Sprintf("TFTP: Could not send %q to %v", s.File, s.Peer)
	case s.Path == "tftp" && s.Probe:
		line = fmt.Sprintf("TFTP: Told the size of %q to %v", s.File, s.Peer)
	case s.Path == "tftp":
		line = fmt.Sprintf("TFTP: Sent %q to %v", s.File, s.Peer)
	case s.Stage == Script && s.Err == nil:
		line = fmt.Sprintf("HTTP: Sending ipxe boot script to %v", s.Peer)
	case s.Stage == Script:
		line = fmt.Sprintf("HTTP: No boot script for %s at %v", s.MAC, s.Peer)
	case s.Stage == Booting:
		return fmt.Sprintf("BOOT: %s starts its kernel", s.MAC)
	case s.Stage == Local:
		return fmt.Sprintf("HTTP: Sending %s to its local disk", s.MAC)
	case s.Err != nil:
		line = fmt.Sprintf("HTTP: Could not send file %q to %v", s.File, s.Peer)
	default:
		line = fmt.Sprintf("HTTP: Sent file %q to %v", s.File, s.Peer)
	}
	if s.Err != nil {
		line += fmt.Sprintf(": %q", s.Err.Error())
	}
	return line
}

// Attrs returns the step as attributes of a log record; what is unknown is
// left out. Durations are in nanoseconds, as slog has them.
func (s *Step) Attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("stage", string(s.Stage))}
	text := func(key, v string) {
		if v != "" {
			attrs = append(attrs, slog.String(key, v))
		}
	}
	text("mac", s.MAC)
	text("path", s.Path)
	text("client", s.Client)
	text("file", s.File)
	if s.Peer.IsValid() {
		attrs = append(attrs, slog.String("peer", s.Peer.String()))
	}
	if s.Bytes > 0 {
		attrs = append(attrs, slog.Int64("bytes", s.Bytes))
	}
	if s.Duration > 0 {
		attrs = append(attrs, slog.Duration("duration", s.Duration))
	}
	if s.Probe {
		attrs = append(attrs, slog.Bool("probe", true))
	}
	text("reason", s.Reason)
	if s.Err != nil {
		attrs = append(attrs, slog.Any("error", s.Err))
	}
	return attrs
}

// Level says how much an operator wants to see the step: packets that were
// left unanswered, size probes and looking for files that need not be there,
// as boot programs do over TFTP, are for debugging; failures are warnings.
func (s *Step) Level() slog.Level {
	switch {
	case s.Stage == Ignored, s.Probe, s.Path == "tftp" && errors.Is(s.Err, fs.ErrNotExist):
		return slog.LevelDebug
	case s.Stage == Loop, s.Err != nil:
		return slog.LevelWarn
	default:
		return slog.LevelInfo
	}
}

// Summary tells in one line when a machine passed the stages of its boot,
// each measured from its first request. Steps are those of one boot.
func Summary(steps []Step) string {
	if len(steps) == 0 {
		return ""
	}
	first, last := steps[0], steps[len(steps)-1]
	var marks []string
	seen := make(map[Stage]int)
	for _, s := range steps {
		if s.Err != nil || s.Probe || s.Stage == Ignored || s.Stage == Loop || s.Stage == Booting {
			continue
		}
		mark := fmt.Sprintf("%s %s", s.name(), s.Time.Sub(first.Time).Round(100*time.Millisecond))
		if i, ok := seen[s.Stage]; ok {
			marks[i] = mark // A later offer or file of the same stage is the one that counted.
			continue
		}
		seen[s.Stage] = len(marks)
		marks = append(marks, mark)
	}
	return fmt.Sprintf("BOOT: %s starts its kernel %s after its first request: %s",
		first.MAC, last.Time.Sub(first.Time).Round(100*time.Millisecond), strings.Join(marks, ", "))
}

func (s *Step) name() string {
	if s.Stage == Program {
		return string(s.Stage) + " over " + s.Path
	}
	return string(s.Stage)
}
