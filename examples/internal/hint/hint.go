package hint

import "strings"

// plain are the characters that no shell takes for anything else.
const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+,./:@%"

// Quote returns a word of a shell's command line that stands for s.
func Quote(s string) string {
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// QEMU returns the start of the command line of a virtual machine. Where there is
// no KVM for it, QEMU says so and does without.
func QEMU(arch string, uefi bool) string {
	const accel = " -m 2048 -accel kvm -accel tcg"
	switch {
	case arch == "arm64":
		return "qemu-system-aarch64 -M virt -cpu max" + accel + " -nographic -bios /usr/share/AAVMF/AAVMF_CODE.fd"
	case arch == "riscv64":
		const folder = "/usr/share/qemu-efi-riscv64/"
		return "qemu-system-riscv64 -M virt,acpi=off" + accel + " -nographic" +
			" -drive if=pflash,unit=0,format=raw,readonly=on,file=" + folder + "RISCV_VIRT_CODE.fd" +
			" -drive if=pflash,unit=1,format=raw,snapshot=on,file=" + folder + "RISCV_VIRT_VARS.fd"
	case uefi:
		return "qemu-system-x86_64" + accel + " -bios /usr/share/ovmf/OVMF.fd"
	default:
		return "qemu-system-x86_64" + accel
	}
}

// Drive returns the argument of QEMU's -drive for a file.
func Drive(path, format string) string {
	return Quote("file=" + strings.ReplaceAll(path, ",", ",,") + ",format=" + format + ",snapshot=on")
}
