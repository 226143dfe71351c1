package bootloader

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// Loaders are what was found in a tree.
type Loaders struct {
	EFI      *EFI   // nil if there is no GRUB for UEFI
	BIOS     fs.FS  // GRUB's folder i386-pc, nil if there is none
	BIOSFrom string // where in the tree that is, for messages
}

// EFI is a boot loader for UEFI.
type EFI struct {
	Arch       string // as GOARCH
	Shim       string // names in FS; "" if there is none
	Grub       string
	MokManager string // "" if there is none
	GrubName   string // what GRUB is called in EFI/BOOT, such as grubx64.efi
	BootName   string // what firmware starts there, such as bootx64.efi
	Prefix     string // where GRUB looks for grub.cfg, such as /EFI/debian; "" if unknown
	Signed     bool   // shim is there, and GRUB carries a signature
	FS         fs.FS  // the tree
}

// A platform is an architecture, by the names that files have.
type platform struct {
	arch    string // in GRUB's folders
	cpu     string // in names of programs
	machine uint16 // in programs
}

// platformOf returns the platform that GOARCH calls arch.
func platformOf(arch string) (platform, error) {
	switch arch {
	case "amd64":
		return platform{"x86_64", "x64", 0x8664}, nil
	case "arm64":
		return platform{"aarch64", "aa64", 0xaa64}, nil
	case "riscv64":
		return platform{"riscv64", "riscv64", 0x5064}, nil
	default:
		return platform{}, fmt.Errorf("bootloader: architecture %q: not amd64, arm64 or riscv64", arch)
	}
}

// Find returns the boot loaders in tree for an architecture as GOARCH calls it.
// A BIOS is looked for on amd64 only.
func Find(tree fs.FS, arch string) (*Loaders, error) {
	p, err := platformOf(arch)
	if err != nil {
		return nil, err
	}
	loaders := new(Loaders)
	if loaders.EFI, err = findEFI(tree, arch, p); err != nil {
		return nil, fmt.Errorf("bootloader: %w", err)
	}
	if arch != "amd64" {
		return loaders, nil
	}
	if loaders.BIOS, loaders.BIOSFrom, err = findBIOS(tree); err != nil {
		return nil, fmt.Errorf("bootloader: %w", err)
	}
	return loaders, nil
}

// findEFI returns what boots a machine with UEFI, or nil.
func findEFI(tree fs.FS, arch string, p platform) (*EFI, error) {
	boot := "boot" + p.cpu + ".efi"
	grub, err := firstFile(tree, append(grubs(p), loose(tree, p, "gcd"+p.cpu, "grub"+p.cpu)...))
	if err != nil {
		return nil, err
	}
	var shim string
	if arch != "riscv64" {
		shim, err = firstFile(tree, append(shims(p), loose(tree, p, "shim"+p.cpu)...))
		if err == nil && shim == "" && grub != "" {
			shim, err = firstFile(tree, beside(tree, grub, boot))
		}
	}
	if err == nil && grub == "" && shim == "" { // A GRUB that goes by the name that firmware starts.
		grub, err = firstFile(tree, loose(tree, p, "boot"+p.cpu))
	}
	if err != nil || grub == "" {
		return nil, err
	}
	e := &EFI{Arch: arch, Shim: shim, Grub: grub, GrubName: grubName(grub, p), BootName: boot, FS: tree}
	return e, e.inspect(p)
}

// grubName returns what shim looks for: the name that the file has without what
// says that it is signed or for CDs.
func grubName(grub string, p platform) string {
	name := strings.ToLower(path.Base(grub))
	for _, suffix := range []string{".latest", ".signed", ".dualsigned"} {
		name = strings.TrimSuffix(name, suffix)
	}
	if name == "gcd"+p.cpu+".efi" || name == "boot"+p.cpu+".efi" {
		return "grub" + p.cpu + ".efi"
	}
	return name
}

// inspect reads what the programs say about themselves.
func (e *EFI) inspect(p platform) error {
	grub, err := readProgram(e.FS, e.Grub, p)
	if err != nil {
		return err
	}
	e.Prefix = grub.prefix
	if e.Shim == "" {
		return nil
	}
	shim, err := readProgram(e.FS, e.Shim, p)
	if err != nil {
		return err
	}
	e.Signed = grub.signed && shim.signed
	for _, name := range []string{e.GrubName, "grub" + p.cpu + ".efi", "grub.efi"} {
		if shim.loads(name) {
			e.GrubName = name
			break
		}
	}
	mok := "mm" + p.cpu + ".efi"
	e.MokManager, err = firstFile(e.FS, beside(e.FS, e.Shim, mok+".signed", mok))
	return err
}

// findBIOS returns GRUB's folder i386-pc, and where it is.
func findBIOS(tree fs.FS) (fs.FS, string, error) {
	var errs []error
	for _, folder := range biosFolders() {
		found, err := firstFile(tree, []string{path.Join(folder, "kernel.img")})
		if err == nil && found != "" {
			found, err = firstFile(tree, []string{path.Join(folder, "boot.img")})
		}
		if found == "" || err != nil {
			errs = append(errs, err)
			continue
		}
		if folder == "." {
			return tree, folder, nil
		}
		sub, err := fs.Sub(tree, folder)
		return sub, folder, err
	}
	return nil, "", errors.Join(errs...)
}

// firstFile returns the first of the named files that exists, or "". What stood
// in the way of looking at one is an error only if there is no other.
func firstFile(tree fs.FS, names []string) (string, error) {
	var errs []error
	for _, name := range names {
		info, err := fs.Stat(tree, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			errs = append(errs, err)
		case info.Mode().IsRegular():
			return name, nil
		}
	}
	return "", errors.Join(errs...)
}
