package diskimage

import (
	"crypto/sha1" //nolint:gosec // a UUID of version 5 is defined by it (RFC 9562 §5.5)
	"fmt"
	"io"

	"github.com/netbootkit/netbootkit/internal/gpt"
)

// A GUID identifies a disk, a partition or a type, in the byte order of its
// text form. The zero value is none.
type GUID [16]byte

// ParseGUID returns the GUID written as C12A7328-F81F-11D2-BA4B-00A0C93EC93B,
// in upper or lower case.
func ParseGUID(s string) (GUID, error) {
	g, err := gpt.ParseGUID(s)
	if err != nil {
		return GUID{}, fmt.Errorf("diskimage: GUID %.40q: want 32 hexadecimal digits as in 8-4-4-4-12", s)
	}
	return GUID(g), nil
}

// String returns g in upper case.
func (g GUID) String() string { return gpt.GUID(g).String() }

// MarshalText implements [encoding.TextMarshaler].
func (g GUID) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (g *GUID) UnmarshalText(text []byte) error {
	parsed, err := ParseGUID(string(text))
	if err == nil {
		*g = parsed
	}
	return err
}

// known returns a GUID that is written in this package, where a test parses it.
func known(s string) GUID {
	g, _ := ParseGUID(s)
	return g
}

// TypeEFI returns the type of an EFI system partition (UEFI 2.10 §5.3.3).
func TypeEFI() GUID { return GUID(gpt.EFISystem()) }

// TypeBIOSBoot returns the type of the partition that holds GRUB's core image.
func TypeBIOSBoot() GUID { return GUID(gpt.BIOSBoot()) }

// TypeBasicData returns the type of a partition with a file system of Windows,
// such as FAT.
func TypeBasicData() GUID { return GUID(gpt.BasicData()) }

// TypeLinux returns the type of a partition with a file system of Linux.
func TypeLinux() GUID { return known("0FC63DAF-8483-4772-8E79-3D69D8477DE4") }

// TypeRoot returns the type of a partition with the root file system of an
// architecture, by Go's name (Discoverable Partitions Specification); it is
// that of TypeLinux for those other than amd64, arm64 and riscv64.
func TypeRoot(arch string) GUID {
	switch arch {
	case "amd64":
		return known("4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709")
	case "arm64":
		return known("B921B045-1DF0-41C3-AF44-4C6F280D3FAE")
	case "riscv64":
		return known("72EC70A6-CF74-40E6-BD49-4BDA08E8F224")
	default:
		return TypeLinux()
	}
}

// urlSpace is the name space of UUIDs made of URLs (RFC 9562 §6.6). Kairos
// takes it for plain names.
func urlSpace() GUID { return known("6BA7B811-9DAD-11D1-80B4-00C04FD430C8") }

// named returns the UUID of version 5 of a name (RFC 9562 §5.5).
func named(space GUID, name string) GUID {
	h := sha1.New() //nolint:gosec // see the import
	h.Write(space[:])
	h.Write([]byte(name))
	return GUID(h.Sum(nil)[:16]).version(5)
}

// drawn returns a UUID of version 4 of r's bytes (RFC 9562 §5.4).
func drawn(r io.Reader) (GUID, error) {
	var g GUID
	if _, err := io.ReadFull(r, g[:]); err != nil {
		return GUID{}, fmt.Errorf("drawing an identifier: %w", err)
	}
	return g.version(4), nil
}

// version marks g as a UUID of a version (RFC 9562 §4).
func (g GUID) version(v byte) GUID {
	g[6] = g[6]&0x0F | v<<4
	g[8] = g[8]&0x3F | 0x80
	return g
}
