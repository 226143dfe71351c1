package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/vmtest"
)

// asProgram in the environment makes the test binary be netboot.
const asProgram = "NETBOOTKIT_TEST_AS_NETBOOT"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// labConfig is a cloud config with bytes that a careless server would change.
const labConfig = "#cloud-config\r\nhostname: \"{{ ID }}\"\n\n# no line break at the end: \xc3\xa4 \x00 \xff"

// A lab is a network with an ordinary DHCP server, and files to boot.
type lab struct {
	*vmtest.Network
	dir string // kernel, initrd and config
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{Network: vmtest.NewNetworkT(t), dir: vmtest.NewGuestT(t)}
	l.write(t, "config", labConfig)
	return l
}

// within returns a context that ends with the test, or after four minutes.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// address starts the ordinary DHCP server.
func (l *lab) address(t *testing.T) {
	t.Helper()
	_, err := l.HostT(t, "address", "192.168.77.1/24").StartDHCP(within(t))
	require.NoError(t, err)
}

func (l *lab) write(t *testing.T, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600))
}

// serve runs netboot on a host, with the lab's files as its root.
func (l *lab) serve(t *testing.T, h *vmtest.Host, args ...string) *vmtest.Process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p, err := h.Start(within(t), "env", append([]string{asProgram + "=1", self, "-root", l.dir, "-log-format", "json", "-debug"}, args...)...)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("netboot:\n%s", p.Output.Tail())
		}
	})
	require.NoError(t, p.Output.Await(within(t), `Ready:`))
	return p
}

// steps returns what the log of p tells that a machine did, in order, as
// "stage/path". What it repeats counts once.
func steps(p *vmtest.Process, mac net.HardwareAddr) []string {
	var steps []string
	for line := range strings.Lines(p.Output.String()) {
		var s struct{ Level, MAC, Stage, Path string }
		if json.Unmarshal([]byte(line), &s) == nil && s.Level == "INFO" && s.MAC == mac.String() && s.Path != "" {
			steps = append(steps, s.Stage+"/"+s.Path)
		}
	}
	return slices.Compact(steps)
}

// boots waits until m has booted, and checks that its kernel was given cmdline
// and that it got the lab's config.
func (l *lab) boots(t *testing.T, m *vmtest.Machine, cmdline string) {
	t.Helper()
	report, err := m.Report(within(t))
	require.NoError(t, err)
	got, url, ok := strings.Cut(report.Cmdline, " config_url=")
	assert.True(t, ok, report.Cmdline)
	// What goes before tells an EFI kernel its name and its initrds.
	own := regexp.MustCompile(`^(kernel )?(initrd=initrd\d+ )*`).FindString(got)
	assert.Equal(t, cmdline, strings.TrimPrefix(got, own))
	assert.Regexp(t, `^http://192\.168\.77\.\d+:8090/_/file\?[\w=&.-]+$`, url)
	assert.Equal(t, labConfig, string(report.Config))
	at, _ := m.Console.Time("GUEST-BOOTED")
	t.Logf("booted %.1f s after power on", at.Sub(m.Started).Seconds())
}
