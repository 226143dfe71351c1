package vmtest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// takeSlot waits until fewer machines run than there are CPUs, in all
// processes of this computer, and returns a file to close when one more has
// ended. Machines that share a CPU miss the deadlines of their firmware, so
// that only those that must run together do not wait.
func takeSlot(ctx context.Context, noWait bool) (*os.File, error) {
	if noWait {
		return os.Open(os.DevNull)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		for i := range runtime.NumCPU() {
			name := filepath.Join(os.TempDir(), fmt.Sprintf("netbootkit-vmtest-%d.lock", i))
			f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // A name of ours.
			if err != nil {
				return nil, fmt.Errorf("vmtest: %w", err)
			}
			if tryLock(f) {
				return f, nil
			}
			_ = f.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, fmt.Errorf("vmtest: waiting for other machines: %w", context.Cause(ctx))
		}
	}
}
