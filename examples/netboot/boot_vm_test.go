package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tinkerbell/ipxedust/binary"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/ipxe/firmware"
)

// labCmdline is a command line with what shells, templates and iPXE like to
// change.
const labCmdline = `console=ttyS0 quiet note="two words" path=C:\x percent=%41 dollar=$HOME`

// TestBoot boots a machine with each kind of firmware beside an ordinary DHCP
// server.
func TestBoot(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name     string
		firmware vmtest.Firmware
		way      []string // steps up to the script
	}{
		{"BIOS with iPXE in ROM", vmtest.BIOS, []string{"dhcp/proxydhcp"}},
		{"UEFI PXE", vmtest.UEFI, []string{"dhcp/proxydhcp", "dhcp/pxe", "program/tftp"}},
		{"UEFI HTTP", vmtest.UEFIHTTP, []string{"dhcp/proxydhcp", "program/http", "dhcp/proxydhcp"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			l := newLab(t)
			l.address(t)
			p := l.serve(t, l.HostT(t, "boot", "192.168.77.2/24"),
				"-kernel", "kernel", "-initrd", "initrd", "-cmdline", labCmdline, "-cloud-config", "config")
			mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
			l.boots(t, l.BootT(t, vmtest.Spec{Firmware: tt.firmware, MAC: mac}), labCmdline)
			way := append(tt.way, "script/http", "kernel/http", "initrd/http", "booting/http", "file/http")
			assert.Equal(t, way, steps(p, mac))
		})
	}
}

// TestBootTwoMachines boots two at once, each with a kernel command line and
// initrds of its own.
func TestBootTwoMachines(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	l.address(t)
	l.write(t, "machines.yaml", `
machines:
  - mac: 02:00:00:00:00:01
    kernel: kernel
    initrd: [initrd]
    cmdline: console=ttyS0 quiet who=first config_url={{ ID "config" }}
  - uuid: 6f1c2e4a-0000-4000-8000-000000000002
    kernel: kernel
    initrd: [initrd, second]
    cmdline: console=ttyS0 quiet who=second
    cloud-config: config
`)
	l.write(t, "second", "") // An empty archive is a valid one.
	l.serve(t, l.HostT(t, "boot", "192.168.77.2/24"), "-table", filepath.Join(l.dir, "machines.yaml"))
	first := l.BootT(t, vmtest.Spec{Firmware: vmtest.BIOS, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}})
	second := l.BootT(t, vmtest.Spec{
		Firmware: vmtest.UEFI, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 2},
		UUID: "6f1c2e4a-0000-4000-8000-000000000002", NoWait: true,
	})
	l.boots(t, second, "console=ttyS0 quiet who=second")
	l.boots(t, first, "console=ttyS0 quiet who=first")
	booted, _ := first.Console.Time("GUEST-BOOTED")
	assert.True(t, second.Started.Before(booted), "they ran at once")
}

// TestBootBesideDHCPServer runs netboot on the host of the ordinary DHCP
// server, which holds port 67.
func TestBootBesideDHCPServer(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	h := l.HostT(t, "both", "192.168.77.1/24")
	_, err := h.StartDHCP(within(t))
	require.NoError(t, err)
	l.serve(t, h, "-packet", "-kernel", "kernel", "-initrd", "initrd", "-cmdline", labCmdline, "-cloud-config", "config")
	l.boots(t, l.BootT(t, vmtest.Spec{Firmware: vmtest.UEFI, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}}), labCmdline)
}

// TestBootUnknownMachine switches on machines that the table does not have:
// they start from their disks.
func TestBootUnknownMachine(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct {
		name     string
		firmware vmtest.Firmware
		disk     func(t *testing.T) string
	}{
		{"BIOS", vmtest.BIOS, biosDisk},
		{"UEFI", vmtest.UEFI, efiDisk},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			if tt.firmware == vmtest.UEFI {
				oracle.All(t) // It asks for one minute by PXE and for one by HTTP.
			}
			l := newLab(t)
			l.address(t)
			l.write(t, "machines.yaml", "machines:\n  - {mac: '02:00:00:00:00:01', kernel: kernel}\n")
			p := l.serve(t, l.HostT(t, "boot", "192.168.77.2/24"), "-table", filepath.Join(l.dir, "machines.yaml"))
			mac := net.HardwareAddr{2, 0, 0, 0, 0, 9}
			m := l.BootT(t, vmtest.Spec{Firmware: tt.firmware, MAC: mac, Disk: tt.disk(t)})
			require.NoError(t, m.Console.Await(within(t), "BOOTED FROM DISK"))
			assert.Empty(t, steps(p, mac))
			assert.Contains(t, p.Output.String(), `"mac":"02:00:00:00:00:09"`, "it did ask")
		})
	}
}

// biosDisk returns a disk whose boot sector prints a line.
func biosDisk(t *testing.T) string {
	t.Helper()
	sector := append([]byte{
		0x31, 0xc0, //       xor ax, ax
		0x8e, 0xd8, //       mov ds, ax
		0xbe, 0x15, 0x7c, // mov si, text
		0xac,       // next: lodsb
		0x84, 0xc0, //       test al, al
		0x74, 0x08, //       jz halt
		0xb4, 0x0e, //       mov ah, 0x0e: teletype output
		0x31, 0xdb, //       xor bx, bx
		0xcd, 0x10, //       int 0x10
		0xeb, 0xf3, //       jmp next
		0xf4, // halt:       hlt; text follows where the jump would be
	}, "\r\nBOOTED FROM DISK\r\n\x00"...)
	disk := make([]byte, 1<<20)
	copy(disk, sector)
	copy(disk[510:], "\x55\xaa")
	name := filepath.Join(t.TempDir(), "disk")
	require.NoError(t, os.WriteFile(name, disk, 0o600))
	return name
}

// efiDisk returns a disk whose boot program prints a line. It is an iPXE with
// a script that does no more.
func efiDisk(t *testing.T) string {
	t.Helper()
	program, err := firmware.Patch(bytes.Clone(binary.IpxeEFI), []byte("#!ipxe\necho BOOTED FROM DISK\npoweroff\n"))
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "EFI", "BOOT"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "EFI", "BOOT", "BOOTX64.EFI"), program, 0o600))
	return "fat:" + dir
}
