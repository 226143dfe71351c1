package vmtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// program returns the name of the QEMU that runs the machine.
func (s *Spec) program() string {
	if s.Firmware == UEFIArm {
		return "qemu-system-aarch64"
	}
	return "qemu-system-x86_64"
}

// arguments returns QEMU's command line for a machine with its files in dir
// and its network card at tap, or without one if that is "".
func (s *Spec) arguments(dir, tap string) ([]string, error) {
	memory := s.Memory
	if memory == 0 {
		memory = 512
	}
	args := []string{
		"-accel", "tcg", "-smp", "1", "-m", strconv.Itoa(memory),
		"-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio",
		"-device", "virtio-rng-pci", // OVMF since 2024 has no network without it.
	}
	if s.UUID != "" {
		args = append(args, "-uuid", s.UUID)
	}
	if s.Serial != "" {
		args = append(args, "-smbios", "type=1,serial="+s.Serial)
	}
	if s.Kernel != "" {
		args = append(args, "-kernel", s.Kernel, "-initrd", s.Initrd, "-append", s.Cmdline)
	}
	for i, d := range s.Drives {
		args = append(args, d.arguments(i, s.Firmware)...)
	}
	if tap != "" {
		args = append(args, s.card(tap)...)
	}
	if s.Disk != "" {
		args = append(args,
			"-drive", "if=none,id=disk0,format=raw,snapshot=on,file="+s.Disk,
			"-device", fmt.Sprintf("virtio-blk-pci,drive=disk0,bootindex=%d", len(s.Drives)+2))
	}
	firmware, err := s.firmware(dir)
	return append(args, firmware...), err
}

// card returns the arguments for the network card.
func (s *Spec) card(tap string) []string {
	device := fmt.Sprintf("virtio-net-pci,netdev=net0,bootindex=%d,mac=%v", len(s.Drives)+1, s.MAC)
	if s.Firmware != BIOS {
		device += ",romfile=" // Without QEMU's iPXE, OVMF uses its own network stack.
	}
	return []string{"-netdev", "tap,id=net0,script=no,downscript=no,ifname=" + tap, "-device", device}
}

// firmware returns the arguments for the firmware, with a variable store of its
// own in dir.
func (s *Spec) firmware(dir string) ([]string, error) {
	if s.Firmware == BIOS { // Without graphics, SeaBIOS prints on the serial line.
		return []string{"-machine", "pc,graphics=off"}, nil
	}
	code, vars, err := findFirmware("/usr/share", s.Firmware)
	if err != nil {
		return nil, err
	}
	store, err := copyStore(vars, dir)
	if err != nil {
		return nil, err
	}
	args := []string{
		"-drive", "if=pflash,format=raw,readonly=on,file=" + code,
		"-drive", "if=pflash,format=raw,file=" + store,
		"-fw_cfg", "name=opt/org.tianocore/IPv6Support,string=n",
		"-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=n",
	}
	switch s.Firmware {
	case UEFIHTTP:
		return append(args, "-machine", "pc", "-fw_cfg", "name=opt/org.tianocore/IPv4PXESupport,string=n"), nil
	case UEFISecure:
		return append(args, "-machine", "q35,smm=on", "-global", "driver=cfi.pflash01,property=secure,value=on"), nil
	case UEFIArm:
		return append(args, "-machine", "virt", "-cpu", "cortex-a57"), nil
	default:
		return append(args, "-machine", "pc"), nil
	}
}

// copyStore copies a variable store to a new file in dir.
func copyStore(vars, dir string) (string, error) {
	data, err := os.ReadFile(vars) //nolint:gosec // A file of the distribution.
	if err != nil {
		return "", fmt.Errorf("vmtest: %w", err)
	}
	f, err := os.CreateTemp(dir, "*.vars")
	if err != nil {
		return "", fmt.Errorf("vmtest: %w", err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("vmtest: %w", err)
	}
	return f.Name(), nil
}

// findFirmware returns the files of OVMF's code and of its variable store,
// which is empty or has Microsoft's keys, below a folder of shared files.
func findFirmware(share string, firmware Firmware) (code, vars string, err error) {
	kinds := [][2]string{{"OVMF/OVMF_CODE_4M.fd", "OVMF/OVMF_VARS_4M.fd"}, {"OVMF/OVMF_CODE.fd", "OVMF/OVMF_VARS.fd"}}
	switch firmware {
	case UEFISecure:
		kinds = [][2]string{
			{"OVMF/OVMF_CODE_4M.secboot.fd", "OVMF/OVMF_VARS_4M.ms.fd"},
			{"OVMF/OVMF_CODE.secboot.fd", "OVMF/OVMF_VARS.ms.fd"},
		}
	case UEFIArm:
		kinds = [][2]string{{"AAVMF/AAVMF_CODE.fd", "AAVMF/AAVMF_VARS.fd"}}
	default:
	}
	for _, kind := range kinds {
		code, vars = filepath.Join(share, kind[0]), filepath.Join(share, kind[1])
		_, errCode := os.Stat(code)
		_, errVars := os.Stat(vars)
		if err = errors.Join(errCode, errVars); err == nil {
			return code, vars, nil
		}
	}
	return "", "", fmt.Errorf("vmtest: firmware: %w", err)
}
