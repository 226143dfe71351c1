package cloudconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/cloudconfig"
	"github.com/netbootkit/netbootkit/internal/golden"
)

// TestGolden renders and checks whole documents: those of AuroraBoot's
// documentation (seed-*), whose last one has lost its indentation there, and
// one with everything in it.
func TestGolden(t *testing.T) {
	t.Parallel()

	v, err := cloudconfig.NewValues(map[string]string{
		"kairos.password": "foobar", "github.user": "mudler", "cmdline": "console=ttyS0,115200 rd.debug",
		"admin.password": `p"w\1: #`, "admin.keys": "ada,grace", "k3s": "true", "zone": "b", "p2p.network-token": "dG9rZW4=",
	})
	require.NoError(t, err)
	names, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()

			d, err := cloudconfig.Load(t.Context(), name)
			require.NoError(t, err)
			out, err := d.Render(v)
			require.NoError(t, err)
			if !d.HasActions() {
				text, err := os.ReadFile(name)
				require.NoError(t, err)
				require.Equal(t, string(text), string(out.Bytes()))
			}
			report := string(out.Bytes()) + "--- problems\n"
			warnings, err := out.Validate()
			for _, w := range warnings {
				report += "warning: " + w.String() + "\n"
			}
			if err != nil {
				report += err.Error() + "\n"
			}
			golden.Check(t, strings.TrimSuffix(filepath.Base(name), ".yaml")+".golden", []byte(report))
		})
	}
}
