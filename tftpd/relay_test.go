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

// TestServerServeWindowSavesRoundTrips: the server sends a whole window for
// each ACK (RFC 7440), which is what makes a long path fast.
func TestServerServeWindowSavesRoundTrips(t *testing.T) {
	srv := start(t, patterns(300_000))
	sent := map[int]int64{}
	for _, window := range []int{1, 16} {
		r, err := netsim.Listen(srv.port, netsim.Path{})
		require.NoError(t, err)
		t.Cleanup(func() { _ = r.Close() })
		c := tftpclient.Client{BlockSize: 1468, Window: window}
		_, err = c.Get(t.Context(), r.Addr().String(), "300000", new(bytes.Buffer))
		require.NoError(t, err)
		sent[window] = r.Counts().ToServer
	}
	t.Logf("bytes to the server: %v", sent)
	// 206 ACKs against 14, of 4 bytes, and the request.
	assert.Greater(t, sent[1], 6*sent[16])
}
