package vmtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// namePrefix begins the name of every namespace made here. The number of the
// process that made it follows, then a random word, then the name of the host.
const namePrefix = "netbootkit-"

// tempDir makes a folder that removeLeftovers takes away should this process
// not do so itself.
func tempDir() (string, error) {
	dir, err := os.MkdirTemp("", fmt.Sprintf("%s%d-*", namePrefix, os.Getpid()))
	if err != nil {
		return "", fmt.Errorf("vmtest: %w", err)
	}
	return dir, nil
}

// ip runs iproute2's ip with the words of a line.
func ip(ctx context.Context, format string, args ...any) (string, error) {
	line := fmt.Sprintf(format, args...)
	out, err := exec.CommandContext(ctx, "ip", strings.Fields(line)...).CombinedOutput() //nolint:gosec // The words are ours.
	if err != nil {
		return "", fmt.Errorf("vmtest: ip %s: %w: %s", line, err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}

// removeLeftovers removes the namespaces and files of processes that ended
// without doing so themselves.
func removeLeftovers(ctx context.Context) error {
	names, err := namespaces(ctx, namePrefix)
	if err != nil {
		return err
	}
	dirs, err := filepath.Glob(filepath.Join(os.TempDir(), namePrefix+"*"))
	errs := []error{err}
	for _, name := range names {
		if abandoned(name) {
			errs = append(errs, removeNamespace(ctx, name))
		}
	}
	for _, dir := range dirs {
		if abandoned(filepath.Base(dir)) {
			errs = append(errs, os.RemoveAll(dir))
		}
	}
	return errors.Join(errs...)
}

// abandoned says whether the process that gave this name is gone.
func abandoned(name string) bool {
	owner, _, _ := strings.Cut(strings.TrimPrefix(name, namePrefix), "-")
	pid, err := strconv.Atoi(owner)
	return err == nil && !alive(pid)
}

// namespaces lists the namespaces whose names begin with prefix.
func namespaces(ctx context.Context, prefix string) ([]string, error) {
	out, err := ip(ctx, "netns list")
	if err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(out) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names, nil
}

// removeNamespace kills what still runs in the namespace called name and
// removes it, and its devices with it.
func removeNamespace(ctx context.Context, name string) error {
	pids, err := ip(ctx, "netns pids %s", name)
	if err != nil {
		return nil //nolint:nilerr // It is gone: another process cleans up, too.
	}
	for field := range strings.FieldsSeq(pids) {
		if pid, err := strconv.Atoi(field); err == nil {
			kill(pid)
		}
	}
	if _, err := ip(ctx, "netns del %s", name); err != nil {
		left, listErr := namespaces(ctx, name)
		if len(left) > 0 || listErr != nil {
			return errors.Join(err, listErr)
		}
	}
	return nil
}
