//go:build linux && !race

package resident

import (
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hold takes so many MiB.
func hold(mebibytes int) {
	b := make([]byte, mebibytes<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	runtime.KeepAlive(b)
}

func TestBelowMemory(t *testing.T) {
	t.Parallel()
	Below(t, 100, func() {
		hold(40)
		assert.Equal(t, "seen", os.Getenv("NETBOOTKIT_TEST_RESIDENT"))
	}, "NETBOOTKIT_TEST_RESIDENT=seen")
}

// TestBelowFailsMemory has a process take more than it may, in a process that
// takes it for the first one's.
func TestBelowFailsMemory(t *testing.T) {
	t.Parallel()
	if os.Getenv(child) == t.Name() {
		Below(t, 100, func() { hold(120) })
		return
	}
	out, err := again(t, nil)
	require.Error(t, err, out)
	assert.Contains(t, out, "MiB resident, of at most 100")
}

// TestBelowAloneMemory has this process take much, and another one little.
func TestBelowAloneMemory(t *testing.T) {
	t.Parallel()
	if os.Getenv(child) == "" {
		hold(200)
	}
	Below(t, 100, func() {})
}
