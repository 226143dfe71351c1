package diskimage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/diskimage"
)

// The tree would be what package artifacts/oci made of a container image.
func ExampleBuild() {
	tree := smallRoot()
	layout, err := diskimage.Plain(context.Background(), tree, diskimage.FirmwareUEFI,
		diskimage.WithCloudConfig([]byte("#cloud-config\nhostname: node\n")),
		diskimage.WithSize(2048),
	)
	if err != nil {
		panic(err)
	}
	file, err := os.CreateTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	size, err := diskimage.Build(context.Background(), file, layout)
	if err != nil {
		panic(err)
	}
	fmt.Println(size, "bytes")
	// Output: 2147483648 bytes
}

// The disk of a Kairos is not written to a file here: what reads it gets it as
// it is put together.
func ExampleEFI() {
	layout, err := diskimage.EFI(context.Background(), smallRoot())
	if err != nil {
		panic(err)
	}
	disk, err := diskimage.Open(context.Background(), layout)
	if err != nil {
		panic(err)
	}
	for _, p := range disk.Layout().Partitions {
		fmt.Printf("%-8s at %3d MiB: %d MiB\n", p.Label, p.Start/diskimage.MiB, p.Size/diskimage.MiB)
	}
	n, err := diskimage.WriteGCE(context.Background(), io.Discard, disk)
	if err != nil {
		panic(err)
	}
	fmt.Println("an archive of less than a MiB:", n < diskimage.MiB)
	// Output:
	// efi      at   1 MiB: 64 MiB
	// oem      at  65 MiB: 64 MiB
	// recovery at 129 MiB: 752 MiB
	// an archive of less than a MiB: true
}

// Too small is an error that says by how much.
func ExampleEFI_error() {
	_, err := diskimage.EFI(context.Background(), smallRoot(), diskimage.WithSize(2000))
	if small, ok := errors.AsType[*diskimage.SizeError](err); ok {
		fmt.Println(small.What, "needs", (small.Need-small.Size)/diskimage.MiB, "MiB more")
	}
	// Output: the disk needs 1302 MiB more
}

func ExampleBIOS() {
	_, err := diskimage.BIOS(context.Background(), smallRoot())
	if missing, ok := errors.AsType[*diskimage.LoaderError](err); ok {
		fmt.Println("nothing boots", missing.Arch, "from", missing.Firmware)
	}
	// Output: nothing boots amd64 from BIOS
}

// A preset can be edited: here, a partition is put before the last one, which
// takes the rest of the disk.
func ExamplePlain() {
	layout, err := diskimage.Plain(context.Background(), smallRoot(), diskimage.FirmwareUEFI, diskimage.WithSize(4096))
	if err != nil {
		panic(err)
	}
	layout.Partitions = append([]diskimage.Partition{{
		Label: "data", Size: 512 * diskimage.MiB,
		Content: diskimage.Ext4("data", fstest.MapFS{"README": {Data: []byte("empty\n")}}),
	}}, layout.Partitions...)
	disk, err := diskimage.Open(context.Background(), layout)
	if err != nil {
		panic(err)
	}
	for _, p := range disk.Layout().Partitions {
		fmt.Println(p.Label, p.Size/diskimage.MiB)
	}
	// Output:
	// data 512
	// efi 64
	// root 3518
}

// A marker is a content of its own: a text at both ends of its partition.
type marker string

// MinSize implements [diskimage.Content].
func (m marker) MinSize(context.Context) (int64, error) { return 2 * int64(len(m)), nil }

// Open implements [diskimage.Content].
func (m marker) Open(_ context.Context, size int64) (diskimage.File, error) {
	gap := strings.Repeat("\x00", int(size)-2*len(m))
	return strings.NewReader(string(m) + gap + string(m)), nil
}

// A layout can be made from nothing, and a content by the caller.
func ExampleOpen() {
	layout := &diskimage.Layout{
		Size: 16 * diskimage.MiB,
		Partitions: []diskimage.Partition{
			{Label: "boot", Type: diskimage.TypeEFI(), Size: 4 * diskimage.MiB, Content: diskimage.FAT("BOOT", fstest.MapFS{})},
			{Label: "squashfs", Content: diskimage.Raw(strings.NewReader("hsqs and the rest of a squashfs"))},
			{Label: "marked", Size: diskimage.Rest, Content: marker("mark")},
		},
	}
	disk, err := diskimage.Open(context.Background(), layout)
	if err != nil {
		panic(err)
	}
	for i, p := range disk.Layout().Partitions[1:] {
		first := make([]byte, 4)
		if _, err := disk.Partition(1+i).ReadAt(first, 0); err != nil {
			panic(err)
		}
		fmt.Println(p.Label, p.Size/diskimage.MiB, string(first))
	}
	// Output:
	// squashfs 1 hsqs
	// marked 9 mark
}

// What a tree lacks matches fs.ErrNotExist.
func ExampleError() {
	tree := smallRoot()
	delete(tree, "etc/cos/grub.cfg")
	_, err := diskimage.EFI(context.Background(), tree)
	own, ok := errors.AsType[*diskimage.Error](err)
	fmt.Println(ok && own.Path == "etc/cos/grub.cfg", errors.Is(err, fs.ErrNotExist))
	// Output: true true
}
