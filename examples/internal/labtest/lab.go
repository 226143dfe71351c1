package labtest

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// KairosRelease is the text of /etc/kairos-release in the root file system of a
// Kairos that is called debian-12-core-amd64-generic-v1.2.3.
const KairosRelease = "KAIROS_FLAVOR=debian\nKAIROS_FLAVOR_RELEASE=12\nKAIROS_VARIANT=core\n" +
	"KAIROS_ARCH=amd64\nKAIROS_MODEL=generic\nKAIROS_VERSION=v1.2.3\n"

// A Lab is a folder with what a program works on.
type Lab struct {
	Dir string

	main cli.Run
}

// New returns a lab of the program main with files, by their names.
func New(t *testing.T, main cli.Run, files map[string]string) *Lab {
	t.Helper()
	l := &Lab{Dir: t.TempDir(), main: main}
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(l.Path(name)), 0o755))  //nolint:gosec // As root file systems have it.
		require.NoError(t, os.WriteFile(l.Path(name), []byte(text), 0o644)) //nolint:gosec // The same.
	}
	return l
}

// Path returns the name of a file of the lab.
func (l *Lab) Path(name string) string { return filepath.Join(l.Dir, name) }

// Run runs the program with the lab's store, and returns what it prints.
func (l *Lab) Run(ctx context.Context, args ...string) (stdout, stderr string, err error) {
	var out, diag bytes.Buffer
	err = l.main(ctx, append([]string{"-store", l.Path("store")}, args...), strings.NewReader(""), &out, &diag)
	return out.String(), diag.String(), err
}

// Grub returns the flags that name the distribution's boot loaders, which must
// have files.
func Grub(t *testing.T, files ...string) []string {
	t.Helper()
	const folder = "/usr/lib/grub"
	for _, name := range files {
		oracle.File(t, folder+"/"+name)
	}
	return []string{"-grub", folder, "-no-fetch"}
}
