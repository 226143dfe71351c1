package main

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// TestBootISO boots a machine over the network with what an ISO holds, out of
// the ISO.
func TestBootISO(t *testing.T) {
	t.Parallel()

	l := newLab(t)
	kernel, err := os.ReadFile(filepath.Join(l.dir, "kernel"))
	require.NoError(t, err)
	initrd, err := os.ReadFile(filepath.Join(l.dir, "initrd"))
	require.NoError(t, err)
	l.address(t)
	l.serve(t, l.HostT(t, "boot", "192.168.77.2/24"),
		"-iso", liveISO(t, kernel, initrd), "-cmdline", "root=none "+labCmdline, "-cloud-config", "config")
	l.boots(t, l.BootT(t, vmtest.Spec{Firmware: vmtest.UEFI, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}}), "root=none "+labCmdline)
}
