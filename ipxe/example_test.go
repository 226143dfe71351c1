package ipxe_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/ipxe"
)

// A handler tells a machine what to boot, and sends it.
func Example() {
	files := fstest.MapFS{"vmlinuz": {Data: []byte("a kernel")}, "initrd": {Data: []byte("an initrd")}}
	spec := &ipxe.Spec{Kernel: "vmlinuz", Initrd: []string{"initrd"}, Cmdline: "console=ttyS0"}
	h, err := ipxe.NewHandler(ipxe.Static(spec, files), ipxe.WithEventFunc(func(e ipxe.Event) {
		fmt.Println(e.MAC, e.Stage, e.File)
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	srv := httptest.NewServer(h) // A program calls h.Serve.
	defer srv.Close()

	// This is what a machine does.
	machine := &ipxe.Machine{MAC: net.HardwareAddr{0x52, 0x54, 0, 0x12, 0x34, 0x56}}
	script := read(ipxe.ScriptURL(srv.URL, machine))
	for _, link := range regexp.MustCompile(`http://\S+`).FindAllString(script, -1) {
		fmt.Printf("%q\n", read(link))
	}
	// Unordered output:
	// 52:54:00:12:34:56 script script
	// 52:54:00:12:34:56 kernel kernel
	// "a kernel"
	// 52:54:00:12:34:56 initrd initrd-0
	// "an initrd"
	// 52:54:00:12:34:56 booting booting
	// "# Booting\n"
}

func read(url string) string {
	resp, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func ExampleScript() {
	s := &ipxe.Script{
		Kernel:  "http://192.0.2.1/vmlinuz",
		Cmdline: "console=ttyS0",
		Message: "Installing",
	}
	if _, err := s.WriteTo(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// #!ipxe
	// imgfree
	// echo -- Installing
	// set try:int32 0
	// set wait:int32 1
	// :kernel
	// kernel --name kernel --timeout 10000 http://192.0.2.1/vmlinuz && goto kernel-ok ||
	// iseq ${try} 9 && goto failed || inc try
	// sleep ${wait}
	// iseq ${wait} 8 || inc wait ${wait}
	// goto kernel
	// :kernel-ok
	// boot kernel console=ttyS0 || goto failed
	// :failed
	// echo Boot failed
	// imgfree
	// exit 1
}

func ExampleScriptError() {
	s := &ipxe.Script{Kernel: "http://192.0.2.1/vmlinuz", Cmdline: "hostname=${hostname}"}
	_, err := s.WriteTo(io.Discard)
	if refused, ok := errors.AsType[*ipxe.ScriptError](err); ok {
		fmt.Println(refused.Field)
	}
	fmt.Println(err)
	// Output:
	// Cmdline
	// ipxe: Cmdline "hostname=${hostname}": iPXE would expand ${, and knows no escape
}

func ExampleNewTable() {
	table, err := ipxe.NewTable(os.DirFS("testdata"),
		ipxe.Entry{Arch: "x86_64", Spec: &ipxe.Spec{Kernel: "installer"}},
		ipxe.Entry{MAC: "52:54:00:12:34:56", Spec: &ipxe.Spec{Kernel: "rescue"}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	for _, m := range []ipxe.Machine{
		{MAC: net.HardwareAddr{0x52, 0x54, 0, 0x12, 0x34, 0x56}, Arch: "x86_64"},
		{MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Arch: "x86_64"},
		{MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Arch: "arm64"},
	} {
		spec, err := table.BootSpec(ctx, &m)
		if spec == nil {
			fmt.Println("not ours", err)
			continue
		}
		fmt.Println(spec.Kernel)
	}
	// Output:
	// rescue
	// installer
	// not ours <nil>
}

func ExampleNewOnce() {
	once := ipxe.NewOnce(ipxe.Static(&ipxe.Spec{Kernel: "installer"}, os.DirFS("testdata")), nil, ipxe.LocalExit)
	ctx := context.Background()
	m := &ipxe.Machine{MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}}
	show := func() {
		spec, err := once.BootSpec(ctx, m)
		fmt.Printf("%q %q %v\n", spec.Kernel, spec.Local, err)
	}
	show()
	_ = once.Booting(ctx, m) // The handler does this.
	show()
	_ = once.Rearm(ctx, m.MAC)
	show()
	// Output:
	// "installer" "" <nil>
	// "" "exit" <nil>
	// "installer" "" <nil>
}

func ExampleNewAPI() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Println(r.URL.Path)
		io.WriteString(w, `{"kernel": "vmlinuz", "cmdline": {"quiet": true, "config": {"url": "/config"}}}`)
	}))
	defer server.Close()
	api, err := ipxe.NewAPI(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer api.Close()
	spec, err := api.BootSpec(context.Background(), &ipxe.Machine{MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.ReplaceAll(spec.Cmdline, server.URL, "http://boot.example"))
	// Output:
	// /v1/boot/02:00:00:00:00:01
	// config={{ ID "api:http://boot.example/config" }} quiet
}

func ExampleOpenFile() {
	f, err := ipxe.OpenFile(os.DirFS("testdata"), "exit.ipxe")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.(io.Closer).Close()
	fmt.Println(f.Size(), "bytes")
	// Output: 43 bytes
}

func ExampleScriptURL() {
	fmt.Println(ipxe.ScriptURL("http://192.0.2.1:8090", &ipxe.Machine{
		MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, Arch: "x86_64", Product: "Standard PC",
	}))
	// Output: http://192.0.2.1:8090/_/ipxe?mac=02:00:00:00:00:01&arch=x86_64&product=Standard+PC
}

func ExampleAutoexec() {
	first, _, _ := strings.Cut(string(ipxe.Autoexec("http://192.0.2.1:8090")), "\n")
	fmt.Println(first)
	// Output: #!ipxe
}
