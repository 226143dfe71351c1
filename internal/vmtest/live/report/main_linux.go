package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netbootkit/netbootkit/internal/vmtest/live"
	"github.com/netbootkit/netbootkit/internal/vmtest/manifest"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "report: this is the first program of a live system")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Printf("LIVE-FAILED %v\n", err)
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

func run() error {
	console, err := os.OpenFile("/dev/ttyS0", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	os.Stdout = console
	// What the kernel prints would stand in the middle of the report.
	if _, err := unix.Klogctl(unix.SYSLOG_ACTION_CONSOLE_OFF, nil); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	r, err := report()
	if err != nil {
		return err
	}
	fmt.Println() // The kernel may have left a line begun.
	return r.Print(os.Stdout)
}

func report() (*live.Report, error) {
	var r live.Report
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return nil, err
	}
	r.Cmdline = strings.TrimSuffix(string(cmdline), "\n")
	if r.UEFI, r.SecureBoot, err = firmware(); err != nil {
		return nil, err
	}
	if r.Mounts, err = mounts(); err != nil {
		return nil, err
	}
	if r.Etc, err = list("/etc", live.MaxEtc); err != nil {
		return nil, err
	}
	if r.Media, err = list(live.Medium, live.MaxMedia); err != nil {
		return nil, err
	}
	if r.Config, err = os.ReadFile(filepath.Join(live.Medium, "config.yaml")); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return &r, nil
}

// list lists a folder, with the sums of small files.
func list(dir string, maxSize int64) (manifest.Manifest, error) {
	return manifest.DirFunc(dir, func(_ string, info fs.FileInfo) bool { return info.Size() <= maxSize })
}

// firmware says whether the firmware is UEFI, and its Secure Boot on.
func firmware() (uefi, secure bool, err error) {
	if _, err := os.Stat("/sys/firmware/efi"); os.IsNotExist(err) {
		return false, false, nil
	}
	const vars = "/sys/firmware/efi/efivars"
	if err := unix.Mount("efivarfs", vars, "efivarfs", unix.MS_RDONLY, ""); err != nil {
		if err := loadModule("efivarfs"); err != nil {
			return true, false, err
		}
		if err := unix.Mount("efivarfs", vars, "efivarfs", unix.MS_RDONLY, ""); err != nil {
			return true, false, fmt.Errorf("mount efivarfs: %w", err)
		}
	}
	// Four bytes of attributes, then the value (UEFI 2.10 §3.3).
	data, err := os.ReadFile(vars + "/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c")
	if os.IsNotExist(err) {
		return true, false, nil
	}
	return true, len(data) == 5 && data[4] == 1, err
}

// loadModule loads a module of the kernel that needs no other.
func loadModule(name string) error {
	var release unix.Utsname
	if err := unix.Uname(&release); err != nil {
		return err
	}
	file := fmt.Sprintf("/lib/modules/%s/kernel/fs/%s/%s.ko", unix.ByteSliceToString(release.Release[:]), name, name)
	data, err := os.ReadFile(file) //nolint:gosec // A module of the kernel.
	if err != nil {
		return err
	}
	if err := unix.InitModule(data, ""); err != nil {
		return fmt.Errorf("module %s: %w", name, err)
	}
	return nil
}

func mounts() ([]live.Mount, error) {
	data, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var list []live.Mount
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 4 {
			return nil, fmt.Errorf("/proc/self/mounts: %q", line)
		}
		list = append(list, live.Mount{Source: f[0], Target: f[1], Type: f[2], Options: f[3]})
	}
	return list, nil
}
