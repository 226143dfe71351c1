package isobuild_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/isobuild"
)

// exampleImage writes a small live image to a file, as another program would
// have done, and opens it.
func exampleImage() *os.File {
	file, err := os.CreateTemp("", "example-*.iso")
	if err != nil {
		panic(err)
	}
	if _, err := isobuild.Build(context.Background(), file, liveRoot(), isobuild.WithFirmware(isobuild.UEFI)); err != nil {
		panic(err)
	}
	return file
}

func ExampleOpen() {
	file := exampleImage()
	defer os.Remove(file.Name())
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		panic(err)
	}
	image, err := isobuild.Open(io.NewSectionReader(file, 0, info.Size()))
	if err != nil {
		panic(err)
	}
	names, err := fs.Glob(image, "boot/*")
	if err != nil {
		panic(err)
	}
	fmt.Println(image.VolumeID(), names)
	// Output:
	// COS_LIVE [boot/boot.catalog boot/grub boot/grub2 boot/initrd boot/kernel boot/uefi.img]
}

func ExampleImage_Boot() {
	file := exampleImage()
	defer os.Remove(file.Name())
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		panic(err)
	}
	image, err := isobuild.Open(io.NewSectionReader(file, 0, info.Size()))
	if err != nil {
		panic(err)
	}
	boot, err := image.Boot()
	if err != nil {
		panic(err)
	}
	// A kernel can be served as it is: it has ReadAt and Size.
	fmt.Println(boot.Layout, boot.Kernel.Name, boot.Kernel.Size(), boot.Initrd.Name, boot.RootFS.Name)
	// Output:
	// Kairos boot/kernel 5000 boot/initrd rootfs.squashfs
}

func ExampleRemaster() {
	file := exampleImage()
	defer os.Remove(file.Name())
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		panic(err)
	}
	var custom bytes.Buffer
	_, err = isobuild.Remaster(context.Background(), &custom, io.NewSectionReader(file, 0, info.Size()),
		isobuild.WithCloudConfig([]byte("#cloud-config\nhostname: node\n")),
		isobuild.WithFiles(fstest.MapFS{"notes.txt": {Data: []byte("made for rack 7"), Mode: 0o644}}),
		isobuild.WithVolumeID("COS_LIVE"))
	if err != nil {
		panic(err)
	}
	image, err := isobuild.Open(bytes.NewReader(custom.Bytes()))
	if err != nil {
		panic(err)
	}
	for _, name := range []string{"config.yaml", "notes.txt"} {
		text, err := fs.ReadFile(image, name)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%s: %q\n", name, text)
	}
	// Output:
	// config.yaml: "#cloud-config\nhostname: node\n"
	// notes.txt: "made for rack 7"
}
