package ipxe

import (
	"net"
	"net/netip"
	"time"
)

// A Stage is a step of a machine's boot.
type Stage int

// The stages, in the usual order.
const (
	StageProgram Stage = iota + 1 // a boot program, fetched by UEFI HTTP boot
	StageScript                   // the script
	StageKernel                   // the kernel
	StageInitrd                   // an initial ramdisk
	StageBooting                  // all has arrived; the kernel starts
	StageFile                     // another file, fetched by what has booted
	StageLocal                    // a script that sends the machine to its disk
)

// String returns a word for s, such as "kernel".
func (s Stage) String() string {
	return nameOf(int(s)-1, []string{"program", "script", "kernel", "initrd", "booting", "file", "local"})
}

// An Event is one step that a machine took, or failed to take.
type Event struct {
	Time     time.Time        // when the step ended
	MAC      net.HardwareAddr // the machine; proven only by a link that we made
	UUID     [16]byte         // zero if unknown
	Peer     netip.AddrPort   // where the request came from
	Stage    Stage            // which step
	File     string           // "kernel", "initrd-0", "other-0", or a boot program's name
	Name     string           // the file's name in the spec
	Bytes    int64            // sent in this request, which may be for a range
	Duration time.Duration    // from the request to the last byte
	Err      error            // nil if all went well
}
