package pxemodel

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Tags of option 43 in PXE (PXE 2.1, table 2-1).
const (
	tagMTFTPFirst  byte = 1
	tagMTFTPLast   byte = 5
	tagControl     byte = 6
	tagMulticast   byte = 7
	tagBootServers byte = 8
	tagMenu        byte = 9
	tagPrompt      byte = 10
	tagBootItem    byte = 71

	controlNoBroadcast byte = 1
	controlOnlyListed  byte = 4
	controlSkip        byte = 8
)

var errUnterminated = errors.New("no end tag")

// vendor is option 43 as a PXE client reads it.
type vendor struct {
	tags    map[byte][]byte
	servers []bootServer
	menu    []menuItem
}

type bootServer struct {
	kind  uint16
	addrs []netip.Addr
}

type menuItem struct {
	kind uint16
	text string
}

// parseVendor reads option 43. It returns errUnterminated beside a good value
// when only the end tag is missing, since some clients do not mind.
func parseVendor(b []byte) (*vendor, error) {
	v := &vendor{tags: map[byte][]byte{}}
	for len(b) > 0 && b[0] != optEnd {
		if b[0] == optPad {
			b = b[1:]
			continue
		}
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return nil, fmt.Errorf("tag %d runs past the end", b[0])
		}
		v.tags[b[0]] = b[2 : 2+int(b[1])]
		b = b[2+int(b[1]):]
	}
	if err := v.readLists(); err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return v, errUnterminated
	}
	return v, nil
}

func (v *vendor) readLists() error {
	for b := v.tags[tagBootServers]; len(b) > 0; {
		if len(b) < 3 || len(b) < 3+4*int(b[2]) {
			return errors.New("boot server list is cut off")
		}
		s := bootServer{kind: binary.BigEndian.Uint16(b)}
		for i := range int(b[2]) {
			s.addrs = append(s.addrs, parseAddr(b[3+4*i:7+4*i]))
		}
		v.servers, b = append(v.servers, s), b[3+4*int(b[2]):]
	}
	for b := v.tags[tagMenu]; len(b) > 0; {
		if len(b) < 3 || len(b) < 3+int(b[2]) {
			return errors.New("menu is cut off")
		}
		v.menu = append(v.menu, menuItem{binary.BigEndian.Uint16(b), string(b[3 : 3+int(b[2])])})
		b = b[3+int(b[2]):]
	}
	return nil
}

func (v *vendor) has(tag byte) bool {
	_, ok := v.tags[tag]
	return ok
}

// control returns the discovery control byte, zero if there is none.
func (v *vendor) control() byte {
	if c := v.tags[tagControl]; len(c) == 1 {
		return c[0]
	}
	return 0
}

// skips reports whether the client is to load the file at once.
func (v *vendor) skips() bool { return v.control()&controlSkip != 0 }

// discovery reports whether any of tags 6 to 10 is there, which makes the
// reply what EDK2 calls PXE 1.0.
func (v *vendor) discovery() bool {
	for tag := tagControl; tag <= tagPrompt; tag++ {
		if v.has(tag) {
			return true
		}
	}
	return false
}

// mtftp reports whether all of tags 1 to 5 are there.
func (v *vendor) mtftp() bool {
	for tag := tagMTFTPFirst; tag <= tagMTFTPLast; tag++ {
		if !v.has(tag) {
			return false
		}
	}
	return true
}

// item encodes a boot item for a boot server request or compares its echo.
func bootItem(kind, layer uint16) []byte {
	b := []byte{tagBootItem, 4}
	b = binary.BigEndian.AppendUint16(b, kind)
	b = binary.BigEndian.AppendUint16(b, layer)
	return append(b, optEnd)
}
