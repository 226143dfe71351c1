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

// rootPackages are what the root file system has beside Debian's important
// packages: about 490 MB in 17 000 files, as a server has them.
const rootPackages = "linux-image-cloud-amd64,systemd-sysv,python3,perl,git,openssh-server,locales"

// settle is how long the disk has to itself between tasks: one that was written
// to, or told what is free, is slow for a while.
const settle = 3 * time.Second

// A task is something that programs do on this computer, each in a new folder.
// Its scores are of the same program, round by round.
type task struct {
	seconds sample
	memory  sample // the most that was resident, in MiB
	disk    sample // the most that was on disk, in units of the output
	size    sample // of the output, in MiB
}

// A rival does a task: by commands, the last of which makes the file or folder
// output in dir.
type rival struct {
	name   string
	task   *task
	steps  func(dir string) [][]string
	output string
}

// race has the rivals do the task in turn.
func (l *lab) race(ctx context.Context, rivals ...rival) error {
	for round := range l.rounds {
		for i := range rivals {
			r := rivals[i]
			if round%2 == 1 {
				r = rivals[len(rivals)-1-i]
			}
			l.say("  round %d of %d: %s", round+1, l.rounds, r.name)
			if err := l.do(ctx, r); err != nil {
				return fmt.Errorf("%s: %w", r.name, err)
			}
		}
	}
	return nil
}

// do has one rival do its task once.
func (l *lab) do(ctx context.Context, r rival) error {
	dir, err := os.MkdirTemp(l.dir, "build")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // The lab's folder goes as a whole.
	syscall.Sync()          // What others wrote is not ours to wait for.
	time.Sleep(settle)      // Nor is what the disk still does with it.
	most := watchDisk(dir)
	memory, peak := newResident(l.dir), 0.0
	start := time.Now()
	for _, step := range r.steps(dir) {
		line := memory.command(step)
		cmd := exec.CommandContext(ctx, line[0], line[1:]...)
		cmd.Env = append(os.Environ(), "TMPDIR="+dir)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", step[0], err, bytes.TrimSpace(out))
		}
		used, err := memory.mebibytes()
		if err != nil {
			return err
		}
		peak = max(peak, used)
	}
	seconds := time.Since(start).Seconds()
	disk, size := most(), onDisk(filepath.Join(dir, r.output))
	r.task.seconds = append(r.task.seconds, seconds)
	r.task.memory = append(r.task.memory, peak)
	r.task.size = append(r.task.size, float64(size)/(1<<20))
	r.task.disk = append(r.task.disk, float64(disk)/float64(max(size, 1)))
	l.say("    %.2f s, %.1f MiB resident at most, %.1f MiB made", seconds, peak, float64(size)/(1<<20))
	return nil
}

// watchDisk watches what is in dir and returns a function that ends that and
// returns the most that it was.
func watchDisk(dir string) func() int64 {
	stop, done := make(chan struct{}), make(chan int64)
	go func() {
		var most int64
		for {
			most = max(most, onDisk(dir))
			select {
			case <-stop:
				done <- max(most, onDisk(dir))
				return
			case <-time.After(100 * time.Millisecond):
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

// buildRoot makes the root file system that images are built from, once.
func (l *lab) buildRoot(ctx context.Context) (string, error) {
	root := filepath.Join(l.dir, "root")
	if _, err := os.Stat(root); err == nil {
		return root, nil
	}
	l.say("  making a root file system")
	args := []string{"--variant=important", "--include=" + rootPackages, "bookworm", root}
	if l.mebibytes < smallRoot {
		args = []string{"--variant=extract", "--include=linux-image-cloud-amd64,bash,dash", "bookworm", root}
	}
	out, err := exec.CommandContext(ctx, "mmdebstrap", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("mmdebstrap: %w: %s", err, out)
	}
	if l.mebibytes < smallRoot { // No package was configured: no initramfs was made.
		err = os.WriteFile(filepath.Join(root, "boot", "initrd.img"), []byte("initrd"), 0o600)
	}
	return root, err
}

// smallRoot is the -mib below which the root file system is a small one.
const smallRoot = 100
