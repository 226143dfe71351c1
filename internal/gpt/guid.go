package gpt

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// A GUID identifies a disk, a partition or a type, in the byte order of its
// text form.
type GUID [16]byte

// Types of partitions.
const (
	efiSystem = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
	basicData = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
	biosBoot  = "21686148-6449-6E6F-744E-656564454649"
)

// EFISystem returns the type of an EFI system partition.
func EFISystem() GUID { return known(efiSystem) }

// BasicData returns the type of a partition that holds a file system.
func BasicData() GUID { return known(basicData) }

// BIOSBoot returns the type of the partition that holds GRUB's core image.
func BIOSBoot() GUID { return known(biosBoot) }

// known returns a GUID of the list above, which a test has parsed.
func known(s string) GUID {
	g, _ := ParseGUID(s)
	return g
}

// ParseGUID returns the GUID written as C12A7328-F81F-11D2-BA4B-00A0C93EC93B,
// in upper or lower case.
func ParseGUID(s string) (GUID, error) {
	var g GUID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return g, fmt.Errorf("gpt: GUID %.40q: want 8, 4, 4, 4 and 12 digits with dashes between", s)
	}
	if _, err := hex.Decode(g[:], []byte(strings.ReplaceAll(s, "-", ""))); err != nil {
		return GUID{}, fmt.Errorf("gpt: GUID %q: %w", s, err)
	}
	return g, nil
}

// String returns g in upper case.
func (g GUID) String() string {
	s := strings.ToUpper(hex.EncodeToString(g[:]))
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// MarshalText returns what [GUID.String] does.
func (g GUID) MarshalText() ([]byte, error) { return []byte(g.String()), nil }
