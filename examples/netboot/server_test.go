package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// start wires a server without sockets. The function returns what it has
// logged, after which it can log no more.
func start(t *testing.T, args ...string) (*server, func() string) {
	t.Helper()
	cfg, err := parseConfig(args, io.Discard)
	require.NoError(t, err)
	var log bytes.Buffer
	out := newOutput(cfg, &log)
	t.Cleanup(out.close)
	s, err := newServer(t.Context(), cfg, out)
	require.NoError(t, err)
	t.Cleanup(s.close)
	return s, func() string {
		out.close()
		return log.String()
	}
}

// get fetches the path and query of url from s.
func get(t *testing.T, s *server, url string) string {
	t.Helper()
	_, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	w := httptest.NewRecorder()
	s.http.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/"+path, nil))
	require.Equal(t, http.StatusOK, w.Code, "%s: %s", url, w.Body)
	return w.Body.String()
}

const (
	advertise = "192.0.2.1"
	scriptFor = "/_/ipxe?mac=52:54:00:00:00:07&arch=x86_64"
)

func TestServerScript(t *testing.T) {
	t.Parallel()

	dir := folder(t, "kernel", "initrd", "root.squashfs", "config.yaml")
	s, log := start(t, "-root", dir, "-kernel", "kernel", "-initrd", "initrd", "-advertise", advertise,
		"-cmdline", `root=live:{{ ID "root.squashfs" }}`, "-cloud-config", "config.yaml")
	script := get(t, s, scriptFor)
	links := regexp.MustCompile(`http://192\.0\.2\.1:8090/_/file\S*`).FindAllString(script, -1)
	require.Len(t, links, 4)
	for i, want := range []string{"kernel", "initrd", "root.squashfs", "config.yaml"} {
		assert.Equal(t, "content of "+want, get(t, s, links[i]))
	}
	logged := log()
	for _, want := range []string{
		"HTTP: Sending ipxe boot script to 192.0.2.1:1234\n",
		`HTTP: Sent file "kernel" to 192.0.2.1:1234`,
		`HTTP: Sent file "initrd-0" to 192.0.2.1:1234`,
		`HTTP: Sent file "other-0" to 192.0.2.1:1234`,
		`HTTP: Sent file "other-1" to 192.0.2.1:1234`,
	} {
		assert.Contains(t, logged, want)
	}
}

func TestServerOnce(t *testing.T) {
	t.Parallel()

	s, _ := start(t, "-root", folder(t, "kernel"), "-kernel", "kernel", "-advertise", advertise,
		"-once", filepath.Join(t.TempDir(), "state"))
	script := get(t, s, scriptFor)
	require.Contains(t, script, "boot kernel")
	assert.Contains(t, get(t, s, scriptFor), "boot kernel", "asking does not use up the turn")
	get(t, s, regexp.MustCompile(`http://\S*/_/booting\S*`).FindString(script))
	script = get(t, s, scriptFor)
	assert.NotContains(t, script, "boot kernel")
	assert.Contains(t, script, "exit")
}

func TestServerSharesKey(t *testing.T) {
	t.Parallel()

	dir := folder(t, "kernel", "key-of-the-pair-1234567890")
	args := []string{"-root", dir, "-kernel", "kernel", "-advertise", advertise, "-key-file", filepath.Join(dir, "key-of-the-pair-1234567890")}
	one, _ := start(t, args...)
	two, _ := start(t, args...)
	link := regexp.MustCompile(`http://\S*/_/file\S*`).FindString(get(t, one, scriptFor))
	assert.Equal(t, "content of kernel", get(t, two, link))
}

func TestServerLogJSON(t *testing.T) {
	t.Parallel()

	s, log := start(t, "-root", folder(t, "kernel"), "-kernel", "kernel", "-advertise", advertise, "-log-format", "json")
	get(t, s, scriptFor)
	assert.Regexp(t, `"msg":"step","stage":"script","mac":"52:54:00:00:00:07","path":"http","file":"script","peer":"192.0.2.1:1234","bytes":\d+,"duration":\d+`, log())
}

func TestRunExplain(t *testing.T) {
	t.Parallel()

	request := filepath.Join("..", "..", "internal", "pxemodel", "testdata", "requests", "edk2-pxe-discover.hex")
	text, err := os.ReadFile(request)
	require.NoError(t, err)
	capture := filepath.Join(t.TempDir(), "request.hex")
	require.NoError(t, os.WriteFile(capture, text, 0o600))
	var out strings.Builder
	args := []string{"-root", folder(t, "kernel"), "-kernel", "kernel", "-advertise", advertise, "-explain", capture}
	require.NoError(t, run(t.Context(), args, nil, &out, io.Discard))
	assert.Contains(t, out.String(), "x64-efi")
	assert.Contains(t, out.String(), "/ipxe.efi")
	assert.Contains(t, out.String(), "port 4011")

	args[len(args)-1] = filepath.Join(t.TempDir(), "none")
	require.ErrorContains(t, run(t.Context(), args, nil, &out, io.Discard), "none")
}

// ports returns flags with free ports on the loopback.
func ports(t *testing.T) []string {
	t.Helper()
	args := []string{"-interface", "lo", "-listen", "127.0.0.1"}
	for _, flag := range []string{"-dhcp-port", "-pxe-port", "-tftp-port"} {
		conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp4", "0.0.0.0:0")
		require.NoError(t, err)
		defer conn.Close() // All at once, so that they differ.
		args = append(args, flag, strconv.Itoa(conn.LocalAddr().(*net.UDPAddr).Port))
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	return append(args, "-http-port", strconv.Itoa(ln.Addr().(*net.TCPAddr).Port))
}

func TestRunStopsWhenContextDone(t *testing.T) {
	t.Parallel()

	ctx, cancel := context.WithCancel(t.Context())
	log := writerFunc(func(p []byte) {
		if strings.Contains(string(p), "Ready: DHCP on ") {
			cancel()
		}
	})
	args := append(ports(t), "-root", folder(t, "kernel"), "-kernel", "kernel")
	require.NoError(t, run(ctx, args, nil, io.Discard, log))
	require.ErrorIs(t, ctx.Err(), context.Canceled, "it ended before it was ready")
}

func TestRunNamesTakenPort(t *testing.T) {
	t.Parallel()

	args := ports(t)
	port := args[len(args)-1]
	args = append(args, "-root", folder(t, "kernel"), "-kernel", "kernel")
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp4", "127.0.0.1:"+port)
	require.NoError(t, err)
	defer ln.Close()
	log := writerFunc(func(p []byte) { t.Errorf("logged before all ports are open: %s", p) })
	err = run(t.Context(), args, nil, io.Discard, log)
	require.ErrorContains(t, err, "port "+port+"/tcp (HTTP) is taken by")
	require.ErrorContains(t, err, "-http-port")
}

func TestServerServeEndsWithFirstFailure(t *testing.T) {
	t.Parallel()

	s, _ := start(t, append(ports(t), "-root", folder(t, "kernel"), "-kernel", "kernel")...)
	require.NoError(t, s.listen(t.Context()))
	require.NoError(t, s.sockets[2].Close())
	require.ErrorContains(t, s.serve(t.Context()), "TFTP on port ")
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}
