package ipxe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
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

func TestHandlerScript(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.Static(testSpec(), tree()), ipxe.WithBaseURL("http://192.0.2.1:8090/"))
	status, script, header := get(t, srv.URL+"/_/ipxe?mac="+testMAC)
	require.Equal(t, http.StatusOK, status)
	assert.Equal(t, "no-store", header.Get("Cache-Control"))
	assert.Equal(t, strconv.Itoa(len(script)), header.Get("Content-Length"))

	in := interpreter{bootable: true}
	trace, err := in.run(script)
	require.NoError(t, err)
	ids := regexp.MustCompile(`name=[\w-]+`)
	var got []string
	for _, step := range trace {
		got = append(got, ids.ReplaceAllString(step, "name=X"))
	}
	assert.Equal(t, []string{
		"kernel http://192.0.2.1:8090/_/file?name=X&type=kernel&mac=" + testMAC,
		"initrd http://192.0.2.1:8090/_/file?name=X&type=initrd&mac=" + testMAC,
		"initrd http://192.0.2.1:8090/_/file?name=X&type=initrd&mac=" + testMAC,
		"imgfetch http://192.0.2.1:8090/_/booting?name=X&mac=" + testMAC,
		"boot kernel initrd=initrd0 initrd=initrd1 root=live:http://192.0.2.1:8090/_/file?name=X netboot" +
			" config_url=http://192.0.2.1:8090/_/file?name=X console=ttyS0",
	}, got)
}

func TestHandlerScriptWithForgedHost(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.Static(testSpec(), tree()))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/_/ipxe?mac="+testMAC, nil)
	require.NoError(t, err)
	req.Host = "evil.example"
	req.Header.Set("X-Forwarded-Host", "evil.example")
	req.Header.Set("Forwarded", "host=evil.example")
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	assert.Contains(t, string(body), srv.URL+"/_/file?")
	assert.NotContains(t, string(body), "evil")
}

func TestHandlerScriptWithoutLocalAddress(t *testing.T) {
	t.Parallel()

	h, err := ipxe.NewHandler(ipxe.Static(testSpec(), tree()))
	require.NoError(t, err)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_/ipxe?mac="+testMAC, nil))
	assert.Equal(t, http.StatusInternalServerError, w.Code)
	assert.Equal(t, "internal error\n", w.Body.String())
}

// booter is a Booter made of two functions, as a user's own.
type booter struct {
	spec func(ctx context.Context, m *ipxe.Machine) (*ipxe.Spec, error)
	open func(ctx context.Context, name string) (ipxe.File, error)
}

func (b *booter) BootSpec(ctx context.Context, m *ipxe.Machine) (*ipxe.Spec, error) {
	return b.spec(ctx, m)
}

func (b *booter) OpenBootFile(ctx context.Context, name string) (ipxe.File, error) {
	return b.open(ctx, name)
}

// answering returns a booter that says the same to all.
func answering(spec *ipxe.Spec, err error) *booter {
	return &booter{
		spec: func(context.Context, *ipxe.Machine) (*ipxe.Spec, error) { return spec, err },
		open: func(context.Context, string) (ipxe.File, error) { return nil, err },
	}
}

