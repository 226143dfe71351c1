package tartree_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/tartree"
)

// TestScanMatchesTar reads sparse files that GNU tar and bsdtar archived.
func TestScanMatchesTar(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	name := "a long name that needs a header of its own, so that the main header is not the first one in the archive; it says nothing else"
	for _, name := range []string{name, "y"} { // Two, so that the second start is known.
		file, err := os.Create(filepath.Join(folder, name))
		require.NoError(t, err)
		for i := range 100 { // More pieces than old headers and three extensions hold.
			_, err = file.WriteAt([]byte{'x', byte(i)}, int64(i)*40_000+7)
			require.NoError(t, err)
		}
		require.NoError(t, file.Truncate(5_000_001))
		require.NoError(t, file.Close())
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "z"), []byte("behind it"), 0o600))
	want, err := os.ReadFile(filepath.Join(folder, name))
	require.NoError(t, err)

	for kind, command := range map[string][]string{
		"GNU":     {"tar", "--sparse", "--format=gnu"},
		"PAX 0.0": {"tar", "--sparse", "--format=posix", "--sparse-version=0.0"},
		"PAX 0.1": {"tar", "--sparse", "--format=posix", "--sparse-version=0.1"},
		"PAX 1.0": {"tar", "--sparse", "--format=posix", "--sparse-version=1.0"},
		"bsdtar":  {"bsdtar", "--format=pax"},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()

			program, archive := oracle.Need(t, command[0]), filepath.Join(t.TempDir(), "a.tar")
			args := append(command[1:], "-c", "-f", archive, "-C", folder, name, "y", "z")
			out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
			require.NoError(t, err, string(out))
			data, err := os.ReadFile(archive)
			require.NoError(t, err)
			require.Less(t, len(data), len(want), "the archive is not sparse")

			check := func(data []byte, sparse bool) {
				tree, err := tartree.Scan(bytes.NewReader(data), int64(len(data)))
				require.NoError(t, err)
				for _, name := range []string{name, "y"} {
					found, err := tree.Lookup(name, false)
					require.NoError(t, err)
					assert.Equal(t, sparse, found.Sparse != nil)
					assert.True(t, bytes.Equal(want, content(t, data, found.Node)))
				}
				last, err := tree.Lookup("z", false)
				require.NoError(t, err)
				assert.Equal(t, "behind it", string(content(t, data, last.Node)))
			}
			check(data, true)
			flat, err := flatten(t, data)
			require.NoError(t, err)
			check(flat, false)
		})
	}
}
