package main

import (
	"fmt"
	"path/filepath"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/examples/internal/hint"
)

// A use is what is known of a disk that somebody wants to use.
type use struct {
	path string
	arch string // by Go's names
	uefi bool
	room int64 // that it needs, in GiB; 0 if what it has will do
}

// hints says how to try and to use a disk in the format.
func (f format) hints(u use) string {
	var s string
	switch path := hint.Quote(u.path); {
	case u.room != 0 && f.grow != "":
		s += "make room for what it adds at its first boot:\n  " + fmt.Sprintf(f.grow, u.room, path) + "\n"
	case u.room != 0:
		s += fmt.Sprintf("it adds partitions at its first boot: make it with -size %d, or have a cloud give it a disk of %d GiB\n", u.room<<10, u.room)
	}
	if f.qemu != "" {
		s += "try it:\n  " + hint.QEMU(u.arch, u.uefi) + " -drive " + hint.Drive(u.path, f.qemu) + "\n"
	}
	if f.upload != nil && u.arch != "riscv64" { // No cloud has machines for it.
		s += "upload it:\n" + f.upload(u)
	}
	return s
}

// persistent is what is left to a Kairos for what it keeps, in bytes.
const persistent = 4 << 30

// room returns how many GiB the disk of a Kairos needs at its first boot, where
// package diskimage says that it adds three times its recovery partition, unless
// stateSize says how many MiB.
func room(l *diskimage.Layout, stateSize int64) int64 {
	state := stateSize * diskimage.MiB
	for _, p := range l.Partitions {
		if p.Label == "recovery" && state == 0 {
			state = 3*p.Size + 100*diskimage.MiB
		}
	}
	return (l.Size + state + persistent + 1<<30 - 1) >> 30
}

func awsUpload(u use, format string) string {
	disk := fmt.Sprintf("Format=%s,UserBucket={S3Bucket=BUCKET,S3Key=%s}", format, filepath.Base(u.path))
	return fmt.Sprintf("  aws s3 cp %s s3://BUCKET/ && aws ec2 import-snapshot --disk-container %s\n", hint.Quote(u.path), hint.Quote(disk))
}

func azureUpload(u use) string {
	const blob = "https://ACCOUNT.blob.core.windows.net/vhds/disk.vhd"
	s := fmt.Sprintf("  az storage blob upload --account-name ACCOUNT --container-name vhds --type page --file %s --name disk.vhd\n", hint.Quote(u.path))
	generation := "V1"
	if u.uefi {
		generation = "V2"
	}
	if u.arch == "amd64" {
		return s + "  az image create --resource-group GROUP --name IMAGE --os-type Linux --hyper-v-generation " + generation + " --source " + blob + "\n"
	}
	// Images outside of galleries are for amd64 only.
	const gallery = " --resource-group GROUP --gallery-name GALLERY --gallery-image-definition IMAGE"
	return s + "  az sig image-definition create" + gallery + " --publisher PUBLISHER --offer OFFER --sku SKU --os-type Linux --architecture Arm64 --hyper-v-generation V2\n" +
		"  az sig image-version create" + gallery + " --gallery-image-version 1.0.0 --os-vhd-storage-account ACCOUNT --os-vhd-uri " + blob + "\n"
}

func gceUpload(u use) string {
	s := fmt.Sprintf("  gcloud storage cp %s gs://BUCKET/ && gcloud compute images create IMAGE --source-uri %s",
		hint.Quote(u.path), hint.Quote("gs://BUCKET/"+filepath.Base(u.path)))
	if u.arch == "arm64" {
		s += " --architecture ARM64"
	}
	if u.uefi {
		s += " --guest-os-features UEFI_COMPATIBLE"
	}
	return s + "\n"
}
