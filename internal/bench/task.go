//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// A task is something that programs do on this computer, each in a new folder.
// Its scores are of the same program, round by round.
type task struct {
	seconds sample
	memory  sample // the most that was resident, in MiB
	disk    sample // the most that was on disk, in units of the output
	size    sample // of the output, in MiB
}

// A starter makes a command that ends with its context.
type starter func(ctx context.Context, name string, args ...string) *exec.Cmd

// measure does the task once: it has start run the steps in a new folder, the
// last of which makes the file or folder output there, and notes what all took.
func (t *task) measure(ctx context.Context, l *lab, start starter, steps func(dir string) [][]string, output string) error {
	dir, err := os.MkdirTemp(l.dir, "task")
	if err != nil {
		return err
	}
	syscall.Sync() // What others wrote is not ours to wait for.
	most := watchDisk(dir)
	begin := time.Now()
	peak, err := l.follow(ctx, dir, start, steps(dir))
	seconds := time.Since(begin).Seconds()
	disk, size := most(), onDisk(filepath.Join(dir, output))
	if err != nil {
		return err
	}
	t.seconds = append(t.seconds, seconds)
	t.memory = append(t.memory, peak)
	t.size = append(t.size, float64(size)/(1<<20))
	t.disk = append(t.disk, float64(disk)/float64(max(size, 1)))
	l.say("    %.2f s, %.1f MiB resident at most, %.1f MiB made", seconds, peak, float64(size)/(1<<20))
	return tidy(dir)
}

// follow runs the steps one after another and returns the most memory that one
// had, in MiB.
func (l *lab) follow(ctx context.Context, dir string, start starter, steps [][]string) (peak float64, err error) {
	memory := newResident(l.dir)
	for _, step := range steps {
		line := memory.command(step)
		cmd := start(ctx, line[0], line[1:]...)
		cmd.Env = append(os.Environ(), "TMPDIR="+dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%s: %w: %s", step[0], err, bytes.TrimSpace(out))
		}
		used, err := memory.mebibytes()
		if err != nil {
			return 0, err
		}
		peak = max(peak, used)
	}
	return peak, nil
}

// tidy removes what a task made, unless that is many files: ext4 takes no inode
// that became free in the last minutes, and looks at all of them for each new
// file. With 17 000 a task took ten times as long as without. They go with the
// lab.
func tidy(dir string) error {
	const few = 100
	files := 0
	err := filepath.WalkDir(dir, func(string, fs.DirEntry, error) error {
		if files++; files > few {
			return fs.SkipAll
		}
		return nil
	})
	if err != nil || files > few {
		return err
	}
	return os.RemoveAll(dir)
}

// watchDisk watches what is in dir and returns a function that ends that and
// returns the most that it was.
func watchDisk(dir string) func() int64 {
	stop, done := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		for {
			start := time.Now()
			most = max(most, onDisk(dir))
			pause := max(100*time.Millisecond, 50*time.Since(start)) // To look is work, too.
			select {
			case <-stop:
				done <- max(most, onDisk(dir))
				return
			case <-time.After(pause):
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-done
	}
}

// onDisk returns how many bytes a file, or all files of a folder, take.
func onDisk(name string) int64 {
	var sum int64
	_ = filepath.WalkDir(name, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // It went away while it was looked for.
		}
		if info, err := d.Info(); err == nil && info.Mode().IsRegular() {
			sum += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		return nil
	})
	return sum
}
