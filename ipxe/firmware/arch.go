package firmware

// An arch is a family of machines that run the same programs.
type arch struct {
	embedded string   // the program of ours, or ""
	names    []string // where to look in a tree of the caller's own, best first
}

// archOf returns the family that an architecture code belongs to. Codes for
// booting over HTTP share their programs with those for PXE.
func archOf(code uint16) (arch, bool) {
	switch code {
	case 0, 20:
		return arch{"undionly.kpxe", []string{
			"undionly.kpxe", "ipxe.pxe",
			"x86_64/undionly.kpxe", "x86_64/ipxe.pxe", "i386/undionly.kpxe", "i386/ipxe.pxe",
		}}, true
	case 6, 15:
		return uefi("i386", "ia32", ""), true
	case 7, 9, 16, 17: // 7 and 9 changed places in RFC 4578; firmware sends both.
		a := uefi("x86_64", "x64", "ipxe.efi")
		a.names = append(a.names, "snponly.efi", "ipxe.efi")
		return a, true
	case 10, 18:
		return uefi("arm32", "arm", ""), true
	case 11, 19:
		a := uefi("arm64", "aa64", "snp.efi")
		a.names = append(a.names, "snp.efi")
		return a, true
	case 25, 26:
		return uefi("riscv32", "riscv32", ""), true
	case 27, 28:
		return uefi("riscv64", "riscv64", ""), true
	case 39, 40:
		return uefi("loong64", "loongarch64", ""), true
	default:
		return arch{}, false
	}
}

// uefi returns the family that iPXE calls name and UEFI calls suffix. A shim
// comes first, because who puts one there wants Secure Boot; then the program
// that uses only the card it was loaded through.
func uefi(name, suffix, embedded string) arch {
	return arch{embedded, []string{
		"shim" + suffix + ".efi",
		name + "-sb/shim" + suffix + ".efi",
		"snponly-" + name + ".efi",
		"ipxe-" + name + ".efi",
		name + "/snponly.efi",
		name + "/ipxe.efi",
	}}
}
