package isobuild_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/isobuild"
)

// TestBuildBoots boots an image that was built to its live root.
func TestBuildBoots(t *testing.T) {
	t.Parallel()
	image := built(t, vmRoot(t), vmOptions()...)
	bootAll(t, func(t *testing.T, b boot) {
		r := reports(t, image, b)
		assert.Equal(t, vmConfig, string(r.Config))
	}, boot{vmtest.BIOS, vmtest.CD}, boot{vmtest.UEFI, vmtest.USB}, boot{vmtest.UEFISecure, vmtest.CD})
}

// TestRemasterBoots boots a remastered image, which another program or Build
// had made, to its live root.
func TestRemasterBoots(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		make   func(t *testing.T) string
		always []boot
	}{
		{"of xorriso", func(t *testing.T) string {
			return kairosISO(t, vmRoot(t))
		}, []boot{{vmtest.BIOS, vmtest.USB}, {vmtest.UEFI, vmtest.CD}, {vmtest.UEFISecure, vmtest.USB}}},
		{"of Build", func(t *testing.T) string {
			return built(t, vmRoot(t), vmOptions(isobuild.WithCloudConfig([]byte("#cloud-config\n# old\n")))...)
		}, []boot{{vmtest.BIOS, vmtest.CD}, {vmtest.UEFI, vmtest.USB}, {vmtest.UEFISecure, vmtest.USB}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			image := vmRemastered(t, tt.make(t), isobuild.WithCloudConfig([]byte(vmConfig)),
				isobuild.WithFiles(fstest.MapFS{"added/file": labFile([]byte("added"))}))
			bootAll(t, func(t *testing.T, b boot) {
				r := reports(t, image, b)
				assert.Equal(t, vmConfig, string(r.Config))
				assert.Contains(t, r.Media, "added/file")
			}, tt.always...)
		})
	}
}

// vmRemastered remasters an image into a file of the test's folder.
func vmRemastered(tb testing.TB, image string, opts ...isobuild.Option) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "remastered.iso")
	file, err := os.Create(name)
	require.NoError(tb, err)
	defer file.Close()
	_, err = isobuild.Remaster(tb.Context(), file, section(tb, image), opts...)
	require.NoError(tb, err)
	return name
}

// bootAll runs a test with every firmware and every kind of medium, or with
// those that are to be tested always.
func bootAll(t *testing.T, test func(t *testing.T, b boot), always ...boot) {
	t.Helper()
	for _, firmware := range []vmtest.Firmware{vmtest.BIOS, vmtest.UEFI, vmtest.UEFISecure} {
		for _, kind := range []vmtest.DriveKind{vmtest.CD, vmtest.USB} {
			b := boot{firmware, kind}
			t.Run(b.String(), func(t *testing.T) {
				t.Parallel()
				if !slices.Contains(always, b) {
					oracle.All(t)
				}
				test(t, b)
			})
		}
	}
}
