package ipxe

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// autoexecName is the script that a program without an embedded one looks
// for beside itself.
const autoexecName = "autoexec.ipxe"

// serveProgram answers /_/boot/<mac>/<program>.
func (h *Handler) serveProgram(t *transfer, r *http.Request) {
	start := time.Now()
	rest := strings.TrimPrefix(r.URL.Path, "/_/boot/")
	dir, name, _ := strings.Cut(rest, "/")
	mac, err := parseMAC(dir)
	if err != nil || !fs.ValidPath(name) {
		h.refuse(t, http.StatusNotFound, "not found")
		return
	}
	e := Event{Stage: StageProgram, MAC: mac, File: path.Base(name), Name: name}
	if name == autoexecName && h.cfg.autoexec {
		base, err := h.base(r)
		if err != nil {
			h.fail(t, r, start, e, err)
			return
		}
		h.done(t, r, start, e, h.sendText(t, r, Autoexec(base)))
		return
	}
	if !h.acquire(t) {
		return
	}
	defer h.release()
	f, err := OpenFile(h.cfg.programs, name)
	if err != nil {
		h.fail(t, r, start, e, &Error{Op: "open", MAC: mac, Name: name, Err: err})
		return
	}
	defer closeFile(f)
	h.done(t, r, start, e, t.send(r, f, name))
}

// Autoexec returns the script autoexec.ipxe for programs without an embedded
// script: it gets an address by DHCP and chains to the machine's script at
// the handler under base, such as "http://192.0.2.1:8090". Builds that have a
// script of their own must be told that there is no such file.
func Autoexec(base string) []byte {
	var b bytes.Buffer
	b.WriteString("#!ipxe\nset try:int32 0\n:dhcp\ndhcp && goto chain ||\n")
	fmt.Fprintf(&b, "iseq ${try} %d && goto failed || inc try\nsleep 1\ngoto dhcp\n", defaultRetries)
	b.WriteString(":chain\nset try:int32 0\nset wait:int32 1\n:script\n")
	// The :uristring type percent-encodes. There is no timeout: a server that
	// prepares something says when to ask again, and iPXE waits.
	fmt.Fprintf(&b, "chain --replace --autofree %s/_/ipxe?mac=${netX/mac}", strings.TrimSuffix(base, "/"))
	b.WriteString("&arch=${buildarch}&platform=${platform}&uuid=${uuid}&serial=${serial:uristring}" +
		"&asset=${asset:uristring}&manufacturer=${manufacturer:uristring}&product=${product:uristring} ||\n")
	fmt.Fprintf(&b, "iseq ${try} %d && goto failed || inc try\n", defaultRetries)
	fmt.Fprintf(&b, "sleep ${wait}\niseq ${wait} %d || inc wait ${wait}\ngoto script\n", lastWait)
	b.WriteString(":failed\necho Boot failed\nexit 1\n")
	return b.Bytes()
}
