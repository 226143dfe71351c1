//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// describeMachine says when, on what, and with which versions it was measured,
// in one paragraph.
func describeMachine(ctx context.Context, now time.Time) (string, error) {
	var info unix.Sysinfo_t
	if err := unix.Sysinfo(&info); err != nil {
		return "", err
	}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", err
	}
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "", err
	}
	model := "unknown processor"
	if m := regexp.MustCompile(`(?m)^model name\s*:\s*(.+)$`).FindSubmatch(cpu); m != nil {
		model = string(m[1])
	}
	memory := float64(info.Totalram) * float64(info.Unit) / (1 << 30)
	return fmt.Sprintf("Measured on %s: %d cores (%s), %.0f GiB of memory, Linux %s, %s; %s.",
		now.Format("2006-01-02"), runtime.NumCPU(), model, memory, unix.ByteSliceToString(name.Release[:]),
		runtime.Version(), strings.Join(versions(ctx), ", ")), nil
}

// versions returns the names and versions of the peers that are installed.
func versions(ctx context.Context) []string {
	var found []string
	for _, tool := range []struct {
		name, flag, pattern string
	}{
		{"dnsmasq", "--version", `version (\S+)`},
		{"atftpd", "--version", `atftp-(\S+)`},
		{"nginx", "-v", `nginx/(\S+)`},
		{"qemu-system-x86_64", "--version", `version (\S+)`},
	} {
		out, err := exec.CommandContext(ctx, tool.name, tool.flag).CombinedOutput()
		if m := regexp.MustCompile(tool.pattern).FindSubmatch(out); err == nil && m != nil {
			name, _, _ := strings.Cut(tool.name, "-")
			found = append(found, name+" "+string(bytes.TrimSpace(m[1])))
		}
	}
	return found
}
