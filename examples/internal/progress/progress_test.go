package progress_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/progress"
)

func TestLine(t *testing.T) {
	t.Parallel()

	tests := []struct {
		name        string
		done, total int64
		took        time.Duration
		want        string
	}{
		{"start", 0, 4096, 0, "x            [..............................]   0 % of 4.0 KiB"},
		{"half", 2048, 4096, 2 * time.Second, "x            [###############...............]  50 % of 4.0 KiB, 1.0 KiB/s"},
		{"done", 4096, 4096, 4 * time.Second, "x            [##############################] 100 % of 4.0 KiB, 1.0 KiB/s"},
		{"more than announced", 9000, 4096, 0, "x            [##############################] 100 % of 4.0 KiB"},
		{"unknown", 700, -1, 0, "x            700 B"},
		{"nothing to do", 0, 0, 0, "x            0 B"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, progress.Line("x", tt.done, tt.total, tt.took))
		})
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()

	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 5 << 30: "5.0 GiB", 1<<62 + 1<<61: "6.0 EiB"} {
		assert.Equal(t, want, progress.Bytes(n))
	}
}

func TestDisplayIntoAPipe(t *testing.T) {
	t.Parallel()

	var b strings.Builder
	d := progress.New(&b)
	for done := range int64(101) {
		d.Update("squashfs", done, 100)
	}
	d.Close()
	assert.Equal(t, "squashfs …\nsquashfs     [##############################] 100 % of 100 B\n", b.String())
}

func TestDisplayIntoAFile(t *testing.T) {
	t.Parallel()

	name := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(name)
	require.NoError(t, err)
	d := progress.New(f)
	d.Update("iso", 0, -1)
	d.Update("iso", 3, -1)
	require.NoError(t, f.Close())
	data, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.Equal(t, "iso …\n", string(data))
}
