package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts/github"
	"github.com/netbootkit/netbootkit/examples/internal/labtest"
	"github.com/netbootkit/netbootkit/examples/internal/releasetest"
	"github.com/netbootkit/netbootkit/examples/internal/source"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/ipxe"
	"github.com/netbootkit/netbootkit/isobuild"
)

// liveISO makes the ISO of a live system with this kernel and initrd.
func liveISO(t *testing.T, kernel, initrd []byte) string {
	t.Helper()
	oracle.File(t, "/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed")
	l := labtest.New(t, run, map[string]string{
		"root/boot/vmlinuz-1": string(kernel), "root/boot/initrd.img-1": string(initrd), "root/etc/os-release": "ID=debian\n",
	})
	iso := l.Path("live.iso")
	f, err := os.Create(iso)
	require.NoError(t, err)
	_, err = isobuild.Build(t.Context(), f, os.DirFS(l.Path("root")), isobuild.WithArch("amd64"),
		isobuild.WithFirmware(isobuild.UEFI), isobuild.WithLoaders(os.DirFS("/usr/lib/grub")))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return iso
}

// TestBooterMedium takes the live system out of an ISO, and out of a release
// that has nothing but that ISO.
func TestBooterMedium(t *testing.T) {
	t.Parallel()

	iso := liveISO(t, []byte("the kernel"), []byte("the initrd"))
	data, err := os.ReadFile(iso)
	require.NoError(t, err)
	hub := releasetest.Serve(t, "v4.1.0", map[string][]byte{"kairos-hadron-v0.2.0-core-amd64-generic-v4.1.0.iso": data})
	for name, cfg := range map[string]*config{
		"ISO": {iso: iso},
		"release with only an ISO": {from: source.Flags{
			Dir: t.TempDir(), GitHub: hub,
			Release: github.Release{Repository: releasetest.Repository, Flavor: "hadron", FlavorRelease: "v0.2.0"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			cfg.root = folder(t, "config.yaml")
			cfg.cloudConfig = "config.yaml"
			b, err := newBooter(t.Context(), cfg, discard)
			require.NoError(t, err)
			defer b.close()
			spec, err := b.decide.BootSpec(t.Context(), &ipxe.Machine{})
			require.NoError(t, err)
			assert.Equal(t, `root=live:{{ ID "medium/rootfs" }} `+liveCmdline+` config_url={{ ID "config.yaml" }}`, spec.Cmdline)
			assert.Equal(t, "the kernel", read(t, b.decide, spec.Kernel))
			assert.Equal(t, "the initrd", read(t, b.decide, spec.Initrd[0]))
			assert.Equal(t, "hsqs", read(t, b.decide, mediumRoot)[:4])
			assert.Equal(t, "content of config.yaml", read(t, b.decide, "config.yaml"))
		})
	}
}

func TestBooterMediumErrors(t *testing.T) {
	t.Parallel()

	dir := folder(t, "no.iso")
	_, err := newBooter(t.Context(), &config{iso: filepath.Join(dir, "no.iso")}, discard)
	require.ErrorContains(t, err, "no.iso")
	for _, args := range [][]string{
		{"-iso", "a", "-kernel", "b"},
		{"-flavor", "ubuntu", "-kernel", "b"},
		{"-iso", "a", "-initrd", "b"},
	} {
		_, err := parseConfig(args, os.Stderr)
		require.Error(t, err, args)
	}
}

func TestMediumBoots(t *testing.T) {
	t.Parallel()

	m := new(medium)
	assert.Equal(t, `root=live:{{ ID "medium/rootfs" }} `+liveCmdline, m.boots(""))
	assert.Equal(t, `root=live:{{ ID "medium/rootfs" }} quiet`, m.boots("quiet"))
	assert.Equal(t, "quiet root=/dev/sda1", m.boots("quiet root=/dev/sda1"))
}
