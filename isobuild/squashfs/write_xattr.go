package squashfs

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// xattrRecord is what PAX records of extended attributes start with.
const xattrRecord = "SCHILY.xattr."

// An xattrTable holds the sets of extended attributes of a tree, each once.
type xattrTable struct {
	ids  map[string]uint32 // from packed sets to their numbers
	sets []xattrSet
}

// An xattrSet is what one or several inodes have.
type xattrSet struct {
	packed string // the pairs, as in the image
	count  uint32
}

// add returns the number of the set in records. Attributes of namespaces
// that SquashFS does not have are left out.
func (t *xattrTable) add(records map[string]string) (uint32, error) {
	var packed []byte
	var count uint32
	for _, record := range slices.Sorted(maps.Keys(records)) {
		attr, ok := strings.CutPrefix(record, xattrRecord)
		if !ok {
			continue
		}
		space, name, ok := namespace(attr)
		if !ok {
			continue
		}
		value := records[record]
		if err := checkXattr(attr, name, value); err != nil {
			return 0, err
		}
		packed = binary.LittleEndian.AppendUint16(packed, space)
		packed = binary.LittleEndian.AppendUint16(packed, uint16(len(name)))
		packed = append(packed, name...)
		packed = binary.LittleEndian.AppendUint32(packed, uint32(len(value)))
		packed = append(packed, value...)
		count++
		if len(packed) > maxXattrs { // Open would refuse it.
			return 0, errXattrs
		}
	}
	if count == 0 {
		return noXattr, nil
	}
	return t.number(string(packed), count), nil
}

// number returns the number of a packed set.
func (t *xattrTable) number(packed string, count uint32) uint32 {
	if id, ok := t.ids[packed]; ok {
		return id
	}
	if t.ids == nil {
		t.ids = make(map[string]uint32)
	}
	id := uint32(len(t.sets)) // There are not more than entries.
	t.ids[packed] = id
	t.sets = append(t.sets, xattrSet{packed, count})
	return id
}

// namespace splits the name of an attribute.
func namespace(attr string) (space uint16, name string, ok bool) {
	prefix, name, _ := strings.Cut(attr, ".")
	switch prefix {
	case "user":
		return xattrUser, name, true
	case "trusted":
		return xattrTrusted, name, true
	case "security":
		return xattrSecurity, name, true
	default:
		return 0, "", false
	}
}

// checkXattr says what is wrong with an attribute.
func checkXattr(attr, name, value string) error {
	switch {
	case name == "" || len(attr) > maxXattrName:
		return fmt.Errorf("extended attribute %.300q: name has %d bytes, 1 to %d are possible", attr, len(name), maxXattrName-len(attr)+len(name))
	case len(value) > maxXattr:
		return fmt.Errorf("extended attribute %.300q: value has %d bytes, at most %d are possible", attr, len(value), maxXattr)
	default:
		return nil
	}
}

// encode writes the pairs and the table of sets to the image. It returns
// where the table's header is.
func (t *xattrTable) encode(out *output) (uint64, error) {
	if len(t.sets) == 0 {
		return noTable, nil
	}
	pairs := out.newMeta()
	table := make([]byte, 0, len(t.sets)*xattrIDSize)
	for _, set := range t.sets {
		table = binary.LittleEndian.AppendUint64(table, pairs.position())
		table = binary.LittleEndian.AppendUint32(table, set.count)
		table = binary.LittleEndian.AppendUint32(table, uint32(len(set.packed)))
		pairs.write([]byte(set.packed))
	}
	start, err := out.putMeta(pairs)
	if err != nil {
		return 0, err
	}
	header := binary.LittleEndian.AppendUint64(nil, start)
	header = binary.LittleEndian.AppendUint64(header, uint64(len(t.sets)))
	return out.putTable(header, table)
}
