package main

import (
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/dhcpproxy"
	"github.com/netbootkit/netbootkit/examples/internal/labtest"
	"github.com/netbootkit/netbootkit/ipxe"
)

// discard is a logger that says nothing.
var discard = slog.New(slog.DiscardHandler)

// folder returns a folder with small files of the given names.
func folder(t *testing.T, names ...string) string {
	t.Helper()
	files := make(map[string]string)
	for _, name := range names {
		files[name] = "content of " + name
	}
	return labtest.New(t, run, files).Dir
}

// read returns the content of the file that a spec calls name.
func read(t *testing.T, b ipxe.Booter, name string) string {
	t.Helper()
	f, err := b.OpenBootFile(t.Context(), name)
	require.NoError(t, err)
	defer func() { _ = f.(interface{ Close() error }).Close() }()
	buf := make([]byte, f.Size())
	_, err = f.ReadAt(buf, 0)
	require.NoError(t, err)
	return string(buf)
}

func TestBooterFiles(t *testing.T) {
	t.Parallel()

	dir := folder(t, "kernel", "sub/initrd")
	tests := []struct {
		name         string
		root         string
		kernel, boot string
	}{
		{"relative to the root", dir, "kernel", "sub/initrd"},
		{"dot slash", dir, "./kernel", "sub/initrd"},
		{"absolute inside of the root", dir, dir + "/kernel", dir + "/sub/initrd"},
		{"absolute without a root", "", dir + "/kernel", dir + "/sub/initrd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			b, err := newBooter(t.Context(), &config{root: tt.root, kernel: tt.kernel, initrd: []string{tt.boot}}, discard)
			require.NoError(t, err)
			defer b.close()
			assert.Equal(t, "content of kernel", read(t, b.decide, tt.kernel))
			assert.Equal(t, "content of sub/initrd", read(t, b.decide, tt.boot))
		})
	}
}

