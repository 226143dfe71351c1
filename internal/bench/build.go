//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// rootPackages are what the root file system has beside Debian's important
// packages: about 490 MB in 17 000 files, as a server has them.
const rootPackages = "linux-image-cloud-amd64,systemd-sysv,python3,perl,git,openssh-server,locales"

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
	return r.task.measure(ctx, l, exec.CommandContext, r.steps, r.output)
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
