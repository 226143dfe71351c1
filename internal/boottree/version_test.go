package boottree_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/internal/boottree"
)

func TestCompareVersions(t *testing.T) {
	t.Parallel()

	ascending := []string{
		"", "virt", "lts", "4.19.0",
		"6.1.0-0.deb11.13-amd64", "6.1.0-9-rt-amd64", "6.1.0-9-cloud-amd64", "6.1.0-9-amd64", "6.1.0-10-amd64",
		"6.1.10", "6.9.12-200.fc40.x86_64", "6.10~rc1", "6.10-rc2", "6.10.0-rc7-amd64",
		"6.10.0-0.rc7.20240712git.59.fc41.x86_64", "6.10.0-64.fc41.x86_64", "6.10.3-100.fc39.x86_64", "6.10.3-200.fc40.x86_64",
		"6.12.38-amd64", "6.12.38+deb12-amd64", "6.12.38+deb13-amd64", "6.12.38+deb13+1-amd64", "6.12.100-amd64",
		"10.0", "99999999999999999999999.1",
	}
	for i, a := range ascending {
		for j, b := range ascending {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			assert.Equal(t, want, boottree.CompareVersions(a, b), "%q and %q", a, b)
		}
	}
}

func FuzzCompareVersions(f *testing.F) {
	f.Add("6.1", "6.10-rc1", "6.10")
	f.Add("a~+", "a\xff-", "00")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		ab, bc := boottree.CompareVersions(a, b), boottree.CompareVersions(b, c)
		assert.Equal(t, ab, -boottree.CompareVersions(b, a))
		assert.Equal(t, a == b, ab == 0)
		if ab <= 0 && bc <= 0 {
			assert.LessOrEqual(t, boottree.CompareVersions(a, c), 0)
		}
	})
}
