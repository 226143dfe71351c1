package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netbootkit/netbootkit/internal/vmtest/installed"
)

func main() {
	if filepath.Base(os.Args[0]) == "kairos-agent" {
		if err := agent(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "kairos-agent:", err)
			os.Exit(1)
		}
		return
	}
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "report: this is the first program of a system on a disk")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Printf("INSTALLED-FAILED %v\n", err)
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}

// run reports. When it returns, the root file system is as clean as after any
// system was shut down.
func run() error {
	console, err := os.OpenFile("/dev/ttyS0", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	os.Stdout, os.Stderr = console, console
	// What the kernel prints would stand in the middle of the report.
	if _, err := unix.Klogctl(unix.SYSLOG_ACTION_CONSOLE_OFF, nil); err != nil {
		return fmt.Errorf("console: %w", err)
	}
	if err := os.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"); err != nil {
		return err
	}
	r, err := report()
	if err != nil {
		return err
	}
	fmt.Println() // The kernel may have left a line begun.
	return r.Print(os.Stdout)
}

func report() (*installed.Report, error) {
	var r installed.Report
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return nil, err
	}
	r.Cmdline = strings.TrimSuffix(string(cmdline), "\n")
	_, err = os.Stat("/sys/firmware/efi")
	r.UEFI = err == nil
	r.Seed, err = os.ReadFile("/var/lib/cloud/seed/nocloud/user-data")
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	words := strings.Fields(r.Cmdline)
	if slices.Contains(words, installed.Recover) {
		if r.Recover, err = recovery(); err != nil {
			return nil, err
		}
	}
	if slices.Contains(words, installed.Fill) {
		if r.Filled, err = fillRoot(); err != nil {
			return nil, err
		}
	}
	mounts, err := os.ReadFile("/proc/self/mounts")
	r.Mounts = string(mounts)
	return &r, err
}
