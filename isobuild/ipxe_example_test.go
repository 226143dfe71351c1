package isobuild_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/tinkerbell/ipxedust/binary"

	"github.com/netbootkit/netbootkit/ipxe/firmware"
	"github.com/netbootkit/netbootkit/isobuild"
)

// An image for UEFI that boots from a server whose address is known. With
// ipxe.lkrn as BIOS program, and GRUB in a tree of WithLoaders, it would boot on a
// BIOS as well.
func ExampleIPXE() {
	script := []byte("#!ipxe\ndhcp\nchain http://192.0.2.1:8090/_/ipxe?mac=${mac}\n")
	program, err := firmware.Patch(binary.IpxeEFI, script)
	if err != nil {
		fmt.Println(err)
		return
	}
	var image bytes.Buffer // Or a file.
	programs := isobuild.IPXEPrograms{EFI: map[string]isobuild.File{"amd64": bytes.NewReader(program)}}
	n, err := isobuild.IPXE(context.Background(), &image, programs, script, isobuild.WithVolumeID("NETBOOT"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("less than 5 MiB:", n < 5<<20)
	// Output: less than 5 MiB: true
}

func ExampleIPXEWaitScript() {
	first, _, _ := strings.Cut(string(isobuild.IPXEWaitScript()), "\n:")
	fmt.Println(first)
	// Output:
	// #!ipxe
	// set user-class pixiecore
}
