package main

import (
	"os/exec"
	"syscall"
	"testing"
)

// peakMemory returns the most memory that the program had resident, in MiB:
// what this process had when it started it counts as well.
func peakMemory(t *testing.T, cmd *exec.Cmd) float64 {
	t.Helper()
	return float64(cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
}
