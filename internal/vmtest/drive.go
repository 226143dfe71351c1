package vmtest

import (
	"cmp"
	"fmt"
	"strings"
)

// DriveKind is how a drive is connected.
type DriveKind int

const (
	// CD is a CD drive, at IDE or SATA; at virtio-scsi on arm64.
	CD DriveKind = iota + 1

	// USB is a stick at a USB 3 port.
	USB

	// Disk is a disk at IDE or SATA.
	Disk

	// Virtio is a disk at virtio-blk.
	Virtio
)

// A Drive is a disk or a CD of a machine.
type Drive struct {
	Kind DriveKind
	File string // the image

	// Format is that of the image, by QEMU's name, such as qcow2, vpc or vmdk;
	// "" is raw.
	Format string

	// ReadOnly is a drive that the machine cannot write to, as CDs always are.
	ReadOnly bool

	// Keep lets what the machine writes into the image. Otherwise it is thrown
	// away when the machine ends.
	Keep bool

	Offset int64 // where in the file the drive begins, in bytes, if it is read-only

	Serial string // its serial number, or empty
}

// arguments returns those for the drive of a number.
func (d *Drive) arguments(number int, firmware Firmware) []string {
	id := fmt.Sprintf("drive%d", number)
	image := "if=none,format=" + cmp.Or(d.Format, "raw") + ",id=" + id + ",file=" + strings.ReplaceAll(d.File, ",", ",,")
	switch {
	case d.Kind == CD || d.ReadOnly:
		image += ",readonly=on"
	case !d.Keep:
		image += ",snapshot=on"
	}
	if d.Offset != 0 {
		image += fmt.Sprintf(",offset=%d", d.Offset)
	}
	device := map[DriveKind]string{
		CD: "ide-cd", USB: "usb-storage,bus=" + id + "-usb.0", Disk: "ide-hd", Virtio: "virtio-blk-pci",
	}[d.Kind]
	args := []string{"-drive", image}
	switch {
	case d.Kind == USB:
		args = append(args, "-device", "qemu-xhci,id="+id+"-usb")
	case d.Kind == CD && firmware == UEFIArm:
		args = append(args, "-device", "virtio-scsi-pci,id="+id+"-scsi")
		device = "scsi-cd,bus=" + id + "-scsi.0"
	}
	device += fmt.Sprintf(",drive=%s,bootindex=%d", id, number+1)
	if d.Serial != "" {
		device += ",serial=" + d.Serial
	}
	return append(args, "-device", device)
}
