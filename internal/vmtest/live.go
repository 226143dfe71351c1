package vmtest

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/netbootkit/netbootkit/internal/vmtest/live"
)

//go:embed live.sh
var liveScript []byte

// debianMirror has the packages of live systems; mmdebstrap checks signatures.
const debianMirror = "http://deb.debian.org/debian"

// LiveInit is the word of a live system's command line that has it report and
// switch the machine off. Without it, it shows a login prompt.
const LiveInit = live.Init

// LiveQuick are words of a live system's command line that save time where
// there is no KVM.
const LiveQuick = "cryptomgr.notests mitigations=off no_timer_check"

// LiveRoot returns a tar of the root file system of a Debian that runs from an
// image: it has a kernel, an initrd made by dracut with its module
// dmsquash-live, and the boot loaders of this computer, as a Kairos image has
// them: shim and GRUB as signed by Debian, and GRUB for BIOS.
//
// Making it takes about a minute, root and mmdebstrap, and is done once: it is
// kept among the user's caches, and made anew when the recipe changes.
func LiveRoot(ctx context.Context) (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	temp, err := tempDir()
	if err != nil {
		return "", err
	}
	file, err := liveRootIn(ctx, dir, temp)
	return file, errors.Join(err, os.RemoveAll(temp))
}

// cacheDir returns a folder for what takes long to make or to fetch.
func cacheDir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("vmtest: %w", err)
	}
	dir = filepath.Join(dir, "netbootkit-vmtest")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("vmtest: %w", err)
	}
	return dir, nil
}

// liveRootIn returns the file for the recipe in the folder dir, which it may
// have to make by way of the folder temp.
func liveRootIn(ctx context.Context, dir, temp string) (string, error) {
	program, err := buildProgram(ctx, temp, "internal/vmtest/live/report", "amd64")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, part := range [][]byte{liveScript, []byte(debianMirror), program} {
		fmt.Fprintf(h, "%d ", len(part))
		h.Write(part)
	}
	file := filepath.Join(dir, "live-"+hex.EncodeToString(h.Sum(nil))[:16]+".tar")
	lock, err := awaitLock(ctx, filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close() //nolint:errcheck // Nothing was written.
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := removeOld(dir); err != nil {
		return "", err
	}
	return file, makeLiveRoot(ctx, file, temp)
}

// awaitLock waits until no other process has the file locked. Closing it
// unlocks it.
func awaitLock(ctx context.Context, name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // A name of ours.
	if err != nil {
		return nil, fmt.Errorf("vmtest: %w", err)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !tryLock(f) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = f.Close()
			return nil, fmt.Errorf("vmtest: waiting for another process that fills the cache: %w", context.Cause(ctx))
		}
	}
	return f, nil
}

// removeOld removes what other recipes made more than a day ago.
func removeOld(dir string) error {
	const age = 24 * time.Hour
	files, err := filepath.Glob(filepath.Join(dir, "live-*"))
	if err != nil {
		return fmt.Errorf("vmtest: live root: %w", err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err == nil && time.Since(info.ModTime()) > age {
			err = os.Remove(file)
		}
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("vmtest: live root: %w", err)
		}
	}
	return nil
}

// makeLiveRoot makes the file. It appears when it is complete.
func makeLiveRoot(ctx context.Context, file, temp string) error {
	script := filepath.Join(temp, "live.sh")
	if err := os.WriteFile(script, liveScript, 0o600); err != nil {
		return fmt.Errorf("vmtest: live root: %w", err)
	}
	out, err := os.CreateTemp(filepath.Dir(file), "live-*.part")
	if err != nil {
		return fmt.Errorf("vmtest: live root: %w", err)
	}
	defer os.Remove(out.Name()) //nolint:errcheck // It is gone if all went well.
	log := newTranscript(nil)
	cmd := exec.CommandContext(ctx, "sh", script, filepath.Join(temp, "program"), debianMirror) //nolint:gosec // A script of ours.
	cmd.Stdout, cmd.Stderr = out, log
	dieWithParent(cmd)
	if err := errors.Join(cmd.Run(), out.Close()); err != nil {
		return fmt.Errorf("vmtest: live root: %w:\n%s", err, log.Tail())
	}
	if err := os.Rename(out.Name(), file); err != nil {
		return fmt.Errorf("vmtest: live root: %w", err)
	}
	return nil
}

// Live waits until the live system has reported and returns what it says.
func (m *Machine) Live(ctx context.Context) (*live.Report, error) {
	if err := m.Console.Await(ctx, live.Done); err != nil {
		return nil, err
	}
	return live.Read(m.Console.String())
}
