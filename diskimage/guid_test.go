package diskimage_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
)

func TestGUIDs(t *testing.T) {
	t.Parallel()
	seen := make(map[diskimage.GUID]bool)
	for _, g := range []diskimage.GUID{
		diskimage.TypeEFI(), diskimage.TypeBIOSBoot(), diskimage.TypeBasicData(), diskimage.TypeLinux(),
		diskimage.TypeRoot("amd64"), diskimage.TypeRoot("arm64"), diskimage.TypeRoot("riscv64"),
	} {
		assert.NotEqual(t, diskimage.GUID{}, g)
		assert.False(t, seen[g], g)
		seen[g] = true
		parsed, err := diskimage.ParseGUID(g.String())
		require.NoError(t, err)
		assert.Equal(t, g, parsed)
	}
	assert.Equal(t, diskimage.TypeLinux(), diskimage.TypeRoot("s390x"))
}

func TestParseGUIDWhenItIsNone(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "c12a7328f81f11d2ba4b00a0c93ec93b", "C12A7328-F81F-11D2-BA4B-00A0C93EC93G", "{C12A7328-F81F-11D2-BA4B-00A0C93EC9}"} {
		_, err := diskimage.ParseGUID(s)
		assert.ErrorContains(t, err, "want 32 hexadecimal digits", s)
	}
}
