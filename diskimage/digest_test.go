package diskimage_test

import (
	"fmt"
	"io/fs"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/golden"
)

// TestPresetsAreAlwaysTheSame pins all bytes of the disks.
func TestPresetsAreAlwaysTheSame(t *testing.T) {
	t.Parallel()
	config := diskimage.WithCloudConfig([]byte("#cloud-config\nhostname: test\n"))
	var lines []byte
	for _, preset := range []struct {
		name string
		make func(fs.FS) (*diskimage.Layout, error)
	}{
		{"efi", func(tree fs.FS) (*diskimage.Layout, error) {
			return diskimage.EFI(t.Context(), tree, config, diskimage.WithRecoverySize(20))
		}},
		{"plain", func(tree fs.FS) (*diskimage.Layout, error) {
			return diskimage.Plain(t.Context(), tree, diskimage.FirmwareUEFI, config, diskimage.WithSpare(miB))
		}},
	} {
		l, err := preset.make(smallRoot())
		require.NoError(t, err)
		lines = fmt.Appendf(lines, "%s %s\n", preset.name, digest(t, opened(t, l)))
	}
	golden.Check(t, "digests.txt", lines)
}
