package squashfs

import (
	"encoding/binary"
	"fmt"
)

// tables hold what inodes refer to by number.
type tables struct {
	ids    map[uint32]uint16 // from owners and groups to their index
	list   []uint32          // owners and groups by index
	xattrs xattrTable
}

// addID gives an owner or a group an index.
func (t *tables) addID(id uint32) error {
	if _, ok := t.ids[id]; ok {
		return nil
	}
	if len(t.list) == maxIDs {
		return fmt.Errorf("more than %d different owners and groups", maxIDs)
	}
	if t.ids == nil {
		t.ids = make(map[uint32]uint16)
	}
	t.ids[id] = uint16(len(t.list))
	t.list = append(t.list, id)
	return nil
}

// metadata writes all that comes after the files' blocks, and returns the
// superblock for it.
func (o *output) metadata(root *node, t *tables, fragments []fragment) (*superblock, error) {
	e := &encoder{inodes: o.newMeta(), dirs: o.newMeta(), root: root, ids: t.ids}
	ref, err := e.run()
	if err != nil {
		return nil, err
	}
	sb := &superblock{Inodes: root.number, Fragments: uint32(len(fragments)), IDs: uint16(len(t.list)), Root: ref}
	steps := []struct {
		position *uint64
		write    func() (uint64, error)
	}{ // The kernel wants them in this order, without gaps.
		{&sb.InodeTable, func() (uint64, error) { return o.putMeta(e.inodes) }},
		{&sb.DirTable, func() (uint64, error) { return o.putMeta(e.dirs) }},
		{&sb.FragmentTable, func() (uint64, error) { return o.putTable(nil, encodeFragments(fragments)) }},
		{&sb.ExportTable, func() (uint64, error) { return o.putTable(nil, encodeRefs(e.refs)) }},
		{&sb.IDTable, func() (uint64, error) { return o.putTable(nil, encodeIDs(t.list)) }},
		{&sb.XattrTable, func() (uint64, error) { return t.xattrs.encode(o) }},
	}
	for _, step := range steps {
		if *step.position, err = step.write(); err != nil {
			return nil, err
		}
	}
	sb.Flags = flagDuplicates | flagExportable
	if sb.XattrTable == noTable {
		sb.Flags |= flagNoXattrs
	}
	sb.Used = uint64(o.pos)
	return sb, nil
}

// encodeFragments returns the fragment table.
func encodeFragments(fragments []fragment) []byte {
	b := make([]byte, 0, len(fragments)*fragmentSize)
	for _, f := range fragments {
		b = binary.LittleEndian.AppendUint64(b, f.start)
		b = binary.LittleEndian.AppendUint64(b, uint64(f.size))
	}
	return b
}

// encodeRefs returns the export table: where the inode of each number is.
func encodeRefs(refs []uint64) []byte {
	b := make([]byte, 0, len(refs)*8)
	for _, ref := range refs {
		b = binary.LittleEndian.AppendUint64(b, ref)
	}
	return b
}

// encodeIDs returns the table of owners and groups.
func encodeIDs(ids []uint32) []byte {
	b := make([]byte, 0, len(ids)*4)
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, id)
	}
	return b
}