func TestBooterErrors(t *testing.T) {
	t.Parallel()

	dir := folder(t, "kernel")
	require.NoError(t, os.Symlink("/etc/passwd", dir+"/escape"))
	tests := []struct {
		name string
		cfg  config
		want string
	}{
		{"missing kernel", config{root: dir, kernel: "vmlinuz"}, `"vmlinuz"`},
		{"missing in the command line", config{root: dir, kernel: "kernel", cmdline: `root={{ ID "r.squashfs" }}`}, `"r.squashfs"`},
		{"missing cloud config", config{root: dir, kernel: "kernel", cloudConfig: "c.yaml"}, `"c.yaml"`},
		{"outside of the root", config{root: dir, kernel: "/etc/passwd"}, "etc/passwd"},
		{"link out of the root", config{root: dir, kernel: "escape"}, "escape"},
		{"no root", config{root: dir + "/nope", kernel: "kernel"}, "nope"},
		{"a folder", config{root: dir, kernel: "."}, `"."`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := newBooter(t.Context(), &tt.cfg, discard)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestWithCloudConfig(t *testing.T) {
	t.Parallel()

	assert.Equal(t, "quiet", withCloudConfig("quiet", ""))
	assert.Equal(t, `quiet config_url={{ ID "a b.yaml" }}`, withCloudConfig("quiet", "a b.yaml"))
	assert.Equal(t, `config_url={{ ID "c" }}`, withCloudConfig("", "c"))
	assert.Equal(t, "x config_url=http://h/c", withCloudConfig("x config_url=http://h/c", "c"))
	assert.Equal(t, `no_config_url=1 config_url={{ ID "c" }}`, withCloudConfig("no_config_url=1", "c"))
}

const tableText = `
machines:
  - mac: 52:54:00:00:00:01
    kernel: kernel
    initrd: [initrd]
    cmdline: one
    cloud-config: node.yaml
    timeout: 30s
  - serial: ABC
    local: sanboot
  - arch: arm64
    menu:
      title: What now?
      timeout: 1m
      items:
        - {name: install, text: Install, kernel: kernel, cmdline: install}
        - {name: disk, text: Local disk, local: exit}
default:
  kernel: kernel
  cmdline: everybody
`

func TestBooterTable(t *testing.T) {
	t.Parallel()

	dir := folder(t, "kernel", "initrd", "node.yaml")
	table := filepath.Join(dir, "machines.yaml")
	require.NoError(t, os.WriteFile(table, []byte(tableText), 0o600))
	b, err := newBooter(t.Context(), &config{root: dir, table: table}, discard)
	require.NoError(t, err)
	defer b.close()

	spec := func(m ipxe.Machine) *ipxe.Spec {
		if m.MAC == nil {
			m.MAC = net.HardwareAddr{2, 0, 0, 0, 0, 9}
		}
		s, err := b.decide.BootSpec(t.Context(), &m)
		require.NoError(t, err)
		return s
	}
	one := spec(ipxe.Machine{MAC: net.HardwareAddr{0x52, 0x54, 0, 0, 0, 1}, Serial: "ABC"})
	assert.Equal(t, `one config_url={{ ID "node.yaml" }}`, one.Cmdline)
	assert.Equal(t, "30s", one.Timeout.String())
	assert.Equal(t, ipxe.LocalSANBoot, spec(ipxe.Machine{Serial: "ABC"}).Local)
	assert.Len(t, spec(ipxe.Machine{Arch: "arm64"}).Menu.Items, 2)
	assert.Equal(t, "everybody", spec(ipxe.Machine{}).Cmdline)
}

func TestBooterTableErrors(t *testing.T) {
	t.Parallel()

	dir := folder(t, "kernel")
	tests := []struct{ name, text, want string }{
		{"empty", "", "neither machines nor default"},
		{"unknown field", "default: {kernel: kernel, initrds: [x]}", "line 1: field initrds not found"},
		{"no selector", "machines: [{kernel: kernel}]", "machine 1 has none of mac, uuid, serial and arch"},
		{"nothing to boot", "machines: [{arch: arm64}]", "machine 1: nothing to boot"},
		{"bad address", "machines: [{mac: 1:2, kernel: kernel}]", `mac "1:2"`},
		{"twice", "machines: [{arch: a, kernel: kernel}, {arch: a, kernel: kernel}]", "another entry has the same selectors"},
		{"missing file", "default: {kernel: nope}", `"nope"`},
		{"bad local", "default: {local: never}", "never"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			table := filepath.Join(t.TempDir(), "machines.yaml")
			require.NoError(t, os.WriteFile(table, []byte(tt.text), 0o600))
			_, err := newBooter(t.Context(), &config{root: dir, table: table}, discard)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestBooterKnown(t *testing.T) {
	t.Parallel()

	dir := folder(t, "kernel")
	request := &dhcpproxy.Request{MAC: net.HardwareAddr{0x52, 0x54, 0, 0, 0, 7}, Arch: dhcpproxy.ArchX64EFI}
	tests := []struct {
		name, text string
		want       bool
	}{
		{"everybody", "default: {kernel: kernel}", true},
		{"by address", "machines: [{mac: 52-54-00-00-00-07, kernel: kernel}]", true},
		{"by architecture", "machines: [{arch: x86_64, kernel: kernel}]", true},
		{"another", "machines: [{mac: 52-54-00-00-00-08, kernel: kernel}]", false},
		{"perhaps by serial number", "machines: [{serial: X, kernel: kernel}]", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			table := filepath.Join(t.TempDir(), "machines.yaml")
			require.NoError(t, os.WriteFile(table, []byte(tt.text), 0o600))
			b, err := newBooter(t.Context(), &config{root: dir, table: table}, discard)
			require.NoError(t, err)
			defer b.close()
			known, err := b.known(t.Context(), request)
			require.NoError(t, err)
			assert.Equal(t, tt.want, known)
		})
	}
}

func TestBooterOnce(t *testing.T) {
	t.Parallel()

	cfg := &config{root: folder(t, "kernel"), kernel: "kernel", once: filepath.Join(t.TempDir(), "state")}
	m := &ipxe.Machine{MAC: net.HardwareAddr{0x52, 0x54, 0, 0, 0, 7}}
	b, err := newBooter(t.Context(), cfg, discard)
	require.NoError(t, err)
	spec, err := b.decide.BootSpec(t.Context(), m)
	require.NoError(t, err)
	assert.Equal(t, "kernel", spec.Kernel)
	require.NoError(t, b.decide.(ipxe.BootingNotifier).Booting(t.Context(), m))
	b.close()

	b, err = newBooter(t.Context(), cfg, discard) // After a restart.
	require.NoError(t, err)
	defer b.close()
	spec, err = b.decide.BootSpec(t.Context(), m)
	require.NoError(t, err)
	assert.Equal(t, ipxe.LocalExit, spec.Local)

	require.NoError(t, os.Remove(filepath.Join(cfg.once, "52-54-00-00-00-07")))
	spec, err = b.decide.BootSpec(t.Context(), m)
	require.NoError(t, err)
	assert.Equal(t, "kernel", spec.Kernel)
}
