package isobuild_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
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
