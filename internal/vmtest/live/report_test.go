package live_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/vmtest/live"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

// TestRead reads a report from among what else is on a console.
func TestRead(t *testing.T) {
	t.Parallel()

	want := live.Report{
		Cmdline: "quiet", UEFI: true, Config: []byte{0, 0xFF},
		Mounts: []live.Mount{{Source: "/dev/sr0", Target: live.Medium, Type: "iso9660"}},
		Etc:    manifest.Manifest{"hostname": {Size: 5}},
	}
	var b bytes.Buffer
	b.WriteString("[ 1.0] noise\n")
	require.NoError(t, want.Print(&b))
	b.WriteString("[ 2.0] reboot: Power down\n")
	got, err := live.Read(b.String())
	require.NoError(t, err)
	assert.Equal(t, &want, got)
	m, err := got.Mount(live.Medium)
	require.NoError(t, err)
	assert.Equal(t, "/dev/sr0", m.Source)
	_, err = got.Mount("/")
	require.ErrorContains(t, err, "nothing is mounted at /")
}

func TestReadErrors(t *testing.T) {
	t.Parallel()

	for _, tt := range []struct{ name, console, want string }{
		{"nothing", "login: ", "no report"},
		{"failed", "x\nLIVE-FAILED no memory\n", "no report: LIVE-FAILED no memory"},
		{"panic", "[ 3.1] Kernel panic - not syncing\n", "no report: Kernel panic"},
		{"cut short", "LIVE-BEGIN\nAAAA\n", "no report"},
		{"no base64", "LIVE-BEGIN\n?\nLIVE-END\n", "illegal base64"},
		{"not packed", "LIVE-BEGIN\nAAAA\nLIVE-END\n", "EOF"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := live.Read(tt.console)
			require.ErrorContains(t, err, tt.want)
		})
	}
}
