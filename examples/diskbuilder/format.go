package main

import (
	"context"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/examples/internal/output"
)

// A format is one that disks are written in.
type format struct {
	name   string // of its flag
	usage  string
	suffix string             // of its files
	qemu   string             // what QEMU calls it; "" if it does not know it
	grow   string             // the command that makes room in %[2]s for %[1]d GiB; "" if the format has none
	upload func(u use) string // commands that give the file to a cloud; nil if there are none
	write  func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error
}

// formats returns all formats, the raw one first.
func formats() []format {
	return []format{
		{
			name: "raw", usage: "write it raw, besides other formats", suffix: ".raw", qemu: "raw",
			grow: "truncate -s %dG %s", upload: func(u use) string { return awsUpload(u, "RAW") },
			write: func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error {
				_, err := diskimage.Build(ctx, to, disk.Layout(), opts...)
				return err
			},
		},
		{
			name: "vhd", usage: "write a fixed VHD, as Azure takes it", suffix: ".vhd", qemu: "vpc",
			upload: azureUpload,
			write: func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error {
				_, err := diskimage.WriteVHD(ctx, to.File, disk, opts...)
				return err
			},
		},
		{
			name: "gce", usage: "write an archive for Google Compute Engine", suffix: ".gce.tar.gz",
			upload: gceUpload,
			write: func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error {
				_, err := diskimage.WriteGCE(ctx, to.Writer(), disk, opts...)
				return err
			},
		},
		{
			name: "qcow2", usage: "write a QCOW2 image, for QEMU and OpenStack", suffix: ".qcow2", qemu: "qcow2",
			grow: "qemu-img resize %[2]s %[1]dG",
			write: func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error {
				_, err := diskimage.WriteQCOW2(ctx, to, disk, opts...)
				return err
			},
		},
		{
			name: "vmdk", usage: "write a stream-optimized VMDK, for VMware and AWS", suffix: ".vmdk", qemu: "vmdk",
			upload: func(u use) string { return awsUpload(u, "VMDK") },
			write: func(ctx context.Context, to *output.File, disk *diskimage.Disk, opts ...diskimage.Option) error {
				_, err := diskimage.WriteVMDK(ctx, to.Writer(), disk, opts...)
				return err
			},
		},
	}
}
