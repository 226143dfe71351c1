package ipxe_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/ipxe"
)

const benchSize = 1 << 30

// share is how much of the file each client fetches: all, or a part when
// there are many, so that a run takes seconds.
func share(clients int) int64 { return min(benchSize, 4<<30/int64(clients)) }

// BenchmarkDownload sends a file of 1 GiB to one client, and parts of it to a
// hundred at once, by turns from a handler and from nginx with sendfile, each in a
// process of its own. It reports both rates, their ratio, and the memory of
// the handler's process.
//
//	go test ./ipxe -run ^$ -bench Download -benchtime 3x
func BenchmarkDownload(b *testing.B) {
	if dir := os.Getenv("NETBOOTKIT_TEST_SERVE"); dir != "" {
		serveForever(b, dir)
		return
	}
	nginx := oracle.Need(b, "nginx")
	dir := b.TempDir()
	require.NoError(b, os.Chmod(dir, 0o755))
	require.NoError(b, os.WriteFile(filepath.Join(dir, "large"), make([]byte, benchSize), 0o644))
	ours, pid := startOurs(b, dir)
	theirs := startNginx(b, nginx, dir)
	for _, clients := range []int{1, 100} {
		b.Run(fmt.Sprintf("clients=%d", clients), func(b *testing.B) {
			var took [2]time.Duration
			for range b.N {
				for i, url := range []string{ours, theirs} {
					took[i] += download(b, url, clients)
				}
			}
			total := float64(clients) * float64(share(clients)) * float64(b.N) / 1e6
			b.ReportMetric(total/took[0].Seconds(), "MB/s")
			b.ReportMetric(total/took[1].Seconds(), "nginx-MB/s")
			b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "ratio")
			b.ReportMetric(peakMemory(b, pid), "MiB-peak")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// download fetches url with that many clients at once.
func download(b *testing.B, url string, clients int) time.Duration {
	b.Helper()
	host, path, _ := strings.Cut(strings.TrimPrefix(url, "http://"), "/")
	start := time.Now()
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			conn, err := net.Dial("tcp", host)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			size := share(clients)
			fmt.Fprintf(conn, "GET /%s HTTP/1.1\r\nHost: bench\r\nRange: bytes=0-%d\r\nConnection: close\r\n\r\n", path, size-1)
			buf := make([]byte, 256<<10)
			n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{conn}, buf)
			if err != nil || n < size {
				b.Errorf("%d bytes, %v", n, err)
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// startOurs runs this benchmark in another process as a server, and returns
// the address of the file and the process.
func startOurs(b *testing.B, dir string) (string, int) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^$", "-test.bench", "^BenchmarkDownload$", "-test.benchtime", "1x")
	cmd.Env = append(os.Environ(), "NETBOOTKIT_TEST_SERVE="+dir)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() { cancel(); _ = cmd.Wait() })
	var link []byte
	require.Eventually(b, func() bool {
		link, _ = os.ReadFile(filepath.Join(dir, "link"))
		return len(link) > 0
	}, 10*time.Second, 10*time.Millisecond)
	return string(link), cmd.Process.Pid
}

// serveForever serves dir until the process is killed. It leaves the address
// of the file in dir.
func serveForever(b *testing.B, dir string) {
	b.Helper()
	h, err := ipxe.NewHandler(ipxe.Static(&ipxe.Spec{Kernel: "large"}, os.DirFS(dir)))
	require.NoError(b, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	go func() {
		resp, err := http.Get(ipxe.ScriptURL("http://"+ln.Addr().String(), &ipxe.Machine{MAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}}))
		if err != nil {
			return
		}
		defer resp.Body.Close()
		script, _ := io.ReadAll(resp.Body)
		_, link, _ := strings.Cut(string(script), "--timeout 10000 ")
		link, _, _ = strings.Cut(link, " ")
		_ = os.WriteFile(filepath.Join(dir, "link.new"), []byte(link), 0o600)
		_ = os.Rename(filepath.Join(dir, "link.new"), filepath.Join(dir, "link"))
	}()
	require.NoError(b, h.Serve(context.Background(), ln))
}

// startNginx serves dir and returns the address of the file.
func startNginx(b *testing.B, nginx, dir string) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	addr := ln.Addr().String()
	require.NoError(b, ln.Close())
	conf := filepath.Join(dir, "nginx.conf")
	require.NoError(b, os.WriteFile(conf, []byte(`daemon off; worker_processes 2; user root; pid `+dir+`/pid; error_log stderr;
events { worker_connections 1024; }
http { sendfile on; tcp_nopush on; access_log off; server { listen `+addr+`; root `+dir+`; } }
`), 0o600))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, nginx, "-c", conf, "-p", dir, "-e", "stderr")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // Its workers must end, too.
	require.NoError(b, cmd.Start())
	b.Cleanup(func() { cancel(); _ = cmd.Wait() })
	require.Eventually(b, func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err == nil
	}, 10*time.Second, 10*time.Millisecond)
	return "http://" + addr + "/large"
}

// peakMemory returns the largest resident size of a process, in MiB.
func peakMemory(b *testing.B, pid int) float64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(b, err)
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	require.NoError(b, err)
	return kib / 1024
}
