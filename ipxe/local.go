package ipxe

import (
	"bytes"
	"fmt"
	"slices"
)

// A LocalBoot says how a machine is sent to its own disk. No way works on
// every firmware; the default of what uses it is [LocalExit].
type LocalBoot int

// The ways to boot from disk.
const (
	// LocalNone does not boot from disk.
	LocalNone LocalBoot = iota

	// LocalExit ends iPXE with a failure, so that the firmware goes on to
	// its next boot device. Success would make scripts embedded in common
	// builds try the network again.
	LocalExit

	// LocalSANBoot starts the first disk from within iPXE on BIOS machines,
	// of which many do not go on after an exit. On UEFI it is LocalExit.
	LocalSANBoot

	// LocalNotFound answers the request for the script with 404. iPXE gives
	// up and the firmware goes on to its next boot device.
	LocalNotFound
)

func localNames() []string { return []string{"", "exit", "sanboot", "not-found"} }

// String returns the name of l: "", "exit", "sanboot" or "not-found".
func (l LocalBoot) String() string { return nameOf(int(l), localNames()) }

// MarshalText returns the name of l.
func (l LocalBoot) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText sets l by its name.
func (l *LocalBoot) UnmarshalText(text []byte) error {
	i := slices.Index(localNames(), string(text))
	if i < 0 {
		return fmt.Errorf("ipxe: local boot %q: want exit, sanboot or not-found", text)
	}
	*l = LocalBoot(i)
	return nil
}

func (l LocalBoot) write(b *bytes.Buffer) {
	if l == LocalSANBoot {
		b.WriteString("iseq ${platform} pcbios && sanboot --no-describe --drive 0x80 ||\n")
	}
	b.WriteString("exit 1\n")
}

// A Failure says what follows when a machine could not boot.
type Failure int

// The ways to go on after a failure.
const (
	FailExit   Failure = iota // the firmware goes on to its next boot device
	FailReboot                // the machine starts anew after ten seconds
	FailShell                 // iPXE's command line, for a person at the console
)

func failureNames() []string { return []string{"exit", "reboot", "shell"} }

// String returns the name of f: "exit", "reboot" or "shell".
func (f Failure) String() string { return nameOf(int(f), failureNames()) }

// MarshalText returns the name of f.
func (f Failure) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText sets f by its name.
func (f *Failure) UnmarshalText(text []byte) error {
	i := slices.Index(failureNames(), string(text))
	if i < 0 {
		return fmt.Errorf("ipxe: failure %q: want exit, reboot or shell", text)
	}
	*f = Failure(i)
	return nil
}

func (f Failure) write(b *bytes.Buffer) {
	b.WriteString("echo Boot failed\nimgfree\n")
	switch f {
	case FailReboot:
		b.WriteString("sleep 10\nreboot\n")
	case FailShell:
		b.WriteString("shell\n")
	}
	b.WriteString("exit 1\n")
}

func nameOf(i int, names []string) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("invalid(%d)", i)
	}
	return names[i]
}
