package tftpd_test

import (
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/tftpd"
)

func TestFS(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o600))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "root", "sub"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "root", "file"), []byte("hello"), 0o600))
	for name, target := range map[string]string{
		"inside": "file", "relative": "../secret", "absolute": filepath.Join(dir, "secret"), "loop": "loop", "dir": "..",
	} {
		if err := os.Symlink(target, filepath.Join(dir, "root", name)); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
	}
	root, err := os.OpenRoot(filepath.Join(dir, "root"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = root.Close() })

	tests := []struct {
		name string
		want error // nil if the file is served
	}{
		{"file", nil},
		{"inside", nil},
		{"none", fs.ErrNotExist},
		{"sub", fs.ErrNotExist},
		{"file/below", fs.ErrNotExist},
		{strings.Repeat("n", 400), fs.ErrNotExist},
		{"relative", fs.ErrPermission},
		{"absolute", fs.ErrPermission},
		{"dir/secret", fs.ErrPermission},
		{"../secret", fs.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name[:min(20, len(tt.name))], func(t *testing.T) {
			t.Parallel()

			f, err := tftpd.FS(root.FS()).OpenTFTP(t.Context(), tt.name, netip.AddrPort{})
			if tt.want != nil {
				require.ErrorIs(t, err, tt.want)
				return
			}
			require.NoError(t, err)
			data, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
			require.NoError(t, err)
			assert.Equal(t, "hello", string(data))
			require.NoError(t, f.(io.Closer).Close())
		})
	}
}

func TestFSRefusesWhatIsNoFile(t *testing.T) {
	t.Parallel()

	h := tftpd.FS(fstest.MapFS{"pipe": {Mode: fs.ModeNamedPipe}, "disk": {Mode: fs.ModeDevice}})
	for _, name := range []string{"pipe", "disk"} {
		_, err := h.OpenTFTP(t.Context(), name, netip.AddrPort{})
		require.ErrorIs(t, err, fs.ErrPermission)
	}
}

func TestFSWhenFilesCannotBeReadAtAnOffset(t *testing.T) {
	t.Parallel()

	closed := false
	h := tftpd.FS(streams{fstest.MapFS{"f": {Data: []byte("x")}}, &closed})
	_, err := h.OpenTFTP(t.Context(), "f", netip.AddrPort{})
	require.ErrorContains(t, err, "has no ReadAt")
	assert.True(t, closed)
}

// streams has files that can only be read from start to end.
type streams struct {
	fs.FS

	closed *bool
}

func (s streams) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	return stream{f, s.closed}, err
}

type stream struct {
	fs.File

	closed *bool
}

func (s stream) Close() error {
	*s.closed = true
	return s.File.Close()
}
