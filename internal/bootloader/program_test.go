package bootloader_test

import (
	"encoding/binary"
	"testing/fstest"
	"unicode/utf16"
)

// A spec describes an EFI program for a test.
type spec struct {
	machine uint16 // amd64 if 0
	signed  bool
	prefix  string // of GRUB
	loads   string // by shim
}

// build returns the program: a PE32+ file with one section, "mods".
func (s spec) build() []byte {
	le := binary.LittleEndian
	if s.machine == 0 {
		s.machine = 0x8664
	}
	const optional, head = 112 + 16*8, 0x200
	mods := mods(s.prefix)
	out := make([]byte, head)
	copy(out, "MZ")
	le.PutUint32(out[0x3c:], 0x40)
	copy(out[0x40:], "PE\x00\x00")
	le.PutUint16(out[0x44:], s.machine)
	le.PutUint16(out[0x46:], 1) // sections
	le.PutUint16(out[0x54:], optional)
	header := out[0x58:]
	le.PutUint16(header, 0x20b)
	le.PutUint32(header[108:], 16)
	if s.signed {
		le.PutUint32(header[112+4*8+4:], 1472)
	}
	section := header[optional:]
	copy(section, "mods")
	le.PutUint32(section[8:], uint32(len(mods)))
	le.PutUint32(section[16:], uint32(len(mods)))
	le.PutUint32(section[20:], head)
	out = append(out, mods...)
	for _, unit := range utf16.Encode([]rune(`\` + s.loads + "\x00")) {
		out = le.AppendUint16(out, unit)
	}
	return out
}

// mods returns GRUB's section of that name: a module, and the prefix.
func mods(prefix string) []byte {
	le := binary.LittleEndian
	objects := le.AppendUint32(le.AppendUint32(nil, 0), 8+5)
	objects = append(objects, "moduleFILL"[:8]...)
	text := append([]byte(prefix), 0)
	objects = le.AppendUint32(le.AppendUint32(objects, 3), uint32(8+len(text)))
	objects = append(objects, text...)
	out := le.AppendUint64(nil, 0x676d696d)
	out = le.AppendUint64(out, 24)
	out = le.AppendUint64(out, uint64(24+len(objects)))
	return append(out, objects...)
}

// tree returns a tree with programs and other files.
func tree(files map[string]any) fstest.MapFS {
	out := make(fstest.MapFS)
	for name, file := range files {
		switch file := file.(type) {
		case spec:
			out[name] = &fstest.MapFile{Data: file.build(), Mode: 0o644}
		case string:
			out[name] = &fstest.MapFile{Data: []byte(file), Mode: 0o644}
		}
	}
	return out
}
