package fat_test

import (
	"testing"

	"github.com/netbootkit/netbootkit/internal/fat"
	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// TestNewListing pins what mdir shows of a volume: short and long names, sizes
// and times.
func TestNewListing(t *testing.T) {
	t.Parallel()
	name := save(t, newImage(t, odd(), fat.Volume{Label: "EFI_LIVE", Serial: 0x1234ABCD, Time: someTime}))
	golden.Check(t, "mdir.txt", []byte(run(t, oracle.Need(t, "mdir"), "-i", name, "-/", "-a", "::")))
}