func TestHandlerStatus(t *testing.T) {
	t.Parallel()

	kernel := &ipxe.Spec{Kernel: "k"}
	tests := []struct {
		name   string
		booter ipxe.Booter
		path   string
		status int
		body   string
		retry  string
	}{
		{"no mac", answering(kernel, nil), "/_/ipxe", 400, "ipxe: want a MAC address of six bytes\n", ""},
		{"bad mac", answering(kernel, nil), "/_/ipxe?mac=52:54:00:12:34", 400, "ipxe: want a MAC address of six bytes\n", ""},
		{"long mac", answering(kernel, nil), "/_/ipxe?mac=52:54:00:12:34:56:78:9a", 400, "ipxe: want a MAC address of six bytes\n", ""},
		{"bad uuid", answering(kernel, nil), "/_/ipxe?mac=" + testMAC + "&uuid=1", 400, "ipxe: want a UUID of 36 characters\n", ""},
		{"not ours", answering(nil, nil), "/_/ipxe?mac=" + testMAC, 404, "nothing to boot for this machine\n", ""},
		{"local", answering(&ipxe.Spec{Local: ipxe.LocalNotFound}, nil), "/_/ipxe?mac=" + testMAC, 404, "this machine boots from disk\n", ""},
		{"error", answering(nil, errors.New("/etc/secret is broken")), "/_/ipxe?mac=" + testMAC, 500, "internal error\n", ""},
		{"cannot be written", answering(&ipxe.Spec{Kernel: "k", Cmdline: "${x}"}, nil), "/_/ipxe?mac=" + testMAC, 500, "internal error\n", ""},
		{"no script", answering(&ipxe.Spec{Script: "<html>"}, nil), "/_/ipxe?mac=" + testMAC, 500, "internal error\n", ""},
		{"raw script", answering(&ipxe.Spec{Script: "#!ipxe\nshell\n"}, nil), "/_/ipxe?mac=" + testMAC, 200, "#!ipxe\nshell\n", ""},
		{"exit", answering(&ipxe.Spec{Local: ipxe.LocalExit}, nil), "/_/ipxe?mac=" + testMAC, 200, "#!ipxe\nimgfree\nexit 1\n", ""},
		{"not ready", answering(nil, ipxe.ErrNotReady), "/_/ipxe?mac=" + testMAC, 503, "not ready yet\n", "1"},
		{"not ready at once", answering(nil, &ipxe.NotReadyError{}), "/_/ipxe?mac=" + testMAC, 503, "not ready yet\n", "1"},
		{"not ready soon", answering(nil, &ipxe.NotReadyError{RetryAfter: 2100 * time.Millisecond}), "/_/ipxe?mac=" + testMAC, 503, "not ready yet\n", "3"},
		{"not ready for long", answering(nil, fmt.Errorf("disk: %w", &ipxe.NotReadyError{RetryAfter: time.Hour})), "/_/ipxe?mac=" + testMAC, 503, "not ready yet\n", "60"},
		{"not allowed", answering(nil, fs.ErrPermission), "/_/ipxe?mac=" + testMAC, 403, "not allowed\n", ""},
		{"panic", &booter{}, "/_/ipxe?mac=" + testMAC, 500, "internal error\n", ""},
		{"other path", answering(kernel, nil), "/", 404, "not found\n", ""},
		{"programs are off", answering(kernel, nil), "/_/boot/" + testMAC + "/ipxe.efi", 404, "not found\n", ""},
		{"file without name", answering(kernel, nil), "/_/file", 400, "no name\n", ""},
		{"file by path", answering(kernel, nil), "/_/file?name=vmlinuz", 403, "link not made with this key\n", ""},
		{"file with long name", answering(kernel, nil), "/_/file?name=" + strings.Repeat("A", 9000), 403, "link not made with this key\n", ""},
		{"booting without name", answering(kernel, nil), "/_/booting?mac=" + testMAC, 400, "no name\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			srv := newServer(t, tt.booter)
			status, body, header := get(t, srv.URL+tt.path)
			assert.Equal(t, tt.status, status)
			assert.Equal(t, tt.body, body)
			assert.Equal(t, tt.retry, header.Get("Retry-After"))
		})
	}
}

func TestHandlerMethods(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.Static(testSpec(), tree()))
	for method, want := range map[string]int{
		http.MethodGet: 200, http.MethodHead: 200, http.MethodPost: 405, http.MethodPut: 405, http.MethodDelete: 405, http.MethodOptions: 405,
	} {
		req, err := http.NewRequestWithContext(t.Context(), method, srv.URL+"/_/ipxe?mac="+testMAC, nil)
		require.NoError(t, err)
		resp, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		resp.Body.Close()
		assert.Equal(t, want, resp.StatusCode, method)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/_/ipxe?mac="+testMAC, strings.NewReader("body"))
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	resp.Body.Close()
	assert.Equal(t, 400, resp.StatusCode)
}

func TestHandlerMachine(t *testing.T) {
	t.Parallel()

	got := make(chan *ipxe.Machine, 1)
	srv := newServer(t, &booter{spec: func(_ context.Context, m *ipxe.Machine) (*ipxe.Spec, error) {
		got <- m
		return nil, nil
	}})
	m := &ipxe.Machine{
		MAC:  net.HardwareAddr{0x52, 0x54, 0, 0x12, 0x34, 0x56},
		UUID: [16]byte{1, 2, 3, 15: 16}, Arch: "x86_64", Platform: "efi",
		Serial: "a b&c=d", Asset: "ä", Manufacturer: "QEMU", Product: "Standard PC (Q35 + ICH9, 2009)",
	}
	get(t, ipxe.ScriptURL(srv.URL+"/", m))
	assert.Equal(t, m, <-got)

	get(t, srv.URL+"/_/ipxe?mac=52-54-00-12-34-56&serial=x%0ay&product="+strings.Repeat("a", 200)+"&asset=%ff")
	assert.Equal(t, &ipxe.Machine{MAC: m.MAC}, <-got, "rubbish is dropped")
}

