package vmtest

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// NewNetworkT makes a network for a test, which skips where that cannot be
// done.
func NewNetworkT(tb testing.TB) *Network {
	tb.Helper()
	oracle.Root(tb)
	for _, tool := range []string{"ip", "dnsmasq", "busybox", "qemu-system-x86_64"} {
		oracle.Need(tb, tool)
	}
	n, err := NewNetwork(tb.Context())
	if err != nil { // Root in a container may not be allowed to.
		oracle.Skip(tb, err.Error())
	}
	tb.Cleanup(func() { require.NoError(tb, n.Close()) })
	return n
}

// HostT adds a host to a test's network.
func (n *Network) HostT(tb testing.TB, name string, addrs ...string) *Host {
	tb.Helper()
	prefixes := make([]netip.Prefix, len(addrs))
	for i, addr := range addrs {
		prefixes[i] = netip.MustParsePrefix(addr)
	}
	h, err := n.Host(tb.Context(), name, prefixes...)
	require.NoError(tb, err)
	return h
}

// NewGuestT makes a guest for a test and writes its kernel and initramfs to
// the files kernel and initrd of a new folder.
func NewGuestT(tb testing.TB) (dir string) {
	tb.Helper()
	g, err := NewGuest(tb.Context())
	if err != nil {
		oracle.Skip(tb, err.Error())
	}
	dir = tb.TempDir()
	require.NoError(tb, g.Write(dir))
	return dir
}

// BootT switches on a machine of a test that is on no network, and whose
// console is shown when the test fails.
func BootT(tb testing.TB, spec Spec) *Machine {
	tb.Helper()
	needFirmware(tb, spec)
	m, err := Boot(tb.Context(), spec)
	require.NoError(tb, err)
	m.showT(tb, "the machine")
	return m
}

// BootT switches on a machine of a test, whose console is shown when the test
// fails.
func (n *Network) BootT(tb testing.TB, spec Spec) *Machine {
	tb.Helper()
	needFirmware(tb, spec)
	if spec.Firmware == BIOS {
		oracle.File(tb, "/usr/lib/ipxe/qemu/pxe-virtio.rom", "/usr/share/qemu/pxe-virtio.rom")
	}
	m, err := n.Boot(tb.Context(), spec)
	require.NoError(tb, err)
	m.showT(tb, spec.MAC.String())
	return m
}

// needFirmware skips a test that lacks QEMU or the machine's firmware.
func needFirmware(tb testing.TB, spec Spec) {
	tb.Helper()
	oracle.Need(tb, spec.program())
	if spec.Firmware == BIOS {
		return
	}
	if _, _, err := findFirmware("/usr/share", spec.Firmware); err != nil {
		oracle.Skip(tb, err.Error())
	}
}

// showT switches the machine off at the end of a test.
func (m *Machine) showT(tb testing.TB, name string) {
	tb.Helper()
	tb.Cleanup(func() {
		m.Kill()
		if tb.Failed() {
			tb.Logf("console of %s:\n%s", name, m.Console.Tail())
		}
	})
}

// ManifestsT lists file systems for a test, which skips where no machine can
// be run, and fails when one of them cannot be mounted.
func ManifestsT(tb testing.TB, mounts ...Mount) []manifest.Result {
	tb.Helper()
	oracle.Need(tb, "go")
	needFirmware(tb, Spec{Firmware: BIOS})
	if _, _, err := findKernel("/"); err != nil {
		oracle.Skip(tb, err.Error())
	}
	results, err := Manifests(tb.Context(), mounts...)
	require.NoError(tb, err)
	return results
}

// ManifestT is [ManifestsT] for one file system.
func ManifestT(tb testing.TB, mount Mount) manifest.Manifest {
	tb.Helper()
	return ManifestsT(tb, mount)[0].Manifest
}

// LiveRootT returns a tar of the root file system of a live system, as
// [LiveRoot] does, or skips where it cannot be made.
func LiveRootT(tb testing.TB) (file string) {
	tb.Helper()
	oracle.Need(tb, "go")
	oracle.Root(tb)
	oracle.Need(tb, "mmdebstrap")
	oracle.File(tb, "/usr/share/keyrings/debian-archive-keyring.gpg")
	oracle.File(tb, "/usr/lib/shim/shimx64.efi.signed")
	oracle.File(tb, "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed")
	oracle.File(tb, "/usr/lib/grub/i386-pc/cdboot.img")
	file, err := LiveRoot(tb.Context())
	require.NoError(tb, err)
	return file
}

// PackagesT returns a folder with packages of Debian, as [Packages] does, or
// skips where there is no apt-get.
func PackagesT(tb testing.TB, arch string, names ...string) (dir string) {
	tb.Helper()
	oracle.Need(tb, "apt-get")
	oracle.File(tb, "/usr/share/keyrings/debian-archive-keyring.gpg")
	dir, err := Packages(tb.Context(), arch, names...)
	require.NoError(tb, err)
	return dir
}

// InstalledRootT returns a tar of the root file system of a system that runs
// from a disk, as [InstalledRoot] does, or skips where it cannot be made.
func InstalledRootT(tb testing.TB) (file string) {
	tb.Helper()
	oracle.Root(tb)
	oracle.Need(tb, "mmdebstrap")
	oracle.File(tb, "/usr/share/keyrings/debian-archive-keyring.gpg")
	file, err := InstalledRoot(tb.Context())
	require.NoError(tb, err)
	return file
}

// InstalledProgramT returns the program that reports from such a system, or
// skips where it cannot be made.
func InstalledProgramT(tb testing.TB) []byte {
	tb.Helper()
	oracle.Need(tb, "go")
	program, err := InstalledProgram(tb.Context())
	require.NoError(tb, err)
	return program
}
