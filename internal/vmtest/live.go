package vmtest

import (
	"context"
	_ "embed"
	"path/filepath"

	"github.com/netbootkit/netbootkit/internal/vmtest/live"
)

//go:embed live.sh
var liveScript []byte

// LiveInit is the word of a live system's command line that has it report and
// switch the machine off. Without it, the system's own init shows a login prompt.
const LiveInit = live.Init

// LiveQuick are words of a live system's command line that save time where
// there is no KVM.
const LiveQuick = "cryptomgr.notests mitigations=off no_timer_check tsc=reliable"

// LiveRoot returns a tar of the root file system of a Debian that runs from an
// image: it has a kernel, an initrd made by dracut with its module
// dmsquash-live, and the boot loaders of this computer, as a Kairos image has
// them: shim and GRUB as signed by Debian, and GRUB for BIOS.
//
// Making it takes about a minute, root and mmdebstrap, and is done once: it is
// kept among the user's caches, and made anew when the recipe changes.
func LiveRoot(ctx context.Context) (string, error) {
	return makeRoot(ctx, func(temp string) (*recipe, error) {
		program, err := buildProgram(ctx, temp, "internal/vmtest/live/report", "amd64")
		return &recipe{
			name: "live", script: liveScript, program: program,
			args: []string{filepath.Join(temp, "program"), debianMirror},
		}, err
	})
}

// Live waits until the live system has reported and returns what it says.
func (m *Machine) Live(ctx context.Context) (*live.Report, error) {
	if err := m.Console.Await(ctx, live.Done); err != nil {
		return nil, err
	}
	return live.Read(m.Console.String())
}