func TestHandlerLinks(t *testing.T) {
	t.Parallel()

	key := []byte("0123456789abcdef0123456789abcdef")
	first := newServer(t, ipxe.Static(testSpec(), tree()), ipxe.WithKey(key))
	second := newServer(t, ipxe.Static(testSpec(), tree()), ipxe.WithKey(key))
	stranger := newServer(t, ipxe.Static(testSpec(), tree()))
	for _, link := range links(t, first.URL) {
		_, want, wantHeader := get(t, link)
		status, body, header := get(t, strings.Replace(link, first.URL, second.URL, 1))
		assert.Equal(t, http.StatusOK, status)
		assert.Equal(t, want, body)
		assert.Equal(t, wantHeader.Get("ETag"), header.Get("ETag"))

		status, _, _ = get(t, strings.Replace(link, first.URL, stranger.URL, 1))
		assert.Equal(t, http.StatusForbidden, status)
	}
}

func TestHandlerLinksSwapped(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.Static(testSpec(), tree()))
	all := links(t, srv.URL)
	file, booting := all[0], all[3]
	status, _, _ := get(t, strings.Replace(booting, "/_/booting", "/_/file", 1))
	assert.Equal(t, http.StatusForbidden, status, "the link for booting opens no file")
	status, _, _ = get(t, strings.Replace(file, "/_/file", "/_/booting", 1))
	assert.Equal(t, http.StatusForbidden, status, "the link of a file does not say that a machine boots")
}

func TestHandlerLinkExpires(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		h, err := ipxe.NewHandler(ipxe.Static(testSpec(), tree()), ipxe.WithBaseURL("http://192.0.2.1"), ipxe.WithLifetime(time.Hour))
		require.NoError(t, err)
		serve := func(url string) int {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
			return w.Code
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/_/ipxe?mac="+testMAC, nil))
		link := regexp.MustCompile(`http://\S+`).FindString(w.Body.String())
		time.Sleep(time.Hour - time.Second)
		assert.Equal(t, http.StatusOK, serve(link))
		time.Sleep(time.Second)
		assert.Equal(t, http.StatusForbidden, serve(link))
	})
}

func TestHandlerEvents(t *testing.T) {
	t.Parallel()

	var mu sync.Mutex
	var events []ipxe.Event
	srv := newServer(t, ipxe.Static(testSpec(), tree()), ipxe.WithEventFunc(func(e ipxe.Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e)
		panic("a callback's panic ends nothing")
	}))
	uuid := "00112233-4455-6677-8899-aabbccddeeff"
	_, script, _ := get(t, srv.URL+"/_/ipxe?mac="+testMAC+"&uuid="+uuid)
	for _, link := range regexp.MustCompile(`http://\S+`).FindAllString(script, -1) {
		get(t, link)
		resp, err := http.Head(link)
		require.NoError(t, err)
		resp.Body.Close()
	}
	srv.Close() // An event follows its answer.
	mu.Lock()
	defer mu.Unlock()
	var got []string
	for _, e := range events {
		assert.Equal(t, testMAC, e.MAC.String())
		assert.EqualValues(t, 0x11, e.UUID[1])
		assert.True(t, e.Peer.Addr().IsLoopback())
		assert.False(t, e.Time.IsZero())
		require.NoError(t, e.Err)
		if e.Stage != ipxe.StageScript {
			got = append(got, fmt.Sprintf("%v %s %s %d", e.Stage, e.File, e.Name, e.Bytes))
		}
	}
	assert.ElementsMatch(t, []string{
		"kernel kernel vmlinuz 10", "initrd initrd-0 initrd 16", "initrd initrd-1 more.initrd 17",
		"booting booting  10", "file other-0 /root.squashfs 8", "file other-1 config.yaml 14",
	}, got)
}

func TestHandlerMissingFile(t *testing.T) {
	t.Parallel()

	events := make(chan ipxe.Event, 9)
	srv := newServer(t, ipxe.Static(&ipxe.Spec{Kernel: "gone"}, tree()), ipxe.WithEventFunc(func(e ipxe.Event) { events <- e }))
	status, body, _ := get(t, links(t, srv.URL)[0])
	assert.Equal(t, http.StatusNotFound, status)
	assert.Equal(t, "not found\n", body)
	e := <-events
	if e.Stage == ipxe.StageScript { // An event follows its answer, so the two may come in either order.
		e = <-events
	}
	var failed *ipxe.Error
	require.ErrorAs(t, e.Err, &failed)
	require.ErrorIs(t, e.Err, fs.ErrNotExist)
	assert.Equal(t, "open", failed.Op)
	assert.Equal(t, "gone", failed.Name)
	assert.Equal(t, `ipxe: open "gone" for 52:54:00:12:34:56: open gone: file does not exist`, e.Err.Error())
}

