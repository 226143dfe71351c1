package ipxe_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/ipxe"
)

const diskScript = "#!ipxe\nimgfree\nexit 1\n"

func mac(t *testing.T) net.HardwareAddr {
	t.Helper()
	m, err := net.ParseMAC(testMAC)
	require.NoError(t, err)
	return m
}

func TestOnce(t *testing.T) {
	t.Parallel()

	once := ipxe.NewOnce(ipxe.Static(testSpec(), tree()), nil, ipxe.LocalNone)
	srv := newServer(t, once)
	asks := func(mac string) string {
		_, script, _ := get(t, srv.URL+"/_/ipxe?mac="+mac)
		return script
	}
	for range 3 {
		require.Contains(t, asks(testMAC), "boot kernel", "asking uses no turn")
	}
	all := links(t, srv.URL)
	get(t, all[0])
	require.Contains(t, asks(testMAC), "boot kernel", "neither does a file")
	_, err := http.Head(all[3])
	require.NoError(t, err)
	require.Contains(t, asks(testMAC), "boot kernel", "nor looking at the last link")

	get(t, all[3])
	require.Equal(t, diskScript, asks(testMAC))
	require.Equal(t, diskScript, asks("52-54-00-12-34-56"), "however its address is written")
	require.Contains(t, asks("52:54:00:12:34:57"), "boot kernel", "another machine has its own turn")

	status, body, _ := get(t, all[4])
	assert.Equal(t, http.StatusOK, status, "the installer still fetches its files")
	assert.Equal(t, "the root", body)

	require.NoError(t, once.Rearm(t.Context(), mac(t)))
	require.Contains(t, asks(testMAC), "boot kernel")
}

func TestOnceWithRawScript(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.NewOnce(ipxe.Static(&ipxe.Spec{Script: "#!ipxe\nshell\n"}, tree()), nil, ipxe.LocalNotFound))
	_, body, _ := get(t, srv.URL+"/_/ipxe?mac="+testMAC)
	assert.Equal(t, "#!ipxe\nshell\n", body)
	require.Eventually(t, func() bool { // The turn is used just after the answer.
		status, _, _ := get(t, srv.URL+"/_/ipxe?mac="+testMAC)
		return status == http.StatusNotFound
	}, 5*time.Second, 10*time.Millisecond)
}

func TestOnceLeavesOthersAlone(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.NewOnce(answering(nil, nil), nil, ipxe.LocalExit))
	status, _, _ := get(t, srv.URL+"/_/ipxe?mac="+testMAC)
	assert.Equal(t, http.StatusNotFound, status)
}

func TestOnceAfterRestart(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	start := func() *ipxe.Once {
		root, err := os.OpenRoot(dir)
		require.NoError(t, err)
		t.Cleanup(func() { root.Close() })
		return ipxe.NewOnce(ipxe.Static(testSpec(), tree()), ipxe.NewDirLedger(root), ipxe.LocalSANBoot)
	}
	m := &ipxe.Machine{MAC: mac(t)}
	spec, err := start().BootSpec(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, testSpec(), spec)

	require.NoError(t, start().Booting(t.Context(), m))
	spec, err = start().BootSpec(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, &ipxe.Spec{Local: ipxe.LocalSANBoot}, spec)
	require.FileExists(t, filepath.Join(dir, "52-54-00-12-34-56"))

	require.NoError(t, start().Rearm(t.Context(), mac(t)))
	require.NoError(t, start().Rearm(t.Context(), mac(t)), "twice is no fault")
	spec, err = start().BootSpec(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, testSpec(), spec)
}

// brokenLedger fails to write, and to read if it is told to.
type brokenLedger struct{ read error }

func (l brokenLedger) Get(context.Context, string) (bool, error) { return false, l.read }

func (l brokenLedger) Set(context.Context, string, bool) error { return errors.New("disk full") }

func TestOnceWhenLedgerFails(t *testing.T) {
	t.Parallel()

	m := &ipxe.Machine{MAC: mac(t)}
	once := ipxe.NewOnce(ipxe.Static(testSpec(), tree()), brokenLedger{}, ipxe.LocalExit)
	require.Error(t, once.Booting(t.Context(), m))
	spec, err := once.BootSpec(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, &ipxe.Spec{Local: ipxe.LocalExit}, spec, "the turn is used as long as the process lives")
	require.Error(t, once.Rearm(t.Context(), mac(t)))

	once = ipxe.NewOnce(ipxe.Static(testSpec(), tree()), brokenLedger{read: fs.ErrPermission}, ipxe.LocalExit)
	_, err = once.BootSpec(t.Context(), m)
	require.ErrorIs(t, err, fs.ErrPermission, "nothing is installed when nobody knows")
}
