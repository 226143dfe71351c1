package vmtest_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// TestMachineReport boots a machine from servers that are not ours, which
// shows that the harness sees what it is to see.
func TestMachineReport(t *testing.T) {
	t.Parallel()

	network := vmtest.NewNetworkT(t)
	dir := vmtest.NewGuestT(t)
	config := []byte("#cloud-config\nwith: \x00\xff\n\n bytes")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config"), config, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "boot.ipxe"), []byte(`#!ipxe
kernel http://192.168.77.1/kernel initrd=initrd console=ttyS0 quiet word="two words" config_url=http://192.168.77.1/config
initrd http://192.168.77.1/initrd
boot
`), 0o644))

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	server := network.HostT(t, "server", "192.168.77.1/24")
	_, err := server.StartDHCP(ctx, "--dhcp-boot=http://192.168.77.1/boot.ipxe")
	require.NoError(t, err)
	_, err = server.Start(ctx, "busybox", "httpd", "-f", "-p", "80", "-h", dir)
	require.NoError(t, err)

	m := network.BootT(t, vmtest.Spec{
		Firmware: vmtest.BIOS,
		MAC:      net.HardwareAddr{2, 0, 0, 0, 0, 1},
	})
	report, err := m.Report(ctx)
	require.NoError(t, err)
	assert.Equal(t, `initrd=initrd console=ttyS0 quiet word="two words" config_url=http://192.168.77.1/config`, report.Cmdline)
	assert.Equal(t, config, report.Config)
	require.NoError(t, m.Wait(ctx), "the guest switches the machine off")
	at, ok := m.Console.Time("GUEST-BOOTED")
	assert.True(t, ok)
	t.Logf("booted after %v", at.Sub(m.Started))
}
