package firmware

// An arch is a family of machines that run the same programs.
type arch struct {
	embedded string   // the program of ours, or ""
	name     string   // what iPXE calls it; "" for a BIOS
	suffix   string   // what UEFI calls it
	more     []string // names that are used for it by tradition
}

// archOf returns the family that an architecture code belongs to. Codes for
// booting over HTTP share their programs with those for PXE.
func archOf(code uint16) (arch, bool) {
	switch code {
	case 0, 20:
		return arch{embedded: "undionly.kpxe"}, true
	case 6, 15:
		return arch{name: "i386", suffix: "ia32"}, true
	case 7, 9, 16, 17: // 7 and 9 changed places in RFC 4578; firmware sends both.
		return arch{"ipxe.efi", "x86_64", "x64", []string{"snponly.efi", "ipxe.efi"}}, true
	case 10, 18:
		return arch{name: "arm32", suffix: "arm"}, true
	case 11, 19:
		return arch{"snp.efi", "arm64", "aa64", []string{"snp.efi"}}, true
	case 25, 26:
		return arch{name: "riscv32", suffix: "riscv32"}, true
	case 27, 28:
		return arch{name: "riscv64", suffix: "riscv64"}, true
	case 39, 40:
		return arch{name: "loong64", suffix: "loongarch64"}, true
	default:
		return arch{}, false
	}
}

// names returns where to look in a tree of the caller's own, best first. A shim
// comes first, because who puts one there wants Secure Boot; then the program
// that uses only the card it was loaded through.
func (a arch) names() []string {
	if a.name == "" {
		return []string{
			"undionly.kpxe", "ipxe.pxe",
			"x86_64/undionly.kpxe", "x86_64/ipxe.pxe", "i386/undionly.kpxe", "i386/ipxe.pxe",
		}
	}
	return append([]string{
		"shim" + a.suffix + ".efi",
		a.name + "-sb/shim" + a.suffix + ".efi",
		"snponly-" + a.name + ".efi",
		"ipxe-" + a.name + ".efi",
		a.name + "/snponly.efi",
		a.name + "/ipxe.efi",
	}, a.more...)
}
