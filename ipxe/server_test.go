package ipxe_test

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/ipxe"
)

// serve runs h on a listener of its own until the returned function is
// called, which returns what Serve returned.
func serve(t *testing.T, h *ipxe.Handler) (net.Listener, func() error) {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { ln.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, ln) }()
	return ln, func() error { cancel(); return <-served }
}

func TestHandlerServe(t *testing.T) {
	t.Parallel()

	h, err := ipxe.NewHandler(ipxe.Static(testSpec(), tree()))
	require.NoError(t, err)
	ln, stop := serve(t, h)
	status, body, _ := get(t, links(t, "http://"+ln.Addr().String())[0])
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, "the kernel", body)
	require.NoError(t, stop())

	// The listener is the caller's: it can be served again.
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- h.Serve(ctx, ln) }()
	status, _, _ = get(t, "http://"+ln.Addr().String()+"/")
	assert.Equal(t, http.StatusNotFound, status)
	cancel()
	require.NoError(t, <-served)
	require.NoError(t, ln.Close())
}

func TestHandlerServeWhenListenerIsClosed(t *testing.T) {
	t.Parallel()

	h, err := ipxe.NewHandler(ipxe.Static(testSpec(), tree()))
	require.NoError(t, err)
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	require.ErrorIs(t, h.Serve(t.Context(), ln), net.ErrClosed)
}

// TestHandlerServeGrace checks that a running download survives the end of
// Serve for the grace period, and no longer.
func TestHandlerServeGrace(t *testing.T) {
	t.Parallel()

	for _, grace := range []time.Duration{0, time.Minute} {
		proceed := make(chan struct{})
		opened := make(chan struct{})
		b := &booter{
			spec: func(context.Context, *ipxe.Machine) (*ipxe.Spec, error) { return &ipxe.Spec{Kernel: "k"}, nil },
			open: func(ctx context.Context, _ string) (ipxe.File, error) {
				close(opened)
				select {
				case <-proceed:
				case <-ctx.Done():
				}
				return strings.NewReader("the kernel"), ctx.Err()
			},
		}
		h, err := ipxe.NewHandler(b, ipxe.WithGracePeriod(grace))
		require.NoError(t, err)
		ln, stop := serve(t, h)
		link := links(t, "http://"+ln.Addr().String())[0]
		got := make(chan string, 1)
		go func() {
			// A connection that was used before would be tried again.
			resp, err := (&http.Client{Transport: new(http.Transport)}).Get(link)
			if err != nil {
				got <- "cut off"
				return
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			got <- string(body)
		}()
		<-opened
		stopped := make(chan error, 1)
		go func() { stopped <- stop() }()
		if grace == 0 {
			require.NoError(t, <-stopped)
			assert.Equal(t, "cut off", <-got)
			continue
		}
		close(proceed)
		assert.Equal(t, "the kernel", <-got)
		require.NoError(t, <-stopped)
	}
}

func TestHandlerServeTLS(t *testing.T) {
	t.Parallel()

	// httptest has a certificate for 127.0.0.1, and a client that trusts it.
	other := httptest.NewTLSServer(nil)
	t.Cleanup(other.Close)
	cfg := &tls.Config{Certificates: other.TLS.Certificates, MinVersion: tls.VersionTLS10}
	h, err := ipxe.NewHandler(ipxe.Static(testSpec(), tree()), ipxe.WithTLS(cfg))
	require.NoError(t, err)
	ln, stop := serve(t, h)
	client := other.Client()
	resp, err := client.Get("https://" + ln.Addr().String() + "/_/ipxe?mac=" + testMAC)
	require.NoError(t, err)
	script, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	require.NoError(t, err)
	assert.Contains(t, string(script), "kernel --name kernel --timeout 10000 https://"+ln.Addr().String()+"/_/file?")
	assert.Equal(t, 1, resp.ProtoMajor)
	assert.EqualValues(t, tls.VersionTLS10, cfg.MinVersion, "the caller's configuration stays as it is")

	old := client.Transport.(*http.Transport).Clone()
	old.TLSClientConfig.MaxVersion = tls.VersionTLS11
	_, err = (&http.Client{Transport: old}).Get("https://" + ln.Addr().String() + "/")
	require.Error(t, err)
	require.NoError(t, stop())
}
