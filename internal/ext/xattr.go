package ext

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/netbootkit/netbootkit/internal/dentry"
)

// xattrRecord is what PAX records of extended attributes start with.
const xattrRecord = "SCHILY.xattr."

// Sizes and numbers of the format of extended attributes.
const (
	xattrMagic       = 0xEA020000
	xattrEntrySize   = 16
	xattrBlockHeader = 32
	xattrEnd         = 4  // zeros after the last entry
	extraSize        = 32 // bytes of an inode that have a meaning, behind the first 128
	xattrBodySize    = inodeSize - 128 - extraSize

	xattrUser       = 1
	xattrACL        = 2
	xattrDefaultACL = 3
	xattrTrusted    = 4
	xattrSecurity   = 6
)

// An xattr is an extended attribute as it is stored.
type xattr struct {
	space byte
	name  string // without what space says
	value string
}

// size is what x takes in an inode or a block.
func (x xattr) size() int {
	return xattrEntrySize + roundUp(len(x.name), 4)*4 + roundUp(len(x.value), 4)*4
}

// compare is the order in a block.
func (x xattr) compare(y xattr) int {
	return cmp.Or(cmp.Compare(x.space, y.space), cmp.Compare(len(x.name), len(y.name)), cmp.Compare(x.name, y.name))
}

// hash is the checksum of x that is stored beside it in a block.
func (x xattr) hash() uint32 {
	var h uint32
	for i := range len(x.name) {
		h = h<<5 ^ h>>27 ^ uint32(x.name[i])
	}
	padded := make([]byte, roundUp(len(x.value), 4)*4)
	copy(padded, x.value)
	for i := 0; i < len(padded); i += 4 {
		h = h<<16 ^ h>>16 ^ binary.LittleEndian.Uint32(padded[i:])
	}
	return h
}

// An xattrs is a block of extended attributes that inodes share.
type xattrs struct {
	list  []xattr
	block uint32
	refs  uint32
}

// An xattrTable holds the extended attributes of a tree, each set once.
type xattrTable struct {
	body   int // bytes that an inode has for them
	bodies map[string]string
	shared map[string]*xattrs // by their content; the one that takes more names
	blocks []*xattrs
}

// add returns where the attributes in records are: in the inode, in a block, or
// in both. Attributes of namespaces that ext4 does not have are left out.
func (t *xattrTable) add(records map[string]string) (body string, block *xattrs, err error) {
	if len(records) == 0 {
		return "", nil, nil
	}
	list, err := parseXattrs(records)
	if err != nil {
		return "", nil, err
	}
	var in, out []xattr
	left, room := t.body-4-xattrEnd, blockSize-xattrBlockHeader-xattrEnd
	for _, x := range list {
		if x.size() <= left {
			in, left = append(in, x), left-x.size()
			continue
		}
		out, room = append(out, x), room-x.size()
	}
	if room < 0 {
		return "", nil, fmt.Errorf("extended attributes: they need %d bytes more than one block has", -room)
	}
	if len(in) > 0 {
		body = t.intern(encodeBody(in))
	}
	if len(out) > 0 {
		block = t.share(out)
	}
	return body, block, nil
}

// parseXattrs returns the attributes in records, sorted.
func parseXattrs(records map[string]string) ([]xattr, error) {
	var list []xattr
	for record, value := range records {
		full, ok := strings.CutPrefix(record, xattrRecord)
		if !ok {
			continue
		}
		x, ok, err := newXattr(full, value)
		if err != nil {
			return nil, fmt.Errorf("extended attribute %.300q: %w", full, err)
		}
		if ok {
			list = append(list, x)
		}
	}
	slices.SortFunc(list, xattr.compare)
	return list, nil
}

// newXattr returns an attribute, and whether there is a place for it.
func newXattr(full, value string) (x xattr, ok bool, err error) {
	space, name, _ := strings.Cut(full, ".")
	x = xattr{name: name, value: value}
	switch space {
	case "user":
		x.space = xattrUser
	case "trusted":
		x.space = xattrTrusted
	case "security":
		x.space = xattrSecurity
	case "system":
		return newACL(name, value)
	default:
		return x, false, nil
	}
	switch {
	case name == "" || len(full) > dentry.MaxName:
		return x, false, fmt.Errorf("name has %d bytes, 1 to %d are possible", len(name), dentry.MaxName-len(space)-1)
	case len(value) > maxXattr:
		return x, false, fmt.Errorf("value has %d bytes, and a block %d", len(value), blockSize)
	}
	return x, true, nil
}

// intern returns a string that equals s, and is kept once.
func (t *xattrTable) intern(s string) string {
	if known, ok := t.bodies[s]; ok {
		return known
	}
	if t.bodies == nil {
		t.bodies = make(map[string]string)
	}
	t.bodies[s] = s
	return s
}

// share returns a block for one more inode with the attributes in list.
func (t *xattrTable) share(list []xattr) *xattrs {
	key := fmt.Sprintf("%q", list)
	if b := t.shared[key]; b != nil && b.refs < maxXattrRef {
		b.refs++
		return b
	}
	if t.shared == nil {
		t.shared = make(map[string]*xattrs)
	}
	b := &xattrs{list: list, refs: 1}
	t.shared[key] = b
	t.blocks = append(t.blocks, b)
	return b
}

// encodeBody returns what an inode holds behind its fields.
func encodeBody(list []xattr) string {
	b := make([]byte, xattrBodySize)
	binary.LittleEndian.PutUint32(b, xattrMagic)
	putXattrs(b[4:], list, 0, false)
	return string(b)
}

// encode returns the block, which is there once and has a checksum if sums is
// not nil.
func (t *xattrs) encode(sums *summer) []byte {
	b := make([]byte, blockSize)
	le := binary.LittleEndian
	le.PutUint32(b, xattrMagic)
	le.PutUint32(b[4:], t.refs)
	le.PutUint32(b[8:], 1) // blocks
	le.PutUint32(b[12:], putXattrs(b, t.list, xattrBlockHeader, true))
	if sums != nil {
		sum := sums.sum(sums.seed, le.AppendUint64(nil, uint64(t.block)))
		le.PutUint32(b[16:], sums.sum(sum, b))
	}
	return b
}

// putXattrs writes attributes to b: entries from first on, values from the end
// backwards. It returns a checksum over all of them.
func putXattrs(b []byte, list []xattr, first int, hashed bool) (all uint32) {
	le := binary.LittleEndian
	end, e := len(b), b[first:]
	for _, x := range list {
		e[0], e[1] = byte(len(x.name)), x.space
		if x.value != "" {
			end -= roundUp(len(x.value), 4) * 4
			copy(b[end:], x.value)
			le.PutUint16(e[2:], uint16(end))
		}
		le.PutUint32(e[8:], uint32(len(x.value)))
		if hashed {
			le.PutUint32(e[12:], x.hash())
			all = all<<16 ^ all>>16 ^ x.hash()
		}
		copy(e[xattrEntrySize:], x.name)
		e = e[xattrEntrySize+roundUp(len(x.name), 4)*4:]
	}
	return all
}
