package ipxe_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/ipxe"
)

func programs() fstest.MapFS {
	return fstest.MapFS{
		"ipxe.efi":     {Data: []byte("MZ program")},
		"ipxe.iso":     {Data: []byte("iso")},
		"ipxe-efi.img": {Data: []byte("img")},
		"sb/shim.EFI":  {Data: []byte("MZ shim")},
	}
}

func TestHandlerPrograms(t *testing.T) {
	t.Parallel()

	events := make(chan ipxe.Event, 99)
	srv := newServer(t, ipxe.Static(testSpec(), tree()), ipxe.WithPrograms(programs()), ipxe.WithEventFunc(func(e ipxe.Event) { events <- e }))
	base := srv.URL + "/_/boot/" + testMAC + "/"
	for name, want := range map[string]string{
		"ipxe.efi": "application/efi", "ipxe.iso": "application/vnd.efi-iso",
		"ipxe-efi.img": "application/vnd.efi-img", "sb/shim.EFI": "application/efi",
	} {
		resp, body := fetch(t, http.MethodGet, base+name)
		assert.Equal(t, http.StatusOK, resp.StatusCode, name)
		assert.Equal(t, want, resp.Header.Get("Content-Type"))
		assert.EqualValues(t, len(body), resp.ContentLength)
		assert.Regexp(t, `^"[0-9a-f]{64}"$`, resp.Header.Get("ETag"))
		e := <-events
		assert.Equal(t, ipxe.StageProgram, e.Stage)
		assert.Equal(t, testMAC, e.MAC.String())
		assert.Equal(t, name, e.Name)

		head, _ := fetch(t, http.MethodHead, base+name)
		assert.Equal(t, resp.ContentLength, head.ContentLength)
		part, rest := fetch(t, http.MethodGet, base+name, "Range", "bytes=1-", "If-Match", resp.Header.Get("ETag"))
		assert.Equal(t, http.StatusPartialContent, part.StatusCode, "EDK2 resumes like this")
		assert.Equal(t, body[1:], rest)
		<-events
	}
	for _, path := range []string{
		"autoexec.ipxe", "gone.efi", "", "sb", "sb/", "../vmlinuz", "%2e%2e/vmlinuz", "/ipxe.efi", "sb//shim.EFI", "ipxe.efi%00",
	} {
		resp, body := fetch(t, http.MethodGet, base+path)
		assert.Equal(t, http.StatusNotFound, resp.StatusCode, path)
		assert.Equal(t, "not found\n", body, path)
	}
	resp, _ := fetch(t, http.MethodGet, srv.URL+"/_/boot/ipxe.efi")
	assert.Equal(t, http.StatusNotFound, resp.StatusCode)
}

func TestHandlerAutoexec(t *testing.T) {
	t.Parallel()

	srv := newServer(t, ipxe.Static(testSpec(), tree()), ipxe.WithPrograms(programs()), ipxe.WithAutoexec())
	status, script, _ := get(t, srv.URL+"/_/boot/"+testMAC+"/autoexec.ipxe")
	require.Equal(t, http.StatusOK, status)
	assert.Equal(t, string(ipxe.Autoexec(srv.URL)), script)

	// What iPXE makes of the address must be a machine to the handler.
	link := regexp.MustCompile(`http://\S+`).FindString(script)
	for setting, value := range map[string]string{
		"netX/mac": testMAC, "buildarch": "x86_64", "platform": "efi",
		"uuid": "00112233-4455-6677-8899-aabbccddeeff", "serial:uristring": "a%20b",
	} {
		require.Contains(t, link, "${"+setting+"}")
		link = strings.ReplaceAll(link, "${"+setting+"}", value)
	}
	link = regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllString(link, "")
	status, _, _ = get(t, link)
	assert.Equal(t, http.StatusOK, status)
}

func TestAutoexec(t *testing.T) {
	t.Parallel()

	golden.Check(t, "autoexec.ipxe", ipxe.Autoexec("http://192.0.2.1:8090/"))
}
