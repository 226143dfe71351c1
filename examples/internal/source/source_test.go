package source_test

import (
	"flag"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/cli"
	"github.com/netbootkit/netbootkit/examples/internal/source"
)

func TestIsISO(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	image := append(make([]byte, 16*2048), "\x01CD001\x01"...)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "image"), image, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "short"), image[:16*2048+3], 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tar"), make([]byte, 64<<10), 0o600))
	for name, want := range map[string]bool{"image": true, "short": false, "tar": false, ".": false, "absent": false} {
		got, err := source.IsISO(filepath.Join(dir, name))
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	got, err := source.IsISO("quay.io/kairos/ubuntu:24.04")
	require.NoError(t, err)
	assert.False(t, got)
}

// TestOpenFileWhenItIsNone refuses what has no size, and could be waited for.
func TestOpenFileWhenItIsNone(t *testing.T) {
	t.Parallel()

	for _, name := range []string{os.DevNull, t.TempDir()} {
		_, _, err := source.OpenFile(name)
		require.ErrorContains(t, err, name+" is not a file: copy what is in it to one")
	}
	_, err := source.IsISO(os.DevNull)
	require.ErrorContains(t, err, "is not a file")
	_, _, err = source.OpenFile("absent")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// TestTreeWhenThereIsNothing says so, whatever else the name can stand for.
func TestTreeWhenThereIsNothing(t *testing.T) {
	t.Parallel()

	absent := filepath.Join(t.TempDir(), "root.tar")
	from := &source.Flags{Dir: t.TempDir()}
	log := slog.New(slog.DiscardHandler)
	store, err := from.OpenStore(log, nil)
	require.NoError(t, err)
	defer store.Close()
	_, err = from.Tree(t.Context(), store, absent, log, nil)
	require.ErrorContains(t, err, "it looks like a path")
	require.ErrorContains(t, err, "; and it is no file or folder: stat "+absent)
	_, err = from.Tree(t.Context(), store, "dir:"+absent, log, nil)
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.NotContains(t, err.Error(), "and it is no file")
}

// TestOpenStoreWithoutAFolder is not parallel: it changes the environment.
func TestOpenStoreWithoutAFolder(t *testing.T) {
	for _, home := range []string{"", os.DevNull} {
		for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData"} {
			t.Setenv(name, home)
		}
		_, err := new(source.Flags).OpenStore(slog.New(slog.DiscardHandler), nil)
		require.ErrorContains(t, err, "-store")
	}
}

func TestOpenLive(t *testing.T) {
	t.Parallel()

	_, err := source.OpenLive(filepath.Join(t.TempDir(), "absent"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = source.OpenLive("source_test.go")
	require.ErrorContains(t, err, "source_test.go is an ISO image; a root file system is wanted, or the ISO of a live system: isobuild: open")
}

func TestPath(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	for name, want := range map[string]string{
		dir: dir, "source_test.go": "source_test.go", "ocifile:a.tar": "a.tar", "file:///a.tar": "/a.tar", "dir:a": "a", "quay.io/a:b": "", "": "",
	} {
		assert.Equal(t, want, source.Path(name), name)
	}
}

func TestTreeOfAFolder(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o600))
	from := &source.Flags{Dir: t.TempDir()}
	log := slog.New(slog.DiscardHandler)
	store, err := from.OpenStore(log, nil)
	require.NoError(t, err)
	defer store.Close()
	tree, err := from.Tree(t.Context(), store, dir, log, nil)
	require.NoError(t, err)
	data, err := fs.ReadFile(tree, "file")
	require.NoError(t, err)
	assert.Equal(t, "content", string(data))
	require.NoError(t, tree.Close())

	from.Platform = "linux/arm64"
	_, err = from.Tree(t.Context(), store, dir, log, nil)
	require.ErrorContains(t, err, "-platform is for container images, and "+dir+" is a file tree")
}

func TestCheckFolders(t *testing.T) {
	t.Parallel()

	require.NoError(t, source.CheckFolders(cli.Strings{t.TempDir(), "."}, nil))
	err := source.CheckFolders(cli.Strings{"source_test.go"}, cli.Strings{"absent"})
	require.ErrorContains(t, err, "source_test.go is not a folder")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestFolders(t *testing.T) {
	t.Parallel()

	_, done, err := source.Folders(t.Context(), []string{t.TempDir(), filepath.Join(t.TempDir(), "absent")})
	done()
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestCloudConfig(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	name := filepath.Join(dir, "config.yaml")
	require.NoError(t, os.WriteFile(name, []byte("#cloud-config\nhostname: [[ .host ]]\n"), 0o600))
	for _, tt := range []struct {
		name, stdin, want, wantErr string
		args                       []string
	}{
		{name: "none"},
		{name: "rendered", args: []string{"-cloud-config", name, "-set", "host=a"}, want: "#cloud-config\nhostname: a\n"},
		{name: "standard input", args: []string{"-cloud-config", "-"}, stdin: "#cloud-config\n{}\n", want: "#cloud-config\n{}\n"},
		{name: "no such file", args: []string{"-cloud-config", name + "x"}, wantErr: "-cloud-config: "},
		{name: "no such value", args: []string{"-cloud-config", name, "-set", "b=c"}, wantErr: "host"},
		{name: "template", args: []string{"-cloud-config", name}, wantErr: "config.yaml is a template: say with -set what"},
		{name: "set alone", args: []string{"-set", "b=c"}, wantErr: "-set is for -cloud-config"},
		{name: "no value", args: []string{"-cloud-config", name, "-set", "secret"}, wantErr: "-set: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var c source.CloudConfig
			flags := flag.NewFlagSet("x", flag.ContinueOnError)
			c.Register(flags)
			require.NoError(t, flags.Parse(tt.args))
			err := c.Check()
			var got []byte
			if err == nil {
				got, err = c.Load(t.Context(), strings.NewReader(tt.stdin), slog.New(slog.DiscardHandler))
			}
			if tt.wantErr != "" {
				require.ErrorContains(t, err, tt.wantErr)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, string(got))
		})
	}
}
