package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// TestBootSecurely boots a machine with Secure Boot from a tree of signed
// programs: its shim, and GRUB, which the shim starts from beside itself.
func TestBootSecurely(t *testing.T) {
	t.Parallel()

	oracle.All(t)
	l := newLab(t)
	l.address(t)
	tree := filepath.Join(t.TempDir(), "x86_64-sb")
	require.NoError(t, os.Mkdir(tree, 0o700))
	for name, file := range map[string]string{
		"shimx64.efi": "/usr/lib/shim/shimx64.efi.signed",
		"grubx64.efi": "/usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed",
	} {
		data, err := os.ReadFile(oracle.File(t, file))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(tree, name), data, 0o600))
	}
	p := l.serve(t, l.HostT(t, "boot", "192.168.77.2/24"),
		"-firmware", filepath.Dir(tree), "-kernel", "kernel", "-initrd", "initrd")
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	m := l.BootT(t, vmtest.Spec{Firmware: vmtest.UEFISecure, MAC: mac, Memory: 1024})
	require.NoError(t, m.Console.Await(within(t), `Welcome to GRUB!`))
	assert.Equal(t, []string{"dhcp/proxydhcp", "dhcp/pxe", "program/tftp"}, steps(p, mac))
}

// TestBootUndionly starts the BIOS program, which no firmware of QEMU's asks
// for: all of them are iPXE, and take a script at once. So a script starts it.
func TestBootUndionly(t *testing.T) {
	t.Parallel()

	oracle.All(t)
	l := newLab(t)
	l.address(t)
	l.write(t, "first.ipxe", `#!ipxe
imgfree
iseq ${user-class} Tinkerbell && goto ours || chain --replace --autofree tftp://${next-server}/undionly.kpxe
:ours
echo undionly.kpxe got ${proxydhcp/filename}
poweroff
`)
	l.write(t, "machines.yaml", "default:\n  script-file: "+filepath.Join(l.dir, "first.ipxe")+"\n")
	l.serve(t, l.HostT(t, "boot", "192.168.77.2/24"), "-table", filepath.Join(l.dir, "machines.yaml"))
	m := l.BootT(t, vmtest.Spec{Firmware: vmtest.BIOS, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}})
	require.NoError(t, m.Console.Await(within(t), `undionly\.kpxe got http://192\.168\.77\.2:8090/_/ipxe`))
}
