// Package hint makes the command lines with which programs say how to go on. They
// can be pasted into a shell.
//
//	machine  QEMU                  firmware, from Debian's package
//	amd64    qemu-system-x86_64    SeaBIOS, or OVMF from ovmf
//	arm64    qemu-system-aarch64   AAVMF from qemu-efi-aarch64
//	riscv64  qemu-system-riscv64   EDK2 from qemu-efi-riscv64
package hint
