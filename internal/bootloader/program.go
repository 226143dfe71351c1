package bootloader

import (
	"bytes"
	"debug/pe"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode/utf16"
)

// maxProgram is what a program may have, in bytes.
const maxProgram = 32 << 20

// certificates is the index of the data directory that signatures are in.
const certificates = 4

// Of the section "mods" of GRUB: magic, padding, offset and size of objects.
const (
	modsMagic  = 0x676d696d
	modsHeader = 24
	objectSize = 8
	prefixType = 3
	maxPrefix  = 255
)

// A program is what an EFI program says about itself.
type program struct {
	data   []byte
	signed bool
	prefix string // of GRUB
}

// readProgram reads the program called name, which must be for a platform.
func readProgram(tree fs.FS, name string, p platform) (*program, error) {
	f, err := tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxProgram+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > maxProgram {
		return nil, fmt.Errorf("%s: has more than %d bytes", name, maxProgram)
	}
	image, err := pe.NewFile(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%s: is no EFI program: %w", name, err)
	}
	if image.Machine != p.machine {
		return nil, fmt.Errorf("%s: is for machine %#x, not %#x (%s)", name, image.Machine, p.machine, p.arch)
	}
	prog := &program{data: data}
	if header, ok := image.OptionalHeader.(*pe.OptionalHeader64); ok {
		prog.signed = header.NumberOfRvaAndSizes > certificates && header.DataDirectory[certificates].Size > 0
	}
	if section := image.Section("mods"); section != nil {
		if mods, err := section.Data(); err == nil {
			prog.prefix = prefixIn(mods)
		}
	}
	return prog, nil
}

// prefixIn returns the prefix in GRUB's section "mods", or "".
func prefixIn(mods []byte) string {
	if len(mods) < modsHeader || binary.LittleEndian.Uint32(mods) != modsMagic {
		return ""
	}
	at, end := binary.LittleEndian.Uint64(mods[8:]), binary.LittleEndian.Uint64(mods[16:])
	end = min(end, uint64(len(mods)))
	for at < end && end-at >= objectSize {
		kind := binary.LittleEndian.Uint32(mods[at:])
		size := uint64(binary.LittleEndian.Uint32(mods[at+4:]))
		if size < objectSize || size > end-at {
			return ""
		}
		if kind == prefixType {
			prefix, _, _ := bytes.Cut(mods[at+objectSize:at+size], []byte{0})
			if len(prefix) > maxPrefix {
				return ""
			}
			return string(prefix)
		}
		at += (size + 7) &^ 7 // Objects are aligned as pointers are.
	}
	return ""
}

// loads says whether shim has name in it as what it loads.
func (p *program) loads(name string) bool {
	var text []byte
	for _, unit := range utf16.Encode([]rune(`\` + name + "\x00")) {
		text = binary.LittleEndian.AppendUint16(text, unit)
	}
	return bytes.Contains(p.data, text)
}

// folderOf returns the folder that GRUB's prefix means, as a name in a tree. It is
// "" if there is none, if it is on a named device, which is none of ours, or
// if it is not made of plain words, which no file in an EFI system partition is.
func folderOf(prefix string) string {
	name := strings.Trim(prefix, "/")
	if !strings.HasPrefix(prefix, "/") || !fs.ValidPath(name) || strings.ContainsFunc(name, func(r rune) bool {
		return !strings.ContainsRune(plain, r)
	}) {
		return ""
	}
	return name
}

// plain is what names of GRUB's folders are made of.
const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-/"
