package grub

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"strings"

	"github.com/ulikunitz/xz/lzma"
)

// Addresses that bound what a core may have.
const (
	coreAddress   = 0x8200
	kernelAddress = 0x9000
	kernelEnd     = 0x68000
	coreEnd       = 0x78000
)

const (
	maxCore         = coreEnd - kernelAddress
	maxDecompressor = kernelAddress - coreAddress
	maxPayload      = 8 << 20
	maxPrefix       = 255
)

// Offsets in lzma_decompress.img.
const (
	packedSize   = 0x08
	unpackedSize = 0x0c
	fieldsEnd    = 0x18
)

// Of objects behind the kernel.
const (
	moduleMagic  = 0x676d696d
	infoSize     = 12
	typeModule   = 0
	typePrefix   = 3
	objectHeader = 8
)

// lzmaHeader is the length of the header that the compressor writes and GRUB
// does without.
const lzmaHeader = 13

// composeCore returns the core: the decompressor and all that it unpacks.
func composeCore(modules fs.FS, prefix string, names []string) ([]byte, error) {
	core, err := readPart(modules, "lzma_decompress.img", 0)
	if err != nil {
		return nil, err
	}
	if len(core) < fieldsEnd || len(core) > maxDecompressor {
		return nil, fmt.Errorf("grub: lzma_decompress.img: has %d bytes, not %d to %d", len(core), fieldsEnd, maxDecompressor)
	}
	plain, err := payload(modules, prefix, names)
	if err != nil {
		return nil, err
	}
	packed, err := compress(plain)
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(core[packedSize:], uint32(len(packed)))
	binary.LittleEndian.PutUint32(core[unpackedSize:], uint32(len(plain)))
	if core = append(core, packed...); len(core) > maxCore {
		return nil, fmt.Errorf("grub: core with %s has %d bytes: at most %d fit below %#x", strings.Join(names, " "), len(core), maxCore, coreEnd)
	}
	return core, nil
}

// payload returns the kernel and the objects behind it.
func payload(modules fs.FS, prefix string, names []string) ([]byte, error) {
	if len(prefix) > maxPrefix || strings.ContainsRune(prefix, 0) {
		return nil, fmt.Errorf("grub: prefix %q: longer than %d bytes, or with a zero in it", prefix, maxPrefix)
	}
	image, err := kernel(modules)
	if err != nil {
		return nil, err
	}
	names, err = resolve(modules, names)
	if err != nil {
		return nil, err
	}
	start := len(image)
	image = binary.LittleEndian.AppendUint32(image, moduleMagic)
	image = binary.LittleEndian.AppendUint32(image, infoSize)
	image = binary.LittleEndian.AppendUint32(image, 0)
	for _, name := range names {
		module, err := readPart(modules, name+".mod", 0)
		if err != nil {
			return nil, err
		}
		if image = appendObject(image, typeModule, module); len(image) > maxPayload {
			return nil, fmt.Errorf("grub: kernel and modules up to %s: more than %d bytes", name, maxPayload)
		}
	}
	image = appendObject(image, typePrefix, append([]byte(prefix), 0))
	binary.LittleEndian.PutUint32(image[start+8:], uint32(len(image)-start))
	return image, nil
}

// appendObject appends an object and what aligns the next one.
func appendObject(image []byte, kind uint32, data []byte) []byte {
	pad := -len(data) & 3
	image = binary.LittleEndian.AppendUint32(image, kind)
	image = binary.LittleEndian.AppendUint32(image, uint32(objectHeader+len(data)+pad))
	image = append(image, data...)
	return append(image, make([]byte, pad)...)
}

// compress returns data as a bare LZMA stream.
func compress(data []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := lzma.WriterConfig{
		Properties: &lzma.Properties{LC: 3, LP: 0, PB: 2},
		DictCap:    1 << 16,
		Size:       int64(len(data)),
	}.NewWriter(&out)
	if err != nil {
		return nil, fmt.Errorf("grub: compress: %w", err)
	}
	if _, err := w.Write(data); err != nil {
		return nil, fmt.Errorf("grub: compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("grub: compress: %w", err)
	}
	return out.Bytes()[lzmaHeader:], nil
}
