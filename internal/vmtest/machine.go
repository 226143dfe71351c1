package vmtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
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
)

// A Spec describes a machine.
type Spec struct {
	Firmware Firmware
	MAC      net.HardwareAddr // of its network card
	UUID     string           // as 8-4-4-4-12 hexadecimal digits, or empty
	Serial   string           // its serial number, or empty
	Disk     string           // a second boot device: an image, or "fat:" and a folder
	Memory   int              // in MiB; 512 if zero
	Console  io.Writer        // gets a copy of what the machine prints, or nil
	NoWait   bool             // do not wait for a free CPU: it runs together with another
}

// A Machine is a virtual computer that was switched on.
type Machine struct {
	Console *Transcript // what it prints on its serial line
	Started time.Time   // when it was switched on

	process *Process
}

// Boot switches a machine on, once a CPU is free for it. The
// machine runs until it switches itself off, ctx is cancelled, or the network
// is closed.
func (n *Network) Boot(ctx context.Context, spec Spec) (*Machine, error) {
	slot, err := takeSlot(ctx, spec.NoWait)
	if err != nil {
		return nil, err
	}
	args, err := n.arguments(ctx, spec)
	if err != nil {
		return nil, errors.Join(err, slot.Close())
	}
	lan := &Host{network: n, namespace: n.lan}
	started := time.Now()
	p, err := n.startCopy(lan.Command(ctx, "qemu-system-x86_64", args...), "qemu", spec.Console)
	if err != nil {
		return nil, errors.Join(err, slot.Close())
	}
	go func() {
		<-p.done
		_ = slot.Close()
	}()
	return &Machine{Console: p.Output, Started: started, process: p}, nil
}

// Report waits until the guest has booted and returns what it reports.
func (m *Machine) Report(ctx context.Context) (*Report, error) {
	if err := m.Console.Await(ctx, bootedLine+"|"+failedLine); err != nil {
		return nil, err
	}
	return ReadReport(m.Console.String())
}

// Kill switches the machine off.
func (m *Machine) Kill() { m.process.Kill() }

// Wait waits until the machine has switched itself off.
func (m *Machine) Wait(ctx context.Context) error { return m.process.Wait(ctx) }

// arguments returns QEMU's command line for a new machine.
func (n *Network) arguments(ctx context.Context, spec Spec) ([]string, error) {
	tap, err := n.tap(ctx)
	if err != nil {
		return nil, err
	}
	if spec.Memory == 0 {
		spec.Memory = 512
	}
	args := []string{
		"-accel", "tcg", "-smp", "1", "-m", strconv.Itoa(spec.Memory),
		"-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
		"-device", "virtio-rng-pci", // OVMF since 2024 has no network without it.
		"-netdev", "tap,id=net0,script=no,downscript=no,ifname=" + tap,
	}
	if spec.UUID != "" {
		args = append(args, "-uuid", spec.UUID)
	}
	if spec.Serial != "" {
		args = append(args, "-smbios", "type=1,serial="+spec.Serial)
	}
	if spec.Disk != "" {
		args = append(args,
			"-drive", "if=none,id=disk0,format=raw,snapshot=on,file="+spec.Disk,
			"-device", "virtio-blk-pci,drive=disk0,bootindex=2")
	}
	card := "virtio-net-pci,netdev=net0,bootindex=1,mac=" + spec.MAC.String()
	if spec.Firmware == BIOS { // Without graphics, SeaBIOS prints on the serial line.
		return append(args, "-machine", "pc,graphics=off", "-device", card), nil
	}
	firmware, err := n.ovmf(tap, spec.Firmware)
	if err != nil {
		return nil, err
	}
	// Without QEMU's iPXE, OVMF uses its own network stack.
	return append(append(args, firmware...), "-device", card+",romfile="), nil
}

// ovmf returns the arguments for OVMF with a variable store of its own.
func (n *Network) ovmf(name string, firmware Firmware) ([]string, error) {
	code, vars, err := findOVMF("/usr/share", firmware == UEFISecure)
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(vars) //nolint:gosec // A file of the distribution.
	if err != nil {
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	store := filepath.Join(n.dir, name+".vars")
	if err := os.WriteFile(store, data, 0o600); err != nil { //nolint:gosec // A name of ours.
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	args := []string{
		"-drive", "if=pflash,format=raw,readonly=on,file=" + code,
		"-drive", "if=pflash,format=raw,file=" + store,
		"-fw_cfg", "name=opt/org.tianocore/IPv6Support,string=n",
		"-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n",
	}
	switch firmware {
	case UEFIHTTP:
		return append(args, "-machine", "pc", "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n"), nil
	case UEFISecure:
		return append(args, "-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"), nil
	default:
		return append(args, "-machine", "pc"), nil
	}
}

// findOVMF returns the files of OVMF's code and of its variable store, which
// is empty or has Microsoft's keys, below a folder of shared files.
func findOVMF(share string, secure bool) (code, vars string, err error) {
	kinds := [][2]string{{"_4M.fd", "_4M.fd"}, {".fd", ".fd"}}
	if secure {
		kinds = [][2]string{{"_4M.secboot.fd", "_4M.ms.fd"}, {".secboot.fd", ".ms.fd"}}
	}
	for _, kind := range kinds {
		code = filepath.Join(share, "OVMF", "OVMF_CODE"+kind[0])
		vars = filepath.Join(share, "OVMF", "OVMF_VARS"+kind[1])
		_, errCode := os.Stat(code)
		_, errVars := os.Stat(vars)
		if err = errors.Join(errCode, errVars); err == nil {
			return code, vars, nil
		}
	}
	return "", "", fmt.Errorf("vmtest: OVMF: %w", err)
}
