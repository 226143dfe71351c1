package main

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/debian"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/isobuild"
)

// mirror serves the packages that the program may fetch, as apt has them.
func mirror(t *testing.T) string {
	t.Helper()
	apt, mux := oracle.Need(t, "apt-get"), http.NewServeMux()
	for _, p := range append(debian.Loaders("amd64"), debian.IPXE()) {
		cmd := exec.CommandContext(t.Context(), apt, "-q", "-o", "APT::Sandbox::User=root", "download", p.Name+"="+p.Version)
		cmd.Dir = t.TempDir()
		if report, err := cmd.CombinedOutput(); err != nil {
			t.Skipf("apt does not have %s %s, or not any more: %s", p.Name, p.Version, report)
		}
		found, err := filepath.Glob(filepath.Join(cmd.Dir, "*.deb"))
		require.NoError(t, err)
		require.Len(t, found, 1)
		mux.HandleFunc("/debian/"+p.Path, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, found[0]) })
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/debian"
}

// TestIPXEFetchesPrograms makes an image with nothing but what Debian has.
func TestIPXEFetchesPrograms(t *testing.T) {
	t.Parallel()
	oracle.All(t)

	l, base := newLab(t), mirror(t)
	_, _, err := l.Run(t.Context(), "-ipxe-wait", "-debian", base, "-o", l.Path("ipxe.iso"))
	require.NoError(t, err)
	image := open(t, l.Path("ipxe.iso"))
	script, err := fs.ReadFile(image, "boot/script.ipxe")
	require.NoError(t, err)
	assert.Equal(t, string(isobuild.IPXEWaitScript()), string(script))
	for _, name := range []string{"boot/ipxe.lkrn", "boot/eltorito.img", "boot/uefi.img"} {
		info, err := fs.Stat(image, name)
		require.NoError(t, err)
		assert.Greater(t, info.Size(), int64(10_000), name)
	}
}
