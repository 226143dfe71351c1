package ipxe_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/ipxe"
)

const testMAC = "52:54:00:12:34:56"

// tree holds what the tests boot.
func tree() fstest.MapFS {
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	return fstest.MapFS{
		"vmlinuz":       {Data: []byte("the kernel"), ModTime: at},
		"initrd":        {Data: []byte("the first initrd"), ModTime: at},
		"more.initrd":   {Data: []byte("the second initrd"), ModTime: at},
		"root.squashfs": {Data: []byte("the root"), ModTime: at},
		"config.yaml":   {Data: []byte("#cloud-config\n"), ModTime: at},
		"secret":        {Data: []byte("nobody names me"), ModTime: at},
		"dir/file":      {Data: []byte("in a folder"), ModTime: at},
	}
}

func testSpec() *ipxe.Spec {
	return &ipxe.Spec{
		Kernel:  "vmlinuz",
		Initrd:  []string{"initrd", "more.initrd"},
		Cmdline: `root=live:{{ ID "/root.squashfs" }} netboot config_url={{ ID "config.yaml" }} console=ttyS0`,
	}
}

// newServer runs a handler on a loopback socket.
func newServer(t *testing.T, b ipxe.Booter, opts ...ipxe.Option) *httptest.Server {
	t.Helper()
	h, err := ipxe.NewHandler(b, opts...)
	require.NoError(t, err)
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv
}

// get fetches url and returns the status, the body and the headers.
func get(t *testing.T, url string) (int, string, http.Header) {
	t.Helper()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body), resp.Header
}

// links fetches the script of testMAC and returns the addresses in it.
func links(t *testing.T, base string) []string {
	t.Helper()
	status, script, _ := get(t, base+"/_/ipxe?mac="+testMAC)
	require.Equal(t, http.StatusOK, status, script)
	return regexp.MustCompile(`http://\S+`).FindAllString(script, -1)
}

func TestHandlerBoot(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.Static(testSpec(), tree()))
	var got []string
	for _, link := range links(t, srv.URL) {
		status, body, header := get(t, link)
		assert.Equal(t, http.StatusOK, status)
		assert.NotEmpty(t, header.Get("Content-Length"))
		got = append(got, body)
	}
	assert.Equal(t, []string{
		"the kernel", "the first initrd", "the second initrd", "# Booting\n", "the root", "#cloud-config\n",
	}, got)
}
