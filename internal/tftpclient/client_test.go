package tftpclient_test

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tftpclient"
)

// answer plays a server that gives each packet it gets the next answer.
func answer(t *testing.T, answers ...string) (addr string) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	done := make(chan struct{})
	t.Cleanup(func() {
		_ = conn.Close()
		<-done
	})
	go func() {
		defer close(done)
		buf := make([]byte, 2048)
		for _, a := range answers {
			_, from, err := conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = conn.WriteToUDPAddrPort([]byte(a), from)
		}
	}()
	return conn.LocalAddr().String()
}

func TestClientGet(t *testing.T) {
	t.Parallel()

	var got bytes.Buffer
	c := tftpclient.Client{Size: true, BlockSize: 600, Wait: time.Second}
	res, err := c.Get(t.Context(), answer(t, "\x00\x06blksize\x00600\x00tsize\x005\x00", "\x00\x03\x00\x01hello"), "f", &got)
	require.NoError(t, err)
	assert.Equal(t, "hello", got.String())
	assert.Equal(t, map[string]int64{"blksize": 600, "tsize": 5}, res.Options)
}

func TestClientGetRefuses(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		client  tftpclient.Client
		answer  string
		message string
	}{
		"option not asked":   {tftpclient.Client{Size: true}, "\x00\x06tsize\x005\x00blksize\x00512\x00", "not asked for"},
		"value above":        {tftpclient.Client{BlockSize: 600}, "\x00\x06blksize\x00601\x00", "asked 600"},
		"timeout changed":    {tftpclient.Client{Timeout: 5}, "\x00\x06timeout\x004\x00", "asked 5"},
		"block out of order": {tftpclient.Client{}, "\x00\x03\x00\x02hello", "block 2 after 0"},
		"block too long":     {tftpclient.Client{}, "\x00\x03\x00\x01" + string(make([]byte, 513)), "block of 513 bytes"},
		"ERROR without NUL":  {tftpclient.Client{}, "\x00\x05\x00\x01no", "without its NUL"},
		"ERROR":              {tftpclient.Client{}, "\x00\x05\x00\x01no\x00", `code 1, "no"`},
		"request":            {tftpclient.Client{}, "\x00\x01f\x00octet\x00", "opcode 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := tt.client.Get(t.Context(), answer(t, tt.answer), "f", new(bytes.Buffer))
			require.ErrorContains(t, err, tt.message)
		})
	}
}
