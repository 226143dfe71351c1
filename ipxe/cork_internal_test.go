//go:build linux

package ipxe

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestCork(t *testing.T) {
	t.Parallel()

	corked := func(c *net.TCPConn) (value int) {
		raw, err := c.SyscallConn()
		require.NoError(t, err)
		require.NoError(t, raw.Control(func(fd uintptr) {
			value, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK)
		}))
		require.NoError(t, err)
		return value
	}
	var before, during, after int
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c := r.Context().Value(connKey{}).(*net.TCPConn)
		before = corked(c)
		release := cork(r.Context())
		during = corked(c)
		release()
		after = corked(c)
	}))
	srv.Config.ConnContext = withConn
	srv.Start()
	t.Cleanup(srv.Close)
	resp, err := srv.Client().Get(srv.URL)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, []int{0, 1, 0}, []int{before, during, after})
	assert.NotPanics(t, cork(context.Background()), "another server's connection is not known")
}
