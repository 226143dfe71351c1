package dhcpproxy

import "strconv"

// An Arch is a client system architecture, as option 93 carries it
// (RFC 4578 §2.1, and IANA's "Processor Architecture Types").
type Arch uint16

// The architectures that IANA has registered. RFC 4578 printed 7 and 9 the
// wrong way round: x64 firmware sends [ArchX64EFI], and a few send [ArchEBC].
const (
	ArchX86BIOS         Arch = 0
	ArchNECPC98         Arch = 1
	ArchItanium         Arch = 2
	ArchAlpha           Arch = 3
	ArchArcX86          Arch = 4
	ArchIntelLeanClient Arch = 5
	ArchX86EFI          Arch = 6
	ArchX64EFI          Arch = 7
	ArchXscaleEFI       Arch = 8
	ArchEBC             Arch = 9
	ArchARM32EFI        Arch = 10
	ArchARM64EFI        Arch = 11
	ArchOpenFirmware    Arch = 12
	ArchEPAPR           Arch = 13
	ArchOPAL            Arch = 14
	ArchX86HTTP         Arch = 15
	ArchX64HTTP         Arch = 16
	ArchEBCHTTP         Arch = 17
	ArchARM32HTTP       Arch = 18
	ArchARM64HTTP       Arch = 19
	ArchBIOSHTTP        Arch = 20
	ArchARM32UBoot      Arch = 21
	ArchARM64UBoot      Arch = 22
	ArchARM32UBootHTTP  Arch = 23
	ArchARM64UBootHTTP  Arch = 24
	ArchRISCV32EFI      Arch = 25
	ArchRISCV32HTTP     Arch = 26
	ArchRISCV64EFI      Arch = 27
	ArchRISCV64HTTP     Arch = 28
	ArchRISCV128EFI     Arch = 29
	ArchRISCV128HTTP    Arch = 30
	ArchS390            Arch = 31
	ArchS390Extended    Arch = 32
	ArchMIPS32EFI       Arch = 33
	ArchMIPS64EFI       Arch = 34
	ArchSunway32EFI     Arch = 35
	ArchSunway64EFI     Arch = 36
	ArchLoong32EFI      Arch = 37
	ArchLoong32HTTP     Arch = 38
	ArchLoong64EFI      Arch = 39
	ArchLoong64HTTP     Arch = 40
	ArchRaspberryPi     Arch = 41
)

// Known reports whether a is one of this package's constants.
func (a Arch) Known() bool { return a <= ArchRaspberryPi }

// HTTP reports whether firmware that sends a boots from a URL.
func (a Arch) HTTP() bool {
	switch a {
	case ArchX86HTTP, ArchX64HTTP, ArchEBCHTTP, ArchARM32HTTP, ArchARM64HTTP, ArchBIOSHTTP,
		ArchARM32UBootHTTP, ArchARM64UBootHTTP, ArchRISCV32HTTP, ArchRISCV64HTTP,
		ArchRISCV128HTTP, ArchLoong32HTTP, ArchLoong64HTTP:
		return true
	default:
		return false
	}
}

// EFI reports whether a is UEFI firmware that boots by PXE, not by HTTP.
func (a Arch) EFI() bool {
	switch a {
	case ArchX86EFI, ArchX64EFI, ArchXscaleEFI, ArchEBC, ArchARM32EFI, ArchARM64EFI,
		ArchRISCV32EFI, ArchRISCV64EFI, ArchRISCV128EFI, ArchMIPS32EFI, ArchMIPS64EFI,
		ArchSunway32EFI, ArchSunway64EFI, ArchLoong32EFI, ArchLoong64EFI:
		return true
	default:
		return false
	}
}

// UBoot reports whether a is one of U-Boot's codes.
func (a Arch) UBoot() bool { return a >= ArchARM32UBoot && a <= ArchARM64UBootHTTP }

// String returns a short name, such as "x64-efi", or "arch-4711" for a code
// that is not [Arch.Known].
func (a Arch) String() string {
	names := [...]string{
		"x86-bios", "nec-pc98", "itanium", "alpha", "arc-x86", "intel-lean-client",
		"x86-efi", "x64-efi", "xscale-efi", "ebc", "arm32-efi", "arm64-efi",
		"open-firmware", "epapr", "opal",
		"x86-http", "x64-http", "ebc-http", "arm32-http", "arm64-http", "bios-http",
		"arm32-uboot", "arm64-uboot", "arm32-uboot-http", "arm64-uboot-http",
		"riscv32-efi", "riscv32-http", "riscv64-efi", "riscv64-http", "riscv128-efi", "riscv128-http",
		"s390", "s390-extended", "mips32-efi", "mips64-efi", "sunway32-efi", "sunway64-efi",
		"loong32-efi", "loong32-http", "loong64-efi", "loong64-http", "raspberry-pi",
	}
	if !a.Known() {
		return "arch-" + strconv.Itoa(int(a))
	}
	return names[a]
}
