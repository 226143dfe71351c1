package dhcpproxy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/dhcpproxy"
)

func TestArch(t *testing.T) {
	t.Parallel()

	var http, efi []dhcpproxy.Arch
	names := map[string]bool{}
	for a := range dhcpproxy.Arch(42) {
		assert.True(t, a.Known())
		names[a.String()] = true
		if a.HTTP() {
			http = append(http, a)
		}
		if a.EFI() {
			efi = append(efi, a)
		}
		assert.False(t, a.EFI() && a.HTTP())
	}
	assert.Len(t, names, 42, "each has a name of its own")
	assert.Equal(t, []dhcpproxy.Arch{15, 16, 17, 18, 19, 20, 23, 24, 26, 28, 30, 38, 40}, http)
	assert.Equal(t, []dhcpproxy.Arch{6, 7, 8, 9, 10, 11, 25, 27, 29, 33, 34, 35, 36, 37, 39}, efi)
	assert.Equal(t, "x64-efi", dhcpproxy.ArchX64EFI.String())
	assert.Equal(t, "arm64-http", dhcpproxy.ArchARM64HTTP.String())
	assert.Equal(t, "loong64-http", dhcpproxy.ArchLoong64HTTP.String())
	assert.Equal(t, "raspberry-pi", dhcpproxy.ArchRaspberryPi.String())
	assert.Equal(t, "arch-42", dhcpproxy.Arch(42).String())
	assert.False(t, dhcpproxy.Arch(42).Known())
}

func TestReason(t *testing.T) {
	t.Parallel()

	seen := map[string]bool{}
	for r := dhcpproxy.ReasonNone; r <= dhcpproxy.ReasonShutdown; r++ {
		assert.Regexp(t, "^[a-z_0-9]+$", r.String())
		assert.NotEmpty(t, r.Text())
		assert.False(t, seen[r.String()], "%v twice", r)
		seen[r.String()] = true
	}
	assert.Equal(t, "bis", dhcpproxy.ReasonBIS.String())
	assert.Equal(t, "shutdown", dhcpproxy.ReasonShutdown.String())
	assert.Equal(t, "unknown", (dhcpproxy.ReasonShutdown + 1).String())
}

func TestNames(t *testing.T) {
	t.Parallel()

	assert.Equal(t, "u-boot", dhcpproxy.ClientUBoot.String())
	assert.Equal(t, "unknown", dhcpproxy.Client(99).String())
	assert.True(t, dhcpproxy.ClientChained.IPXE())
	assert.False(t, dhcpproxy.ClientUEFI.IPXE())
	assert.Equal(t, "loop", dhcpproxy.EventLoop.String())
	assert.Equal(t, "unknown", dhcpproxy.EventKind(99).String())
}
