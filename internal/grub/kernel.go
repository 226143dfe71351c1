package grub

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"io/fs"
)

// kernel returns kernel.img as it lies in memory from its address on: sections
// at their addresses, zeros between them, up to .bss, which GRUB clears itself.
func kernel(modules fs.FS) ([]byte, error) {
	const name = "kernel.img"
	file, err := readPart(modules, name, 0)
	if err != nil {
		return nil, err
	}
	e, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("grub: %s: %w", name, err)
	}
	if e.Class != elf.ELFCLASS32 || e.Machine != elf.EM_386 || e.Type != elf.ET_EXEC {
		return nil, fmt.Errorf("grub: %s: is %v %v %v, not a 32-bit program for i386", name, e.Class, e.Machine, e.Type)
	}
	image, err := load(e)
	if err != nil {
		return nil, fmt.Errorf("grub: %s: %w", name, err)
	}
	return image, nil
}

// load copies the sections of e that exist in memory to where they belong.
func load(e *elf.File) ([]byte, error) {
	var image []byte
	for _, s := range e.Sections {
		if s.Flags&elf.SHF_ALLOC == 0 || s.Size == 0 {
			continue
		}
		if s.Addr < kernelAddress || s.Addr > kernelEnd || s.Size > kernelEnd-s.Addr {
			return nil, fmt.Errorf("section %s: %d bytes at %#x: not between %#x and %#x", s.Name, s.Size, s.Addr, kernelAddress, kernelEnd)
		}
		if s.Type == elf.SHT_NOBITS {
			continue
		}
		at := int(s.Addr - kernelAddress)
		if end := at + int(s.Size); end > len(image) {
			image = append(image, make([]byte, end-len(image))...)
		}
		if _, err := io.ReadFull(s.Open(), image[at:at+int(s.Size)]); err != nil {
			return nil, fmt.Errorf("section %s: %w", s.Name, err)
		}
	}
	if len(image) == 0 || e.Entry != kernelAddress {
		return nil, fmt.Errorf("starts at %#x with %d bytes in memory, not at %#x", e.Entry, len(image), kernelAddress)
	}
	return image, nil
}
