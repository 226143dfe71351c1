package vmtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// debianMirror has the packages of systems; mmdebstrap checks signatures.
const debianMirror = "http://deb.debian.org/debian"

// A recipe makes the root file system of a system, as a tar.
type recipe struct {
	name    string
	script  []byte   // prints the tar
	args    []string // of the script
	program []byte   // that the script puts into it, or nil
}

// makeRoot returns the file that a recipe makes, which is kept. The recipe may
// have files in a folder of its own.
func makeRoot(ctx context.Context, prepare func(temp string) (*recipe, error)) (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	temp, err := tempDir()
	if err != nil {
		return "", err
	}
	r, err := prepare(temp)
	if err != nil {
		return "", errors.Join(err, os.RemoveAll(temp))
	}
	file, err := r.cached(ctx, dir, temp)
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

// cached returns the recipe's file in the folder dir, which it may have to make
// by way of the folder temp.
func (r *recipe) cached(ctx context.Context, dir, temp string) (string, error) {
	h := sha256.New()
	for _, part := range [][]byte{r.script, []byte(debianMirror), r.program} {
		fmt.Fprintf(h, "%d ", len(part))
		h.Write(part)
	}
	file := filepath.Join(dir, r.name+"-"+hex.EncodeToString(h.Sum(nil))[:16]+".tar")
	lock, err := awaitLock(ctx, filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close() //nolint:errcheck // Nothing was written.
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := r.removeOld(dir); err != nil {
		return "", err
	}
	return file, r.make(ctx, file, temp)
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

// removeOld removes what earlier recipes of the name made more than a day ago.
func (r *recipe) removeOld(dir string) error {
	const age = 24 * time.Hour
	files, err := filepath.Glob(filepath.Join(dir, r.name+"-*"))
	if err != nil {
		return fmt.Errorf("vmtest: %s root: %w", r.name, err)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err == nil && time.Since(info.ModTime()) > age {
			err = os.Remove(file)
		}
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("vmtest: %s root: %w", r.name, err)
		}
	}
	return nil
}

// make makes the file. It appears when it is complete.
func (r *recipe) make(ctx context.Context, file, temp string) error {
	script := filepath.Join(temp, r.name+".sh")
	if err := os.WriteFile(script, r.script, 0o600); err != nil {
		return fmt.Errorf("vmtest: %s root: %w", r.name, err)
	}
	out, err := os.CreateTemp(filepath.Dir(file), r.name+"-*.part")
	if err != nil {
		return fmt.Errorf("vmtest: %s root: %w", r.name, err)
	}
	defer os.Remove(out.Name()) //nolint:errcheck // It is gone if all went well.
	log := newTranscript(nil)
	cmd := exec.CommandContext(ctx, "sh", append([]string{script}, r.args...)...) //nolint:gosec // A script of ours.
	cmd.Stdout, cmd.Stderr = out, log
	dieWithParent(cmd)
	if err := errors.Join(cmd.Run(), out.Close()); err != nil {
		return fmt.Errorf("vmtest: %s root: %w:\n%s", r.name, err, log.Tail())
	}
	if err := os.Rename(out.Name(), file); err != nil {
		return fmt.Errorf("vmtest: %s root: %w", r.name, err)
	}
	return nil
}
