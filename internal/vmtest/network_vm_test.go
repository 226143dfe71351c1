package vmtest_test

import (
	"context"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// TestHostAddAddress moves a virtual address from one host to another while a
// third knows where it was.
func TestHostAddAddress(t *testing.T) {
	t.Parallel()

	network := vmtest.NewNetworkT(t)
	first := network.HostT(t, "first", "192.168.77.2/24")
	second := network.HostT(t, "second", "192.168.77.3/24")
	client := network.HostT(t, "client", "192.168.77.4/24")
	virtual := netip.MustParsePrefix("192.168.77.10/24")
	ping := func() string {
		out, err := client.Command(t.Context(), "busybox", "ping", "-c", "1", "-W", "2", "192.168.77.10").CombinedOutput()
		assert.NoError(t, err, string(out))
		arp, err := client.Command(t.Context(), "ip", "neigh", "show", "192.168.77.10").Output()
		assert.NoError(t, err)
		return strings.Fields(string(arp) + "a b c d e")[4] // … dev eth0 lladdr MAC …
	}

	require.NoError(t, first.AddAddress(t.Context(), virtual))
	before := ping()
	require.NoError(t, first.Disconnect(t.Context()))
	require.NoError(t, second.AddAddress(t.Context(), virtual))
	assert.NotEqual(t, before, ping())
	require.NoError(t, second.RemoveAddress(t.Context(), virtual))
}

func TestProcess(t *testing.T) {
	t.Parallel()

	host := vmtest.NewNetworkT(t).HostT(t, "host")
	p, err := host.Start(t.Context(), "sh", "-c", "echo hello; sleep 3600")
	require.NoError(t, err)
	require.NoError(t, p.Output.Await(t.Context(), "hello"))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, p.Wait(ctx), context.DeadlineExceeded)
	p.Kill()
	require.ErrorContains(t, p.Wait(t.Context()), "killed:\nhello")

	p, err = host.Start(t.Context(), "true")
	require.NoError(t, err)
	require.NoError(t, p.Wait(t.Context()))
}

// TestNewNetworkRemovesLeftovers finds a namespace of a process that is gone,
// with a program in it, and one of a process that is not.
func TestNewNetworkRemovesLeftovers(t *testing.T) {
	t.Parallel()

	oracle.Root(t)
	oracle.Need(t, "ip")
	gone := exec.CommandContext(t.Context(), "true")
	require.NoError(t, gone.Run())
	old := "netbootkit-" + strconv.Itoa(gone.Process.Pid) + "-old-lan"
	ours := "netbootkit-" + strconv.Itoa(os.Getpid()) + "-ours-lan"
	dir := filepath.Join(os.TempDir(), strings.TrimSuffix(old, "-lan"))
	require.NoError(t, os.Mkdir(dir, 0o700))
	for _, name := range []string{old, ours} {
		require.NoError(t, exec.CommandContext(t.Context(), "ip", "netns", "add", name).Run())
		t.Cleanup(func() { _ = exec.CommandContext(context.Background(), "ip", "netns", "del", name).Run() })
	}
	left := exec.CommandContext(t.Context(), "ip", "netns", "exec", old, "sleep", "3600")
	require.NoError(t, left.Start())

	vmtest.NewNetworkT(t)
	require.ErrorContains(t, left.Wait(), "killed")
	assert.NoDirExists(t, dir)
	list, err := exec.CommandContext(t.Context(), "ip", "netns", "list").Output()
	require.NoError(t, err)
	assert.NotContains(t, string(list), old)
	assert.Contains(t, string(list), ours)
}
