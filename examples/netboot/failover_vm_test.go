package main

import (
	"net"
	"net/netip"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// A pair is two servers with one key and the same files behind one virtual
// address, which is with the first.
type pair struct {
	*lab
	virtual       netip.Prefix
	hosts         [2]*vmtest.Host
	first, second *vmtest.Process
}

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{lab: newLab(t), virtual: netip.MustParsePrefix("192.168.77.10/24")}
	p.address(t)
	p.write(t, "key", "one key for the two of them, 32 bytes or more")
	p.hosts[0] = p.HostT(t, "first", "192.168.77.2/24")
	p.hosts[1] = p.HostT(t, "second", "192.168.77.3/24")
	require.NoError(t, p.hosts[0].AddAddress(within(t), p.virtual))
	return p
}

// serveBoth runs netboot on the two hosts.
func (p *pair) serveBoth(t *testing.T, args ...string) {
	t.Helper()
	args = append([]string{"-advertise", "192.168.77.10", "-key-file", filepath.Join(p.dir, "key")}, args...)
	p.first = p.serve(t, p.hosts[0], args...)
	p.second = p.serve(t, p.hosts[1], args...)
}

// TestBootWhenServerDies kills the server that a machine boots from after it
// has got its script. The other one, which takes the address over, must know
// the links in it.
func TestBootWhenServerDies(t *testing.T) {
	t.Parallel()

	// A menu that waits makes room for the change.
	p := newPair(t)
	p.write(t, "machines.yaml", `
default:
  menu:
    title: Wait
    default: live
    timeout: 4s
    items:
      - name: live
        text: Live
        kernel: kernel
        initrd: [initrd]
        cmdline: '`+labCmdline+`'
        cloud-config: config
`)
	p.serveBoth(t, "-table", filepath.Join(p.dir, "machines.yaml"))
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	m := p.BootT(t, vmtest.Spec{Firmware: vmtest.UEFI, MAC: mac})
	require.NoError(t, p.first.Output.Await(within(t), `"stage":"script","mac":"02:00:00:00:00:01","path":"http"`))
	p.first.Kill()
	require.NoError(t, p.hosts[0].RemoveAddress(within(t), p.virtual))
	require.NoError(t, p.hosts[1].AddAddress(within(t), p.virtual))

	p.boots(t, m, labCmdline)
	assert.NotContains(t, steps(p.first, mac), "kernel/http")
	assert.Contains(t, steps(p.second, mac), "kernel/http")
	assert.NotContains(t, steps(p.second, mac), "script/http")
}

// TestBootWhenServerDiesSending cuts the server off while it sends the kernel,
// without so much as a reset of its connections.
func TestBootWhenServerDiesSending(t *testing.T) {
	t.Parallel()

	oracle.Need(t, "tc")
	p := newPair(t)
	p.serveBoth(t, "-kernel", "kernel", "-initrd", "initrd", "-cmdline", labCmdline, "-cloud-config", "config")
	require.NoError(t, p.hosts[0].SetRate(within(t), 20)) // 14 MB take six seconds.
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	m := p.BootT(t, vmtest.Spec{Firmware: vmtest.UEFI, MAC: mac})
	require.NoError(t, p.first.Output.Await(within(t), `"stage":"script","mac":"02:00:00:00:00:01","path":"http"`))
	before, err := p.hosts[0].Sent(within(t))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		sent, err := p.hosts[0].Sent(within(t))
		return err == nil && sent > before+4<<20
	}, time.Minute, 50*time.Millisecond)
	require.NoError(t, p.hosts[0].Disconnect(within(t)))
	p.first.Kill()
	require.NoError(t, p.hosts[1].AddAddress(within(t), p.virtual))

	p.boots(t, m, labCmdline)
	assert.NotContains(t, steps(p.first, mac), "kernel/http")
	assert.Contains(t, steps(p.second, mac), "kernel/http")
}
