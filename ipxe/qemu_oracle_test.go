package ipxe_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/ipxe"
)

// boots runs the iPXE in QEMU's network card against h, without any network
// but QEMU's own, until the console says done, and returns the console.
func boots(t *testing.T, b ipxe.Booter, wrap func(http.Handler) http.Handler, done string) string {
	t.Helper()
	qemu := oracle.Need(t, "qemu-system-x86_64")
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(ln.Addr().String())
	require.NoError(t, err)
	base := "http://10.0.2.2:" + port // QEMU's name for the host.
	h, err := ipxe.NewHandler(b, ipxe.WithBaseURL(base))
	require.NoError(t, err)
	srv := &http.Server{Handler: wrap(h), ReadHeaderTimeout: time.Minute}
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Close() })

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, qemu, "-accel", "tcg", "-m", "512", "-nographic", "-no-reboot", "-boot", "order=nc",
		"-drive", "format=raw,snapshot=on,file="+disk(t),
		"-nic", "user,model=virtio-net-pci,mac="+testMAC+",bootfile="+ipxe.ScriptURL(base, &ipxe.Machine{MAC: mac(t)}))
	out := &console{until: []byte(done), stop: cancel}
	cmd.Stdout, cmd.Stderr = out, out
	_ = cmd.Run() // It is killed when the console says done.
	require.Contains(t, out.String(), done)
	return out.String()
}

// console collects what a machine prints.
type console struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	until []byte
	stop  func()
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf.Write(p)
	if bytes.Contains(c.buf.Bytes(), c.until) {
		c.stop()
	}
	return len(p), nil
}

func (c *console) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.buf.String()
}

// TestScriptOnIPXE boots Debian's kernel from a menu, over a server that
// breaks off, falls silent and asks for patience.
func TestScriptOnIPXE(t *testing.T) {
	t.Parallel()

	kernels, err := filepath.Glob("/boot/vmlinuz-*")
	require.NoError(t, err)
	kernel := oracle.File(t, append(kernels, "/boot/vmlinuz")...)
	root, err := os.OpenRoot("/boot")
	require.NoError(t, err)
	defer root.Close()
	spec := ipxe.Spec{
		Kernel: filepath.Base(kernel), Initrd: []string{filepath.Base(kernel)}, // The kernel never gets to look at it.
		Cmdline: `console=ttyS0 panic=-1 odd="}$ {;&&||#" config={{ ID "config.yaml" }}`,
		Message: "-- a message", Timeout: 2 * time.Second,
	}
	table := ipxe.Static(&ipxe.Spec{Menu: &ipxe.Menu[ipxe.Spec]{
		Title: "--title", Default: "linux", Timeout: time.Second,
		Items: []ipxe.Item[ipxe.Spec]{
			{Name: "disk", Text: "--disk", Boot: ipxe.Spec{Local: ipxe.LocalSANBoot}},
			{Name: "linux", Text: "-n Linux", Boot: spec},
		},
	}}, root.FS())
	var mu sync.Mutex
	var served []string
	faults := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			kind := strings.TrimPrefix(r.URL.Path, "/_/") + r.URL.Query().Get("type")
			mu.Lock()
			served = append(served, kind)
			count := 0
			for _, s := range served {
				if s == kind {
					count++
				}
			}
			mu.Unlock()
			switch {
			case kind == "filekernel" && count <= 2:
				w.Header().Set("Content-Length", "10000000")
				io.WriteString(w, strings.Repeat("x", 1<<20))
				http.NewResponseController(w).Flush()
				if count == 2 {
					<-r.Context().Done() // Until iPXE loses patience.
				}
				panic(http.ErrAbortHandler)
			case kind == "fileinitrd" && count == 1:
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusServiceUnavailable)
			case kind == "fileinitrd" && count == 2:
				w.WriteHeader(http.StatusNotFound)
			default:
				next.ServeHTTP(w, r)
			}
		})
	}
	out := boots(t, table, faults, "Kernel command line: ")
	assert.Contains(t, out, "-- a message")
	assert.NotContains(t, out, "Usage:", "iPXE explains a command that it cannot parse")
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, []string{
		"ipxe", "filekernel", "filekernel", "filekernel", "fileinitrd", "fileinitrd", "fileinitrd", "booting",
	}, served)
}

// TestScriptOnIPXELocal checks that a machine goes on to its disk.
func TestScriptOnIPXELocal(t *testing.T) {
	t.Parallel()

	for _, local := range []ipxe.LocalBoot{ipxe.LocalExit, ipxe.LocalSANBoot, ipxe.LocalNotFound} {
		t.Run(local.String(), func(t *testing.T) {
			asked := make(chan string, 99)
			boots(t, ipxe.Static(&ipxe.Spec{Local: local}, os.DirFS("/")), func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					asked <- r.URL.Path
					next.ServeHTTP(w, r)
				})
			}, diskText)
			assert.Len(t, asked, 1)
		})
	}
}

const diskText = "started from disk"

// disk returns the name of a disk whose boot sector prints diskText.
func disk(t *testing.T) string {
	t.Helper()
	sector := make([]byte, 1<<20)
	copy(sector, []byte{
		0x31, 0xc0, // xor ax, ax
		0x8e, 0xd8, // mov ds, ax
		0xbe, 0x20, 0x7c, // mov si, 0x7c20
		0xac,       // next: lodsb
		0x3c, 0x00, // cmp al, 0
		0x74, 0x06, // je done
		0xb4, 0x0e, // mov ah, 0x0e
		0xcd, 0x10, // int 0x10
		0xeb, 0xf5, // jmp next
		0xf4,       // done: hlt
		0xeb, 0xfd, // jmp done
	})
	copy(sector[0x20:], diskText)
	copy(sector[510:], []byte{0x55, 0xaa})
	name := filepath.Join(t.TempDir(), "disk.img")
	require.NoError(t, os.WriteFile(name, sector, 0o600))
	return name
}
