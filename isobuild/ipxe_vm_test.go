package isobuild_test

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/isobuild"
)

// ipxeWithin returns a context that ends with the test, or after some minutes.
func ipxeWithin(tb testing.TB) context.Context {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 5*time.Minute)
	tb.Cleanup(cancel)
	return ctx
}

// TestIPXEBoots boots one image on every firmware, as a CD and as a USB stick.
func TestIPXEBoots(t *testing.T) {
	t.Parallel()
	image := ipxeImage(t, ipxeScript)
	for _, test := range []struct {
		name     string
		firmware vmtest.Firmware
		kind     vmtest.DriveKind
		want     string
	}{
		{"BIOS, CD", vmtest.BIOS, vmtest.CD, "MARKER of pcbios i386"},
		{"BIOS, USB stick", vmtest.BIOS, vmtest.USB, "MARKER of pcbios i386"},
		{"UEFI, CD", vmtest.UEFI, vmtest.CD, "MARKER of efi x86_64"},
		{"UEFI, USB stick", vmtest.UEFI, vmtest.USB, "MARKER of efi x86_64"},
		{"arm64, CD", vmtest.UEFIArm, vmtest.CD, "MARKER of efi arm64"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := vmtest.BootT(t, vmtest.Spec{Firmware: test.firmware, Drives: []vmtest.Drive{{Kind: test.kind, File: image}}})
			require.NoError(t, m.Console.Await(ipxeWithin(t), test.want))
		})
	}
}

// TestIPXEWaits starts the boot server only when the machine is waiting for one.
func TestIPXEWaits(t *testing.T) {
	t.Parallel()
	image := ipxeImage(t, string(isobuild.IPXEWaitScript()))
	netboot := filepath.Join(t.TempDir(), "netboot")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", netboot, "../examples/netboot").CombinedOutput()
	require.NoError(t, err, string(out))
	for name, firmware := range map[string]vmtest.Firmware{"BIOS": vmtest.BIOS, "UEFI": vmtest.UEFI} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			network, files := vmtest.NewNetworkT(t), vmtest.NewGuestT(t)
			_, err := network.HostT(t, "address", "192.168.77.1/24").StartDHCP(t.Context())
			require.NoError(t, err)
			m := network.BootT(t, vmtest.Spec{
				Firmware: firmware, MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1},
				Drives: []vmtest.Drive{{Kind: vmtest.CD, File: image}},
			})
			ctx := ipxeWithin(t) // Only now: it may have waited for a CPU.
			require.NoError(t, m.Console.Await(ctx, "Waiting for a network boot server"))
			server, err := network.HostT(t, "boot", "192.168.77.2/24").Start(t.Context(), netboot, "-root", files, "-debug",
				"-kernel", "kernel", "-initrd", "initrd", "-cmdline", "console=ttyS0 quiet from=cd")
			require.NoError(t, err)
			report, err := m.Report(ctx)
			require.NoError(t, err, server.Output.Tail())
			assert.Contains(t, report.Cmdline, "console=ttyS0 quiet from=cd")
		})
	}
}
