package ext

import (
	"encoding/binary"
	"errors"
)

// Versions and sizes of access control lists, as an extended attribute has them
// and as they are stored.
const (
	aclVersion      = 2
	aclEntry        = 8
	aclDiskVersion  = 1
	aclUser         = 0x02
	aclGroup        = 0x08
	posixACLAccess  = "posix_acl_access"
	posixACLDefault = "posix_acl_default"
)

// newACL returns an attribute of the namespace system, of which only access
// control lists are stored. Their form on disk has no numbers where none are
// needed.
func newACL(name, value string) (x xattr, ok bool, err error) {
	switch name {
	case posixACLAccess:
		x.space = xattrACL
	case posixACLDefault:
		x.space = xattrDefaultACL
	default:
		return x, false, nil
	}
	le, b := binary.LittleEndian, []byte(value)
	if len(b) < 4 || le.Uint32(b) != aclVersion || len(b)%aclEntry != 4 {
		return x, false, errors.New("is no access control list of version 2")
	}
	out := le.AppendUint32(nil, aclDiskVersion)
	for b = b[4:]; len(b) > 0; b = b[aclEntry:] {
		out = append(out, b[:4]...)
		if tag := le.Uint16(b); tag == aclUser || tag == aclGroup {
			out = append(out, b[4:8]...)
		}
	}
	x.value = string(out)
	return x, true, nil
}
