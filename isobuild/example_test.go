package isobuild_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/netbootkit/netbootkit/isobuild"
)

// The tree would be what package artifacts/oci made of a container image. Its
// boot loaders are searched in it; where they are missing, WithLoaders names a
// folder that has them.
func ExampleBuild() {
	root := liveRoot()
	file, err := os.CreateTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.Remove(file.Name())
	defer file.Close()
	size, err := isobuild.Build(context.Background(), file, root,
		isobuild.WithFirmware(isobuild.UEFI),
		isobuild.WithCloudConfig([]byte("#cloud-config\nhostname: node\n")),
		isobuild.WithCmdline("net.ifnames=0"),
	)
	if err != nil {
		panic(err)
	}
	image, err := isobuild.Open(io.NewSectionReader(file, 0, size))
	if err != nil {
		panic(err)
	}
	fmt.Println(image.VolumeID())
	text, err := fs.ReadFile(image, "config.yaml")
	if err != nil {
		panic(err)
	}
	fmt.Print(string(text))
	// Output:
	// COS_LIVE
	// #cloud-config
	// hostname: node
}

// What is missing is told before anything is written.
func ExampleBuild_error() {
	root := liveRoot()
	_, err := isobuild.Build(context.Background(), new(memoryFile), root)
	if missing, ok := errors.AsType[*isobuild.LoaderError](err); ok {
		fmt.Println("nothing boots", missing.Arch, "from", missing.Firmware)
	}
	// Output: nothing boots amd64 from BIOS
}

// A squashfs that is there already goes into an image that can be streamed, to a
// web client for instance.
func ExampleStream() {
	squashfs := strings.NewReader("hsqs and what else makes a squashfs")
	size, err := isobuild.Stream(context.Background(), io.Discard, liveRoot(), squashfs, isobuild.WithFirmware(isobuild.UEFI))
	if err != nil {
		panic(err)
	}
	fmt.Println(size, "bytes")
	// Output: 4429824 bytes
}

func ExampleChecksum() {
	line, err := isobuild.Checksum("kairos.iso", strings.NewReader("abc"))
	if err != nil {
		panic(err)
	}
	fmt.Print(line)
	// Output: ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad kairos.iso
}
