package timeline_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/examples/internal/timeline"
)

const mac = "08:00:27:54:1a:d1"

var (
	peer  = netip.MustParseAddrPort("192.168.68.113:6489")
	start = time.Date(2026, 11, 21, 14, 27, 30, 0, time.UTC)
)

func TestStepString(t *testing.T) {
	t.Parallel()

	tests := []struct {
		step timeline.Step
		want string
	}{
		{timeline.Step{MAC: mac, Stage: timeline.DHCP, Path: "proxydhcp"}, "DHCP: Offering to boot 08:00:27:54:1a:d1"},
		{timeline.Step{MAC: mac, Stage: timeline.Program, Path: "tftp", File: mac + "/ipxe.efi", Peer: peer}, `TFTP: Sent "08:00:27:54:1a:d1/ipxe.efi" to 192.168.68.113:6489`},
		{timeline.Step{MAC: mac, Stage: timeline.Script, Path: "http", Peer: peer}, "HTTP: Sending ipxe boot script to 192.168.68.113:6489"},
		{timeline.Step{MAC: mac, Stage: timeline.Initrd, Path: "http", File: "initrd-0", Peer: peer}, `HTTP: Sent file "initrd-0" to 192.168.68.113:6489`},
		{timeline.Step{MAC: mac, Stage: timeline.File, Path: "http", File: "other-0", Peer: peer, Err: errors.New("gone\nHTTP: forged")}, `HTTP: Could not send file "other-0" to 192.168.68.113:6489: "gone\nHTTP: forged"`},
		{timeline.Step{MAC: mac, Stage: timeline.Ignored, Reason: "unknown machine"}, "DHCP: Ignoring 08:00:27:54:1a:d1: unknown machine"},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, tt.step.String())
	}
}

func TestTimelineStartsAnewAfterBooting(t *testing.T) {
	t.Parallel()

	var seen int
	tl := timeline.New(func(timeline.Step) { seen++ })
	stages := []timeline.Stage{
		timeline.DHCP, timeline.DHCP, timeline.Script, timeline.Kernel, timeline.Booting,
		timeline.File, // The running system fetches its configuration.
	}
	for i, stage := range stages {
		tl.Add(timeline.Step{MAC: mac, Stage: stage, Time: start.Add(time.Duration(i) * time.Second)})
	}
	assert.Len(t, stages, seen)
	assert.Len(t, tl.Boot(mac), len(stages))

	tl.Add(timeline.Step{MAC: mac, Stage: timeline.DHCP, Time: start.Add(60 * time.Second)})
	assert.Len(t, tl.Boot(mac), 1, "the machine was reset")
	tl.Add(timeline.Step{MAC: mac, Stage: timeline.Script, Time: start.Add(20 * time.Minute)})
	assert.Len(t, tl.Boot(mac), 1, "the machine was silent for long")
}

func TestTimelineIsBounded(t *testing.T) {
	t.Parallel()

	tl := timeline.New(func(timeline.Step) {})
	for i := range 5000 {
		tl.Add(timeline.Step{MAC: fmt.Sprint(i), Stage: timeline.DHCP, Time: start})
	}
	for range 1000 {
		tl.Add(timeline.Step{MAC: mac, Stage: timeline.File, Time: start})
	}
	assert.Empty(t, tl.Boot("0"), "the oldest machine is forgotten")
	assert.Len(t, tl.Boot("4999"), 1)
	assert.Len(t, tl.Boot(mac), 256)
}

func TestSummary(t *testing.T) {
	t.Parallel()

	at := func(ms int, s timeline.Step) timeline.Step {
		s.MAC, s.Time = mac, start.Add(time.Duration(ms)*time.Millisecond)
		return s
	}
	steps := []timeline.Step{
		at(0, timeline.Step{Stage: timeline.DHCP}),
		at(1300, timeline.Step{Stage: timeline.Program, Path: "tftp", Probe: true}),
		at(2000, timeline.Step{Stage: timeline.Program, Path: "tftp"}),
		at(9000, timeline.Step{Stage: timeline.Script, Path: "http"}),
		at(9500, timeline.Step{Stage: timeline.Kernel, Path: "http"}),
		at(12340, timeline.Step{Stage: timeline.Booting}),
	}
	assert.Equal(t, "BOOT: 08:00:27:54:1a:d1 starts its kernel 12.3s after its first request: "+
		"dhcp 0s, program over tftp 2s, script 9s, kernel 9.5s", timeline.Summary(steps))
}

func TestStepLevel(t *testing.T) {
	t.Parallel()

	tests := []struct {
		step timeline.Step
		want slog.Level
	}{
		{timeline.Step{Stage: timeline.DHCP}, slog.LevelInfo},
		{timeline.Step{Stage: timeline.Ignored}, slog.LevelDebug},
		{timeline.Step{Stage: timeline.Program, Path: "tftp", Probe: true}, slog.LevelDebug},
		{timeline.Step{Stage: timeline.Program, Path: "tftp", Err: fs.ErrNotExist}, slog.LevelDebug},
		{timeline.Step{Stage: timeline.Kernel, Path: "http", Err: fs.ErrNotExist}, slog.LevelWarn},
		{timeline.Step{Stage: timeline.Program, Path: "tftp", Err: io.ErrUnexpectedEOF}, slog.LevelWarn},
		{timeline.Step{Stage: timeline.Loop}, slog.LevelWarn},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, tt.step.Level(), "%+v", tt.step)
	}
}
