package vmtest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoadOrder(t *testing.T) {
	t.Parallel()

	deps := `kernel/net/core/failover.ko:
kernel/drivers/net/net_failover.ko.xz: kernel/net/core/failover.ko
kernel/drivers/virtio/virtio.ko:
kernel/drivers/virtio/virtio_ring.ko: kernel/drivers/virtio/virtio.ko
kernel/drivers/net/virtio_net.ko.zst: kernel/drivers/net/net_failover.ko.xz kernel/net/core/failover.ko kernel/drivers/virtio/virtio_ring.ko kernel/drivers/virtio/virtio.ko
kernel/drivers/net/virtio_net_other.ko:
`
	assert.Equal(t, []string{
		"kernel/drivers/virtio/virtio.ko",
		"kernel/drivers/virtio/virtio_ring.ko",
		"kernel/net/core/failover.ko",
		"kernel/drivers/net/net_failover.ko.xz",
		"kernel/drivers/net/virtio_net.ko.zst",
	}, loadOrder(deps, []string{"virtio_ring", "virtio_net", "built_in"}))
}

func TestFindKernel(t *testing.T) {
	t.Parallel()

	root := t.TempDir()
	_, _, err := findKernel(root)
	require.ErrorContains(t, err, "install linux-image-cloud-amd64")

	require.NoError(t, os.Mkdir(filepath.Join(root, "boot"), 0o755))
	for _, want := range []string{"5.15.0-1-generic", "6.1.0-9-generic", "6.1.0-1-cloud-amd64"} {
		modules := filepath.Join(root, "lib", "modules", want)
		require.NoError(t, os.MkdirAll(modules, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, "boot", "vmlinuz-"+want), nil, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(modules, "modules.dep"), nil, 0o600))
		// A newer kernel without modules boots nothing.
		require.NoError(t, os.WriteFile(filepath.Join(root, "boot", "vmlinuz-9.9"), nil, 0o600))

		kernel, found, err := findKernel(root)
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(root, "boot", "vmlinuz-"+want), kernel)
		assert.Equal(t, modules, found)
	}
}

func TestReadReport(t *testing.T) {
	t.Parallel()

	const cmdline = "noise\nGUEST-BEGIN cmdline\ncXVp\nZXQK\nGUEST-END cmdline\n"
	const config = "GUEST-BEGIN config\nAAEC\nGUEST-END config\n"
	for _, tt := range []struct {
		name, console, wantErr string
		want                   *Report
	}{
		{"whole", cmdline + config + "GUEST-BOOTED\n", "", &Report{"quiet", []byte{0, 1, 2}}},
		{"no config", cmdline + "GUEST-BOOTED\n", "", &Report{"quiet", nil}},
		{"not at the end", cmdline + config, "not booted", nil},
		{"failed", cmdline + "GUEST-FAILED no address\n", "GUEST-FAILED no address", nil},
		{"panic", "[ 1.0] Kernel panic - not syncing\n", "Kernel panic", nil},
		{"cut short", "GUEST-BEGIN cmdline\ncXVp\nGUEST-BOOTED\n", "cut short", nil},
		{"no base64", "GUEST-BEGIN config\n?\nGUEST-END config\nGUEST-BOOTED\n", "illegal base64", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := ReadReport(tt.console)
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
			} else {
				require.NoError(t, err)
			}
			assert.Equal(t, tt.want, got)
		})
	}
}
