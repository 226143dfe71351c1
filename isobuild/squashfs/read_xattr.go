package squashfs

import (
	"encoding/binary"
	"fmt"
)

// An xattrReader reads lists of extended attributes. Inodes with the same
// attributes share a list.
type xattrReader struct {
	store *store
	table indexed
	start int64 // of the metadata blocks with the lists
	lists map[uint32]map[string]string
}

// xattrTableSize is how many bytes precede the index of the table.
const xattrTableSize = 16

// newXattrReader reads the table of lists.
func newXattrReader(s *store) (*xattrReader, error) {
	x := &xattrReader{store: s, lists: make(map[uint32]map[string]string)}
	x.table.what, x.table.entry = "list of attributes", xattrIDSize
	at := uint64(s.im.xattrs)
	if at == noTable {
		return x, nil
	}
	var b [xattrTableSize]byte
	if err := s.im.readAt(b[:], s.im.xattrs); err != nil {
		return nil, fmt.Errorf("attribute table: %w", err)
	}
	x.start, x.table.count = int64(binary.LittleEndian.Uint64(b[:])), int64(binary.LittleEndian.Uint32(b[8:]))
	x.table.start = s.im.xattrs + xattrTableSize
	if x.start < superblockSize || x.start > s.im.size {
		return nil, fmt.Errorf("attributes at byte %d of %d", x.start, s.im.size)
	}
	if x.table.count > maxNames {
		return nil, fmt.Errorf("%d lists of attributes, more than %d", x.table.count, maxNames)
	}
	return x, x.table.load(s.im)
}

// read returns list i by name. The map is shared.
func (x *xattrReader) read(i uint32) (map[string]string, error) {
	if i == noXattr {
		return nil, nil
	}
	if attributes, ok := x.lists[i]; ok {
		return attributes, nil
	}
	var b [xattrIDSize]byte
	if err := x.table.read(x.store, b[:], int64(i)); err != nil {
		return nil, err
	}
	attributes, err := x.readList(inodeRef(binary.LittleEndian.Uint64(b[:])), binary.LittleEndian.Uint32(b[8:]))
	if err != nil {
		return nil, fmt.Errorf("list %d of attributes: %w", i, err)
	}
	x.lists[i] = attributes
	return attributes, nil
}

// readList reads the count attributes at ref.
func (x *xattrReader) readList(ref inodeRef, count uint32) (map[string]string, error) {
	list, outside := cursor{store: x.store}, cursor{store: x.store}
	if err := list.seekRef(x.start, ref); err != nil {
		return nil, err
	}
	attributes, left := make(map[string]string), maxXattrs
	for range count {
		name, value, err := x.readXattr(&list, &outside, &left)
		if err != nil {
			return nil, err
		}
		if _, ok := attributes[name]; ok {
			return nil, fmt.Errorf("attribute %q occurs twice", name)
		}
		attributes[name] = value
	}
	return attributes, nil
}

// readXattr reads one attribute. Outside reads values that are not in the
// list; left is how many bytes the file's attributes may still have.
func (x *xattrReader) readXattr(list, outside *cursor, left *int) (name, value string, err error) {
	var b [8 + maxXattrName]byte
	if err := list.read(b[:4]); err != nil {
		return "", "", err
	}
	kind, length := binary.LittleEndian.Uint16(b[:]), int(binary.LittleEndian.Uint16(b[2:]))
	prefix, ok := namespacePrefix(kind &^ xattrOutside)
	if !ok {
		return "", "", fmt.Errorf("attribute of unknown type %#x", kind)
	}
	if length == 0 || len(prefix)+length > maxXattrName {
		return "", "", fmt.Errorf("name of an attribute has %d bytes, not 1 to %d", length, maxXattrName-len(prefix))
	}
	if *left -= length; *left < 0 {
		return "", "", errXattrs
	}
	if err := list.read(b[:length]); err != nil {
		return "", "", err
	}
	name = prefix + string(b[:length])
	if kind&xattrOutside == 0 {
		value, err = readValue(list, left)
		return name, value, err
	}
	// What is here is a reference of 8 bytes, with its length.
	if err := list.read(b[:12]); err != nil {
		return "", "", err
	}
	if n := binary.LittleEndian.Uint32(b[:]); n != 8 {
		return "", "", fmt.Errorf("reference to the value of %q has %d bytes, not 8", name, n)
	}
	if err := outside.seekRef(x.start, inodeRef(binary.LittleEndian.Uint64(b[4:]))); err != nil {
		return "", "", err
	}
	value, err = readValue(outside, left)
	return name, value, err
}

// readValue reads a length and so many bytes.
func readValue(c *cursor, left *int) (string, error) {
	var b [4]byte
	if err := c.read(b[:]); err != nil {
		return "", err
	}
	length := binary.LittleEndian.Uint32(b[:])
	if length > maxXattr {
		return "", fmt.Errorf("value of an attribute has %d bytes, more than %d", length, maxXattr)
	}
	if *left -= int(length) + 1; *left < 0 {
		return "", errXattrs
	}
	value := make([]byte, length)
	err := c.read(value)
	return string(value), err
}

var errXattrs = fmt.Errorf("attributes of one file take more than %d bytes", maxXattrs)

// namespacePrefix returns the namespace of an attribute, as getfattr prints it.
func namespacePrefix(kind uint16) (string, bool) {
	switch kind {
	case xattrUser:
		return "user.", true
	case xattrTrusted:
		return "trusted.", true
	case xattrSecurity:
		return "security.", true
	default:
		return "", false
	}
}
