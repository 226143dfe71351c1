package boottree

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"io/fs"
)

// kernelHead is how much of a kernel is looked at, in bytes.
const kernelHead = 4 << 10

// KernelArch returns what the kernel called name is for, by Go's names, or "" if
// it does not say.
//
//	offset  bytes              kernel for                 source
//	0x202   HdrS               amd64                      Linux, x86/boot
//	0x38    ARM 0x64           arm64                      Linux, arm64/booting
//	0x30    RISCV              riscv64                    Linux, riscv/boot-image-header
//	0x3C    to a PE header     as its machine field says  PE/COFF, of EFI stubs that unpack
//
// A kernel that gzip packed is unpacked as far as that.
func KernelArch(fsys fs.FS, name string) (string, error) {
	head, err := readHead(fsys, name)
	if err != nil {
		return "", err
	}
	has := func(offset int, magic string) bool {
		return len(head) >= offset && bytes.HasPrefix(head[offset:], []byte(magic))
	}
	switch {
	case has(0x202, "HdrS"):
		return "amd64", nil
	case has(0x38, "ARM\x64"):
		return "arm64", nil
	case has(0x30, "RISCV"):
		return "riscv64", nil
	case has(0, "MZ") && len(head) >= 0x40:
		at := int64(binary.LittleEndian.Uint32(head[0x3C:]))
		if at+6 <= int64(len(head)) && string(head[at:at+4]) == "PE\x00\x00" {
			return machineArch(binary.LittleEndian.Uint16(head[at+4:])), nil
		}
	}
	return "", nil
}

// machineArch returns what the machine field of a PE header means.
func machineArch(machine uint16) string {
	return map[uint16]string{0x8664: "amd64", 0xAA64: "arm64", 0x5064: "riscv64"}[machine]
}

// readHead returns the start of a file, unpacked if gzip packed it.
func readHead(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head, err := io.ReadAll(io.LimitReader(f, kernelHead))
	if err != nil || !bytes.HasPrefix(head, []byte{0x1F, 0x8B}) {
		return head, err
	}
	g, err := gzip.NewReader(io.MultiReader(bytes.NewReader(head), f))
	if err != nil {
		return head, nil // It only begins like gzip.
	}
	if unpacked, err := io.ReadAll(io.LimitReader(g, kernelHead)); err == nil {
		return unpacked, nil
	}
	return head, nil
}
