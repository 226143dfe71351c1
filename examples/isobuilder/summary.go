package main

import (
	"fmt"
	"io"
	"os"

	"github.com/netbootkit/netbootkit/examples/internal/hint"
	"github.com/netbootkit/netbootkit/examples/internal/output"
	"github.com/netbootkit/netbootkit/internal/boottree"
	"github.com/netbootkit/netbootkit/isobuild"
)

// summary says what was made, and how to try it.
func (j *job) summary(out *output.File) string {
	path := hint.Quote(out.Path)
	firmware, _ := j.wantedFirmware() // An error was found before.
	return fmt.Sprintf("%vwrite it to a USB stick, which loses all that is on it:\n  dd if=%s of=/dev/sdX bs=4M conv=fsync\ntry it:\n  %s -cdrom %s\n",
		out, path, hint.QEMU(archOf(out.Path), firmware == isobuild.UEFI), path)
}

// archOf returns what an image is for, by Go's names. One without a kernel is
// for many machines, a PC among them.
func archOf(name string) string {
	const pc = "amd64"
	file, err := os.Open(name) //nolint:gosec // It was just made.
	if err != nil {
		return pc
	}
	defer func() { _ = file.Close() }() // It was only read.
	info, err := file.Stat()
	if err != nil {
		return pc
	}
	image, err := isobuild.Open(io.NewSectionReader(file, 0, info.Size()))
	if err != nil {
		return pc
	}
	boot, err := image.Boot()
	if err != nil {
		return pc
	}
	if arch, err := boottree.KernelArch(image, boot.Kernel.Name); err == nil && arch != "" {
		return arch
	}
	return pc
}
