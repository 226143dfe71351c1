package dhcpproxy

import (
	"fmt"
	"iter"
)

// Features is what an iPXE says of itself in option 175. It sends that option
// in every request, whatever its user class, so Present is the surest sign of
// an iPXE.
type Features struct {
	Present bool   // option 175 was sent
	Version string // such as "1.21.1"; empty if not sent

	// Protocols and drivers that were built in.
	HTTP, HTTPS, TFTP, FTP, NFS, DNS, VLAN bool
	ISCSI, AoE, FCoE, SRP                  bool

	// Image formats, and the menu command.
	BzImage, Multiboot, ELF, COMBOOT, SDI, NBI, PXE, EFI, Menu bool
}

// parseFeatures reads the sub-options of option 175. Flags are single bytes;
// a flag with the value zero is absent.
func parseFeatures(b []byte) Features {
	f := Features{Present: true}
	for tag, v := range suboptions(b) {
		if tag == 0xeb && len(v) == 3 {
			f.Version = fmt.Sprintf("%d.%d.%d", v[0], v[1], v[2])
		}
		if flag := f.flag(tag); flag != nil {
			*flag = len(v) == 1 && v[0] != 0
		}
	}
	return f
}

// flag returns the field that the sub-option called tag sets, or nil.
func (f *Features) flag(tag byte) *bool {
	switch tag {
	case 0x11:
		return &f.ISCSI
	case 0x12:
		return &f.AoE
	case 0x13:
		return &f.HTTP
	case 0x14:
		return &f.HTTPS
	case 0x15:
		return &f.TFTP
	case 0x16:
		return &f.FTP
	case 0x17:
		return &f.DNS
	case 0x18:
		return &f.BzImage
	case 0x19:
		return &f.Multiboot
	case 0x1b:
		return &f.SRP
	case 0x20:
		return &f.NBI
	case 0x21:
		return &f.PXE
	case 0x22:
		return &f.ELF
	case 0x23:
		return &f.COMBOOT
	case 0x24:
		return &f.EFI
	case 0x25:
		return &f.FCoE
	case 0x26:
		return &f.VLAN
	case 0x27:
		return &f.Menu
	case 0x28:
		return &f.SDI
	case 0x29:
		return &f.NFS
	default:
		return nil
	}
}

// suboptions yields the tags and values of an encapsulated option (RFC 2132
// §8.4). Padding is skipped, and an END byte or a length that does not fit
// ends it.
func suboptions(b []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		for len(b) > 0 {
			tag := b[0]
			if tag == optionPad {
				b = b[1:]
				continue
			}
			if tag == optionEnd || len(b) < 2 || len(b)-2 < int(b[1]) {
				return
			}
			n := int(b[1])
			if !yield(tag, b[2:2+n]) {
				return
			}
			b = b[2+n:]
		}
	}
}
