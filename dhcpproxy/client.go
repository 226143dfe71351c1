package dhcpproxy

import (
	"bytes"
	"slices"
	"strings"
)

// A Client says what kind of program asks, which decides the shape of the
// answer.
type Client uint8

// The kinds of client. A machine is several of them in turn: its firmware
// first, then the iPXE that the firmware loaded.
const (
	ClientOther       Client = iota // none of the others, such as Open Firmware
	ClientBIOS                      // a PXE ROM of a PC BIOS
	ClientUEFI                      // UEFI firmware booting by PXE
	ClientHTTP                      // UEFI firmware booting from a URL
	ClientIPXE                      // an iPXE without a marker: in a ROM, a hypervisor, or chainloaded
	ClientChained                   // an iPXE with a marker user class, see WithUserClasses
	ClientRaspberryPi               // a Raspberry Pi's boot ROM or EEPROM
	ClientUBoot                     // U-Boot
	numClients
)

// String returns a lower-case name, such as "uefi".
func (c Client) String() string {
	names := [numClients]string{"other", "bios", "uefi", "http", "ipxe", "chained", "raspberry-pi", "u-boot"}
	if int(c) >= len(names) {
		return "unknown"
	}
	return names[c]
}

// IPXE reports whether c is an iPXE, with or without a marker.
func (c Client) IPXE() bool { return c == ClientIPXE || c == ClientChained }

// classify says what kind of client sent a request. The order matters: an iPXE
// sends the architecture of the firmware it runs on, and the vendor class that
// it finds in the settings it inherits; a Raspberry Pi sends the architecture of
// a PC BIOS.
func classify(req *Request, rawUserClass string, uuid []byte, markers []string) Client {
	is := func(class string) bool {
		return rawUserClass == class || slices.Contains(req.UserClasses, class)
	}
	switch {
	case slices.ContainsFunc(markers, is):
		return ClientChained
	case is("iPXE"), is("gPXE"), req.Features.Present:
		return ClientIPXE
	case strings.HasPrefix(req.VendorClass, vendorHTTP):
		return ClientHTTP
	case isRaspberryPi(req, uuid):
		return ClientRaspberryPi
	case req.Arch.UBoot():
		return ClientUBoot
	case req.Arch == ArchX86BIOS:
		return ClientBIOS
	case req.Arch.EFI(), req.Arch.HTTP():
		return ClientUEFI
	default:
		return ClientOther
	}
}

// isRaspberryPi knows a Pi, which otherwise looks exactly like a PC BIOS, by
// what its EEPROM writes into option 97 or, for boot ROMs, by its maker's
// Ethernet addresses.
func isRaspberryPi(req *Request, uuid []byte) bool {
	switch {
	case req.Arch == ArchRaspberryPi, bytes.HasPrefix(uuid, []byte("\x00RPi")):
		return true
	case req.Arch != ArchX86BIOS:
		return false
	}
	switch [3]byte(req.MAC) {
	case [3]byte{0xb8, 0x27, 0xeb},
		[3]byte{0xdc, 0xa6, 0x32}, [3]byte{0xe4, 0x5f, 0x01}, [3]byte{0x28, 0xcd, 0xc1},
		[3]byte{0xd8, 0x3a, 0xdd}, [3]byte{0x2c, 0xcf, 0x67}, [3]byte{0x88, 0xa2, 0x9e}:
		return true
	default:
		return false
	}
}
