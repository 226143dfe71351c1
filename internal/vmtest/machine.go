package vmtest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"time"
)

// Firmware is what a machine starts with, and how that boots from the network.
type Firmware int

const (
	// BIOS is SeaBIOS with the iPXE that QEMU's network card has in its ROM:
	// architecture code 0, user class iPXE.
	BIOS Firmware = iota + 1

	// UEFI is OVMF, which boots by PXE: architecture code 7.
	UEFI

	// UEFIHTTP is OVMF, which boots by UEFI HTTP boot: architecture code 16.
	UEFIHTTP

	// UEFISecure is OVMF with Secure Boot and Microsoft's keys, which boots by
	// PXE: architecture code 7.
	UEFISecure

	// UEFIArm is AAVMF, which is OVMF for arm64, on QEMU's machine "virt".
	UEFIArm
)

// A Spec describes a machine.
//
// It tries to boot from its drives in their order, then from the network, then
// from Disk.
type Spec struct {
	Firmware Firmware
	Drives   []Drive
	MAC      net.HardwareAddr // of its network card, if it is on a network
	UUID     string           // as 8-4-4-4-12 hexadecimal digits, or empty
	Serial   string           // its serial number, or empty
	Disk     string           // a second boot device: an image, or "fat:" and a folder
	Kernel   string           // a kernel that QEMU loads itself, or empty
	Initrd   string           // the initramfs for Kernel
	Cmdline  string           // the command line for Kernel
	Memory   int              // in MiB; 512 if zero
	Console  io.Writer        // gets a copy of what the machine prints, or nil
	NoWait   bool             // do not wait for a free CPU: it runs together with another
}

// A Machine is a virtual computer that was switched on.
type Machine struct {
	Console *Transcript // what it prints on its serial line
	Started time.Time   // when it was switched on

	process *Process
	keys    io.Writer     // its serial line
	gone    chan struct{} // closed when nothing of it is left
}

// Boot switches a machine on that is on no network, once a CPU is free for it.
// It needs no root. The machine runs until it switches itself off or ctx is
// cancelled.
func Boot(ctx context.Context, spec Spec) (*Machine, error) {
	slot, err := takeSlot(ctx, spec.NoWait)
	if err != nil {
		return nil, err
	}
	dir, err := tempDir()
	if err != nil {
		return nil, errors.Join(err, slot.Close())
	}
	cleanup := func() error { return errors.Join(os.RemoveAll(dir), slot.Close()) }
	args, err := spec.arguments(dir, "")
	if err != nil {
		return nil, errors.Join(err, cleanup())
	}
	started := time.Now()
	cmd := exec.CommandContext(ctx, spec.program(), args...) //nolint:gosec // QEMU.
	keys, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, cleanup())
	}
	p, err := startProcess(cmd, "qemu", spec.Console)
	if err != nil {
		return nil, errors.Join(err, cleanup())
	}
	return newMachine(p, keys, started, cleanup), nil
}

// Boot switches a machine on, once a CPU is free for it. The
// machine runs until it switches itself off, ctx is cancelled, or the network
// is closed.
func (n *Network) Boot(ctx context.Context, spec Spec) (*Machine, error) {
	slot, err := takeSlot(ctx, spec.NoWait)
	if err != nil {
		return nil, err
	}
	tap, err := n.tap(ctx)
	if err != nil {
		return nil, errors.Join(err, slot.Close())
	}
	args, err := spec.arguments(n.dir, tap)
	if err != nil {
		return nil, errors.Join(err, slot.Close())
	}
	lan := &Host{network: n, namespace: n.lan}
	started := time.Now()
	cmd := lan.Command(ctx, spec.program(), args...)
	keys, err := cmd.StdinPipe()
	if err != nil {
		return nil, errors.Join(err, slot.Close())
	}
	p, err := n.startCopy(cmd, "qemu", spec.Console)
	if err != nil {
		return nil, errors.Join(err, slot.Close())
	}
	return newMachine(p, keys, started, slot.Close), nil
}

// Type types text on the machine's serial line. The Enter key is "\r".
func (m *Machine) Type(text string) error {
	_, err := io.WriteString(m.keys, text)
	return err
}

// newMachine returns the machine that p is. When it has ended, cleanup runs.
func newMachine(p *Process, keys io.Writer, started time.Time, cleanup func() error) *Machine {
	m := &Machine{Console: p.Output, Started: started, process: p, keys: keys, gone: make(chan struct{})}
	go func() {
		<-p.done
		_ = cleanup()
		close(m.gone)
	}()
	return m
}

// Report waits until the guest has booted and returns what it reports.
func (m *Machine) Report(ctx context.Context) (*Report, error) {
	if err := m.Console.Await(ctx, bootedLine+"|"+failedLine); err != nil {
		return nil, err
	}
	return ReadReport(m.Console.String())
}

// Kill switches the machine off.
func (m *Machine) Kill() {
	m.process.Kill()
	<-m.gone
}

// Wait waits until the machine has switched itself off.
func (m *Machine) Wait(ctx context.Context) error { return m.process.Wait(ctx) }
