package vmtest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// aptConfig has apt-get keep everything in one folder, for one architecture.
const aptConfig = `APT::Architecture "%[2]s";
APT::Architectures { "%[2]s"; };
APT::Sandbox::User "root";
Dir::State "%[1]s";
Dir::State::status "%[1]s/status";
Dir::Cache "%[1]s";
Dir::Etc::sourcelist "%[1]s/sources.list";
Dir::Etc::sourceparts "-";
`

// Packages returns a folder with the named packages of Debian 12 for an
// architecture, which need not be this computer's, as .deb files. It is kept
// among the user's caches.
// In the place of a package of Linux that only depends on the newest one stands
// that one.
func Packages(ctx context.Context, arch string, names ...string) (string, error) {
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	key := sha256.Sum256([]byte(arch + " " + strings.Join(names, " ")))
	dir := filepath.Join(cache, fmt.Sprintf("packages-%x", key[:8]))
	lock, err := awaitLock(ctx, filepath.Join(cache, "lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close() //nolint:errcheck // Nothing was written.
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	temp, err := os.MkdirTemp(cache, "packages-*.part")
	if err != nil {
		return "", fmt.Errorf("vmtest: packages: %w", err)
	}
	defer os.RemoveAll(temp) //nolint:errcheck // A folder of ours.
	if err := download(ctx, temp, arch, names); err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(temp, "files"), dir); err != nil {
		return "", fmt.Errorf("vmtest: packages: %w", err)
	}
	return dir, nil
}

// download has apt-get put packages into the folder files in dir.
func download(ctx context.Context, dir, arch string, names []string) error {
	files := filepath.Join(dir, "files")
	err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "lists", "partial"), 0o700),
		os.Mkdir(files, 0o700),
		os.WriteFile(filepath.Join(dir, "status"), nil, 0o600),
		os.WriteFile(filepath.Join(dir, "apt.conf"), fmt.Appendf(nil, aptConfig, dir, arch), 0o600),
		os.WriteFile(filepath.Join(dir, "sources.list"),
			[]byte("deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "+debianMirror+" bookworm main\n"), 0o600),
	)
	if err != nil {
		return fmt.Errorf("vmtest: packages: %w", err)
	}
	apt := func(name string, args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // One of apt's programs.
		cmd.Dir, cmd.Env = files, append(os.Environ(), "APT_CONFIG="+filepath.Join(dir, "apt.conf"), "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("vmtest: packages: %s: %w: %s", name, err, out)
		}
		return string(out), nil
	}
	if _, err := apt("apt-get", "update"); err != nil {
		return err
	}
	for _, name := range names {
		out, err := apt("apt-cache", "depends", name)
		if err != nil {
			return err
		}
		if _, newest, ok := strings.Cut(out, "Depends: linux-image-"); ok && strings.HasPrefix(name, "linux-image-") {
			name = "linux-image-" + strings.Fields(newest)[0]
		}
		if _, err := apt("apt-get", "download", name); err != nil {
			return err
		}
	}
	return nil
}
