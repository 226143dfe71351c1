package tftpd_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/netsim"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/tftpd"
)

// A fetcher is a TFTP client of the field and how to have it fetch a file.
type fetcher struct {
	program string
	args    func(host, port, name, dst string) []string
	noEmpty bool // It takes an OACK with tsize 0, an empty file, for malformed.
	fragile bool // It gives up when an OACK reaches it twice, as after loss.
}

func fetchers() map[string]fetcher {
	return map[string]fetcher{
		"tftp-hpa": {"tftp", func(host, port, name, dst string) []string {
			return []string{"-m", "binary", host, port, "-c", "get", name, dst}
		}, false, false},
		"atftp": {"atftp", func(host, port, name, dst string) []string {
			return []string{"--get", "-r", name, "-l", dst, host, port}
		}, false, false},
		"atftp with options": {"atftp", func(host, port, name, dst string) []string {
			return []string{"--option", "blksize 1468", "--option", "tsize 0", "--option", "timeout 1", "--get", "-r", name, "-l", dst, host, port}
		}, false, true},
		"atftp with windows": {"atftp", func(host, port, name, dst string) []string {
			return []string{"--option", "blksize 1468", "--option", "windowsize 8", "--option", "timeout 1", "--get", "-r", name, "-l", dst, host, port}
		}, false, true},
		"curl": {"curl", func(host, port, name, dst string) []string {
			return []string{"-sS", "-o", dst, "tftp://" + host + ":" + port + "/" + name}
		}, true, false},
		"curl with blocks": {"curl", func(host, port, name, dst string) []string {
			return []string{"-sS", "--tftp-blksize", "1468", "-o", dst, "tftp://" + host + ":" + port + "/" + name}
		}, true, false},
		"curl with tiny blocks": {"curl", func(host, port, name, dst string) []string {
			return []string{"-sS", "--tftp-blksize", "16", "-o", dst, "tftp://" + host + ":" + port + "/" + name}
		}, true, false},
		"curl without options": {"curl", func(host, port, name, dst string) []string {
			return []string{"-sS", "--tftp-no-options", "-o", dst, "tftp://" + host + ":" + port + "/" + name}
		}, false, false},
		"busybox": {"busybox", func(host, port, name, dst string) []string {
			return []string{"tftp", "-g", "-r", name, "-l", dst, host, port}
		}, false, false},
		"busybox with blocks": {"busybox", func(host, port, name, dst string) []string {
			return []string{"tftp", "-g", "-b", "1468", "-r", name, "-l", dst, host, port}
		}, false, false},
	}
}

func TestServerServeClientsOfTheField(t *testing.T) {
	t.Parallel()

	sizes := []int{0, 1, 511, 512, 513, 1467, 1468, 1469, 1468 * 100, 1 << 20}
	srv := start(t, patterns(sizes...))
	for name, f := range fetchers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			program := oracle.Need(t, f.program)
			for _, size := range sizes {
				f.fetch(t, program, srv.port, size)
			}
		})
	}
}

// TestServerServeClientsOfTheFieldAfterRollover: more than 65535 blocks.
func TestServerServeClientsOfTheFieldAfterRollover(t *testing.T) {
	t.Parallel()

	const size = 65536*16 + 5
	const large = 65536*512 + 5
	srv := start(t, patterns(size, large))
	for name, size := range map[string]int{"curl with tiny blocks": size, "curl without options": large, "tftp-hpa": large, "busybox": large} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			f := fetchers()[name]
			f.fetch(t, oracle.Need(t, f.program), srv.port, size)
		})
	}
}

func TestServerServeClientsOfTheFieldOverPathWithLoss(t *testing.T) {
	t.Parallel()

	sizes := []int{0, 512, 1468 * 40}
	srv := start(t, patterns(sizes...))
	for name, f := range fetchers() {
		if name == "curl with tiny blocks" {
			continue // Each of 3 700 exchanges that fails costs 0.1 s.
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			program := oracle.Need(t, f.program)
			r, err := netsim.Listen(srv.port, netsim.Path{Loss: 0.02, Reorder: 0.02, Seed: 3})
			require.NoError(t, err)
			t.Cleanup(func() { _ = r.Close() })
			for _, size := range sizes {
				f.fetch(t, program, r.Addr(), size)
			}
			t.Logf("%+v", r.Counts())
		})
	}
}

// fetch has the program fetch the file of patterns with that size.
func (f fetcher) fetch(t *testing.T, program string, from netip.AddrPort, size int) {
	t.Helper()
	if size == 0 && f.noEmpty {
		return
	}
	dst := filepath.Join(t.TempDir(), strconv.Itoa(size))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	args := f.args(from.Addr().String(), strconv.Itoa(int(from.Port())), fmt.Sprint(size), dst)
	out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
	for tries := 1; err != nil && f.fragile && tries < 4; tries++ {
		out, err = exec.CommandContext(ctx, program, args...).CombinedOutput()
	}
	require.NoError(t, err, "%s %q: %s", program, args, out)
	got, err := os.ReadFile(dst)
	if size == 0 && os.IsNotExist(err) {
		return // curl makes no file for nothing.
	}
	require.NoError(t, err, "%s", out)
	require.True(t, bytes.Equal(pattern(size), got), "%s %q: %d bytes, want %d: %s", program, args, len(got), size, out)
}

// TestServerServeRefusesClientsOfTheField: they understand why.
func TestServerServeRefusesClientsOfTheField(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(5), tftpd.WithTimeout(time.Second))
	curl := oracle.Need(t, "curl")
	for name, want := range map[string]int{"none": 68} { // CURLE_TFTP_NOTFOUND
		cmd := exec.CommandContext(t.Context(), curl, "-sS", "tftp://"+srv.addr+"/"+name)
		out, err := cmd.CombinedOutput()
		require.Error(t, err)
		require.Equal(t, want, cmd.ProcessState.ExitCode(), "%s", out)
	}
	upload := exec.CommandContext(t.Context(), curl, "-sS", "-T", "client_oracle_test.go", "tftp://"+srv.addr+"/new")
	out, err := upload.CombinedOutput()
	require.Error(t, err)
	require.Equal(t, 69, upload.ProcessState.ExitCode(), "%s", out) // CURLE_TFTP_PERM
}
