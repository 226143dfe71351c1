package grub_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"maps"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz/lzma"
)

// folder returns a small folder with the fields of GRUB's, and two modules that
// need a third.
func folder() fstest.MapFS {
	diskboot := bytes.Repeat([]byte{0xd1}, 512)
	binary.LittleEndian.PutUint16(diskboot[0x1fe:], 0x820)
	return fstest.MapFS{
		"boot.img":            {Data: bytes.Repeat([]byte{0xb0}, 512)},
		"boot_hybrid.img":     {Data: bytes.Repeat([]byte{0xb1}, 512)},
		"cdboot.img":          {Data: bytes.Repeat([]byte{0xcd}, 2048)},
		"diskboot.img":        {Data: diskboot},
		"lzma_decompress.img": {Data: bytes.Repeat([]byte{0x1a}, 600)},
		"kernel.img":          {Data: program(0x9000, []byte("text"), 0x9010, []byte("data"), 12)},
		"one.mod":             {Data: []byte("module one")},
		"two.mod":             {Data: []byte("module two!!")},
		"base.mod":            {Data: []byte("base")},
		"moddep.lst":          {Data: []byte("one: base\nbase:\ntwo: one base\n")},
	}
}

// program returns an ELF program with text, data and bss.
func program(textAt uint32, text []byte, dataAt uint32, data []byte, bss uint32) []byte {
	le := binary.LittleEndian
	names := "\x00.text\x00.data\x00.bss\x00.shstrtab\x00"
	body := append(append(append([]byte(nil), text...), data...), names...)
	at := func(n int) uint32 { return uint32(52 + n) }
	h := append([]byte("\x7fELF\x01\x01\x01"), make([]byte, 9)...)
	h = le.AppendUint16(h, 2) // A program,
	h = le.AppendUint16(h, 3) // for i386.
	h = le.AppendUint32(h, 1)
	h = le.AppendUint32(h, textAt) // entry
	h = le.AppendUint32(h, 0)
	h = le.AppendUint32(h, at(len(body))) // section headers
	h = le.AppendUint32(h, 0)
	for _, v := range []uint16{52, 32, 0, 40, 5, 4} {
		h = le.AppendUint16(h, v)
	}
	out := append(h, body...)
	section := func(name, kind, flags, addr, off, size uint32) {
		for _, v := range []uint32{name, kind, flags, addr, off, size, 0, 0, 1, 0} {
			out = le.AppendUint32(out, v)
		}
	}
	section(0, 0, 0, 0, 0, 0)
	section(1, 1, 6, textAt, at(0), uint32(len(text)))
	section(7, 1, 3, dataAt, at(len(text)), uint32(len(data)))
	section(13, 8, 3, dataAt+uint32(len(data)), 0, bss)
	section(18, 3, 0, 0, at(len(text)+len(data)), uint32(len(names)))
	return out
}

// unpack returns what a core unpacks to, and the length of its stream.
func unpack(tb testing.TB, core []byte, decompressor int) (plain []byte, packed int) {
	tb.Helper()
	header := []byte{93, 0, 0, 1, 0}
	header = append(header, core[12:16]...)
	header = append(header, 0, 0, 0, 0)
	packed = int(binary.LittleEndian.Uint32(core[8:]))
	require.LessOrEqual(tb, decompressor+packed, len(core))
	stream := io.MultiReader(bytes.NewReader(header), bytes.NewReader(core[decompressor:decompressor+packed]))
	r, err := lzma.NewReader(stream)
	require.NoError(tb, err)
	plain, err = io.ReadAll(r)
	require.NoError(tb, err)
	require.Len(tb, plain, int(binary.LittleEndian.Uint32(core[12:])))
	return plain, packed
}

// with returns tree with other files; a file without contents is left out.
func with(tree fstest.MapFS, files map[string]string) fstest.MapFS {
	changed := maps.Clone(tree)
	for name, data := range files {
		changed[name] = &fstest.MapFile{Data: []byte(data)}
		if data == "" {
			delete(changed, name)
		}
	}
	return changed
}
