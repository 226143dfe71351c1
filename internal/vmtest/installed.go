package vmtest

import (
	"context"
	_ "embed"
	"errors"
	"os"

	"github.com/netbootkit/netbootkit/internal/vmtest/installed"
)

//go:embed installed.sh
var installedScript []byte

// InstalledRoot returns a tar of the root file system of a Debian that runs
// from a disk: it has a kernel, an initrd made by dracut, systemd, which shows a
// login prompt on the consoles of the command line, and the programs that make
// partitions and ext file systems. The initrd finds the root of a Kairos too.
// Boot loaders are not in it.
//
// Making it takes about a minute, root and mmdebstrap, and is done once: it is
// kept among the user's caches, and made anew when the recipe changes.
func InstalledRoot(ctx context.Context) (string, error) {
	return makeRoot(ctx, func(string) (*recipe, error) {
		return &recipe{name: "installed", script: installedScript, args: []string{debianMirror}}, nil
	})
}

// InstalledProgram returns the program that reports from such a system: it is
// to be /usr/sbin/installed-report, and /usr/bin/kairos-agent in a Kairos.
func InstalledProgram(ctx context.Context) ([]byte, error) {
	temp, err := tempDir()
	if err != nil {
		return nil, err
	}
	program, err := buildProgram(ctx, temp, "internal/vmtest/installed/report", "amd64")
	return program, errors.Join(err, os.RemoveAll(temp))
}

// Installed waits until the system on a disk has reported and returns what it
// says.
func (m *Machine) Installed(ctx context.Context) (*installed.Report, error) {
	if err := m.Console.Await(ctx, installed.Done); err != nil {
		return nil, err
	}
	return installed.Read(m.Console.String())
}
