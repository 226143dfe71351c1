package main

import (
	"context"
	"fmt"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/examples/internal/output"
)

// A format is one that disks are written in.
type format struct {
	name   string // of its flag
	usage  string
	suffix string // of its files
	qemu   string // what QEMU calls it; "" if it does not know it
	upload string // commands that give the file, %[1]s, to a cloud
	write  func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error
}

// formats returns all formats, the raw one first.
func formats() []format {
	return []format{
		{
			name: "raw", usage: "write it raw, besides other formats", suffix: ".raw", qemu: "raw",
			write: func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error {
				_, err := diskimage.Build(ctx, to, disk.Layout(), opts...)
				return err
			},
			upload: `  aws s3 cp %[1]s s3://BUCKET/ && aws ec2 import-snapshot --disk-container Format=RAW,UserBucket='{S3Bucket=BUCKET,S3Key=%[1]s}'
`,
		},
		{
			name: "vhd", usage: "write a fixed VHD, as Azure takes it", suffix: ".vhd", qemu: "vpc",
			write: func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error {
				_, err := diskimage.WriteVHD(ctx, to.File, disk, opts...)
				return err
			},
			upload: `  az storage blob upload --account-name ACCOUNT --container-name vhds --type page --file %[1]s --name disk.vhd
  az image create --resource-group GROUP --name IMAGE --os-type Linux --source https://ACCOUNT.blob.core.windows.net/vhds/disk.vhd
`,
		},
		{
			name: "gce", usage: "write an archive for Google Compute Engine", suffix: ".gce.tar.gz",
			write: func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error {
				_, err := diskimage.WriteGCE(ctx, to.Writer(), disk, opts...)
				return err
			},
			upload: `  gcloud storage cp %[1]s gs://BUCKET/ && gcloud compute images create IMAGE --source-uri gs://BUCKET/%[1]s --guest-os-features UEFI_COMPATIBLE
`,
		},
		{
			name: "qcow2", usage: "write a QCOW2 image, for QEMU and OpenStack", suffix: ".qcow2", qemu: "qcow2",
			write: func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error {
				_, err := diskimage.WriteQCOW2(ctx, to, disk, opts...)
				return err
			},
		},
		{
			name: "vmdk", usage: "write a stream-optimized VMDK, for VMware and AWS", suffix: ".vmdk", qemu: "vmdk",
			write: func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error {
				_, err := diskimage.WriteVMDK(ctx, to.Writer(), disk, opts...)
				return err
			},
			upload: `  aws s3 cp %[1]s s3://BUCKET/ && aws ec2 import-snapshot --disk-container Format=VMDK,UserBucket='{S3Bucket=BUCKET,S3Key=%[1]s}'
`,
		},
	}
}

// hints says how to try and to use a file of the format.
func (f format) hints(path string, uefi bool) string {
	var s string
	if f.qemu != "" {
		firmware := ""
		if uefi {
			firmware = " -bios /usr/share/ovmf/OVMF.fd"
		}
		s = fmt.Sprintf("try it:\n  qemu-system-x86_64 -m 2048 -accel kvm%s -drive file=%s,format=%s,snapshot=on\n", firmware, path, f.qemu)
	}
	if f.upload != "" {
		s += "upload it:\n" + fmt.Sprintf(f.upload, path)
	}
	return s
}