func TestHandlerFolderIsNoFile(t *testing.T) {
	t.Parallel()

	for _, name := range []string{"dir", "/", "../x", "dir/../secret", "/dir/", "//secret"} {
		srv := newServer(t, ipxe.Static(&ipxe.Spec{Kernel: name}, tree()))
		status, body, _ := get(t, links(t, srv.URL)[0])
		assert.GreaterOrEqual(t, status, 400, name)
		assert.NotContains(t, body, "secret")
	}
}

func TestHandlerTooManyTransfers(t *testing.T) {
	t.Parallel()

	opened, proceed := make(chan struct{}, 2), make(chan struct{})
	b := &booter{
		spec: func(context.Context, *ipxe.Machine) (*ipxe.Spec, error) { return &ipxe.Spec{Kernel: "k"}, nil },
		open: func(context.Context, string) (ipxe.File, error) {
			opened <- struct{}{}
			<-proceed
			return nil, fs.ErrNotExist
		},
	}
	srv := newServer(t, b, ipxe.WithMaxTransfers(1))
	link := links(t, srv.URL)[0]
	var wg sync.WaitGroup
	wg.Go(func() { get(t, link) })
	<-opened
	status, _, header := get(t, link)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "3", header.Get("Retry-After"))
	close(proceed)
	wg.Wait()
	status, _, _ = get(t, link)
	assert.Equal(t, http.StatusNotFound, status)
}

func TestHandlerMenu(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.Static(&ipxe.Spec{Menu: &ipxe.Menu[ipxe.Spec]{
		Title: "Boot", Default: "live",
		Items: []ipxe.Item[ipxe.Spec]{{Name: "live", Text: "Live", Boot: *testSpec()}, {Name: "disk", Text: "Disk", Boot: ipxe.Spec{Local: ipxe.LocalExit}}},
	}}, tree()))
	_, script, _ := get(t, srv.URL+"/_/ipxe?mac="+testMAC)
	var bodies []string
	in := interpreter{bootable: true, fetch: func(url string) error {
		_, body, _ := get(t, url)
		bodies = append(bodies, body)
		return nil
	}}
	_, err := in.run(script)
	require.NoError(t, err)
	assert.Equal(t, []string{"the kernel", "the first initrd", "the second initrd", "# Booting\n"}, bodies)
}

func TestNewHandlerRefuses(t *testing.T) {
	t.Parallel()

	b := ipxe.Static(testSpec(), tree())
	tests := []struct {
		name string
		opt  ipxe.Option
		want string
	}{
		{"short key", ipxe.WithKey(make([]byte, 15)), "ipxe: key of 15 bytes, want at least 16"},
		{"empty key", ipxe.WithKey(nil), "ipxe: key of 0 bytes, want at least 16"},
		{"lifetime", ipxe.WithLifetime(0), "ipxe: lifetime 0s not in 1s..87600h"},
		{"logger", ipxe.WithLogger(nil), "ipxe: logger is nil"},
		{"event function", ipxe.WithEventFunc(nil), "ipxe: event function is nil"},
		{"autoexec", ipxe.WithAutoexec(), "ipxe: autoexec without programs"},
		{"idle", ipxe.WithIdleTimeout(time.Millisecond), "ipxe: idle timeout 1ms not in 1s..1h"},
		{"transfers", ipxe.WithMaxTransfers(0), "ipxe: 0 transfers at once, want at least 1"},
		{"grace", ipxe.WithGracePeriod(-1), "ipxe: grace period -1ns is negative"},
		{"base scheme", ipxe.WithBaseURL("ftp://a"), `ipxe: base URL "ftp://a": want http://host:port or https://host:port, and perhaps a path`},
		{"base query", ipxe.WithBaseURL("http://a/?"), `ipxe: base URL "http://a/?": want http://host:port or https://host:port, and perhaps a path`},
		{"base setting", ipxe.WithBaseURL("http://${ip}"), `ipxe: base URL "http://${ip}": iPXE would expand ${`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			_, err := ipxe.NewHandler(b, tt.opt)
			assert.EqualError(t, err, tt.want)
		})
	}
	_, err := ipxe.NewHandler(b, ipxe.WithLifetime(0), ipxe.WithMaxTransfers(0))
	require.ErrorContains(t, err, "lifetime")
	require.ErrorContains(t, err, "transfers", "all faults are named")
	_, err = ipxe.NewHandler(nil)
	assert.Error(t, err)
}
