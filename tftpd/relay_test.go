package tftpd_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/netsim"
	"github.com/netbootkit/netbootkit/internal/tftpclient"
)

func TestServerServeOverPathWithLoss(t *testing.T) {
	t.Parallel()

	clients := map[string]tftpclient.Client{
		"plain":       {},
		"block":       {BlockSize: 1468, Size: true},
		"small block": {BlockSize: 64},
		"window":      {BlockSize: 1468, Window: 4},
		"wide window": {BlockSize: 512, Window: 64, Timeout: 1},
	}
	srv := start(t, patterns(0, 1468, 50_000))
	for name, client := range clients {
		for _, file := range []string{"0", "1468", "50000"} {
			t.Run(name+"/"+file, func(t *testing.T) {
				t.Parallel()

				r, err := netsim.Listen(srv.port, netsim.Path{Loss: 0.02, Reorder: 0.02, Duplicate: 0.02, Seed: 1})
				require.NoError(t, err)
				t.Cleanup(func() { _ = r.Close() })
				client := client // Shared by the files.
				client.Linger = 300 * time.Millisecond
				var got bytes.Buffer
				_, err = client.Get(t.Context(), r.Addr().String(), file, &got)
				require.NoError(t, err)
				require.True(t, bytes.Equal(patterns(0, 1468, 50_000)[file].Data, got.Bytes()), "content differs")
				t.Logf("%+v", r.Counts())
			})
		}
	}
}

// TestServerServeWindowHidesDelay: RFC 7440 saves round trips.
func TestServerServeWindowHidesDelay(t *testing.T) {
	srv := start(t, patterns(300_000))
	r, err := netsim.Listen(srv.port, netsim.Path{Delay: 5 * time.Millisecond})
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	took := map[int]time.Duration{}
	for _, window := range []int{1, 16} {
		start := time.Now()
		c := tftpclient.Client{BlockSize: 1468, Window: window}
		_, err := c.Get(t.Context(), r.Addr().String(), "300000", new(bytes.Buffer))
		require.NoError(t, err)
		took[window] = time.Since(start)
	}
	gain := float64(took[1]) / float64(took[16])
	t.Logf("window 1: %v, window 16: %v, gain %.1f", took[1], took[16], gain)
	assert.Greater(t, gain, 8.0)
}
