package diskimage_test

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/internal/vmtest/installed"
)

// TestConvertedDisksBoot boots a disk in each format that it can be written in,
// without a raw file.
func TestConvertedDisksBoot(t *testing.T) {
	t.Parallel()
	l := vmPlain(t, 0, installed.Init, diskimage.WithConsoles("ttyS0,115200"))
	for _, test := range []struct {
		name   string
		format string // as QEMU calls it
		write  func(ctx context.Context, w *os.File, disk diskimage.File) error
		boot   vmBoot
		always bool
	}{
		{"VHD", "vpc", func(ctx context.Context, w *os.File, disk diskimage.File) error {
			_, err := diskimage.WriteVHD(ctx, w, disk)
			return err
		}, vmBoot{vmtest.UEFI, vmtest.Virtio}, true},
		{"qcow2", "qcow2", func(ctx context.Context, w *os.File, disk diskimage.File) error {
			_, err := diskimage.WriteQCOW2(ctx, w, disk)
			return err
		}, vmBoot{vmtest.UEFI, vmtest.Disk}, false},
		{"VMDK", "vmdk", func(ctx context.Context, w *os.File, disk diskimage.File) error {
			_, err := diskimage.WriteVMDK(ctx, w, disk)
			return err
		}, vmBoot{vmtest.BIOS, vmtest.Disk}, true},
		{"GCE", "raw", vmUnpackedGCE, vmBoot{vmtest.UEFISecure, vmtest.Virtio}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if !test.always {
				oracle.All(t)
			}
			file, err := os.Create(filepath.Join(t.TempDir(), "disk"))
			require.NoError(t, err)
			defer file.Close()
			require.NoError(t, test.write(t.Context(), file, vmDisk(t, l)))
			r := test.boot.report(t, vmtest.Drive{File: file.Name(), Format: test.format})
			assert.Contains(t, onRoot(t, r), "ro")
		})
	}
}

// vmUnpackedGCE writes the raw disk that is in the archive.
func vmUnpackedGCE(ctx context.Context, w *os.File, disk diskimage.File) error {
	archive, err := os.CreateTemp(filepath.Dir(w.Name()), "*.tar.gz")
	if err != nil {
		return err
	}
	defer archive.Close()
	if _, err := diskimage.WriteGCE(ctx, archive, disk); err != nil {
		return err
	}
	if _, err := archive.Seek(0, io.SeekStart); err != nil {
		return err
	}
	z, err := gzip.NewReader(archive)
	if err != nil {
		return err
	}
	r := tar.NewReader(z)
	if _, err := r.Next(); err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}
