package debian_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/examples/internal/debian"
	"github.com/netbootkit/netbootkit/internal/bootloader"
	"github.com/netbootkit/netbootkit/internal/grub"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// download returns the packages as apt has them now, and their bytes. What has
// the pinned version must have the pinned digest; of a newer one the digest is
// taken as it is.
func download(t *testing.T, pinned []debian.Package) (now []debian.Package, files map[string][]byte) {
	t.Helper()
	apt := oracle.Need(t, "apt-get")
	dir, files := t.TempDir(), make(map[string][]byte)
	for _, p := range pinned {
		cmd := exec.CommandContext(t.Context(), apt, "-q", "-o", "APT::Sandbox::User=root", "download", p.Name)
		cmd.Dir = dir
		if report, err := cmd.CombinedOutput(); err != nil {
			oracle.Skip(t, "apt-get download "+p.Name+": "+string(report))
		}
		found, err := filepath.Glob(filepath.Join(dir, p.Name+"_*.deb"))
		require.NoError(t, err)
		require.Len(t, found, 1)
		data, err := os.ReadFile(found[0])
		require.NoError(t, err)
		name, err := url.PathUnescape(filepath.Base(found[0]))
		require.NoError(t, err)
		sum := sha256.Sum256(data)
		digest := artifacts.NewDigest(artifacts.SHA256, sum[:])
		if strings.HasSuffix(p.Path, "/"+name) {
			assert.Equal(t, p.Digest, digest, p.Name)
			assert.Equal(t, p.Size, int64(len(data)), p.Name)
		}
		p.Digest, p.Size = digest, int64(len(data))
		now, files[p.Path] = append(now, p), data
	}
	return now, files
}

// TestDebian opens the packages that apt downloads, compares their files with
// what dpkg-deb unpacks, and finds in them what boots.
func TestDebian(t *testing.T) {
	t.Parallel()
	dpkg := oracle.Need(t, "dpkg-deb")
	packages, files := download(t, append(debian.Loaders("amd64"), debian.IPXE()))
	base, _ := serve(t, files)
	tree, err := debian.Open(t.Context(), store(t), base, packages...)
	require.NoError(t, err)

	dir := t.TempDir()
	for _, data := range files {
		cmd := exec.CommandContext(t.Context(), dpkg, "-x", "/dev/stdin", dir)
		cmd.Stdin = bytes.NewReader(data)
		report, err := cmd.CombinedOutput()
		require.NoError(t, err, string(report))
	}
	sameFiles(t, os.DirFS(dir), tree)

	loaders, err := bootloader.Find(tree, "amd64")
	require.NoError(t, err)
	require.NotNil(t, loaders.EFI)
	assert.True(t, loaders.EFI.Signed)
	assert.Equal(t, "/boot/grub", loaders.EFI.Prefix)
	_, err = grub.ElTorito(loaders.BIOS, "/boot/grub2", grub.ISOModules())
	require.NoError(t, err)
	for _, name := range []string{"usr/lib/ipxe/ipxe.lkrn", "usr/lib/ipxe/ipxe.efi"} {
		info, err := fs.Stat(tree, name)
		require.NoError(t, err)
		assert.True(t, info.Mode().IsRegular(), name)
	}
}

// sameFiles compares names, modes, contents and targets.
func sameFiles(t *testing.T, want, got fs.FS) {
	t.Helper()
	count := func(tree fs.FS) (n int) {
		require.NoError(t, fs.WalkDir(tree, ".", func(_ string, _ fs.DirEntry, err error) error {
			n++
			return err
		}))
		return n
	}
	assert.Equal(t, count(want), count(got))
	require.NoError(t, fs.WalkDir(want, ".", func(name string, d fs.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := fs.Lstat(got, name)
		require.NoError(t, err)
		assert.Equal(t, d.Type(), info.Mode().Type(), name)
		switch {
		case d.Type() == fs.ModeSymlink:
			to, err := fs.ReadLink(want, name)
			require.NoError(t, err)
			target, err := fs.ReadLink(got, name)
			require.NoError(t, err)
			assert.Equal(t, to, target, name)
		case d.Type().IsRegular():
			wantInfo, err := d.Info()
			require.NoError(t, err)
			assert.Equal(t, wantInfo.Mode(), info.Mode(), name)
			assert.True(t, wantInfo.ModTime().Equal(info.ModTime()), name)
			wantData, err := fs.ReadFile(want, name)
			require.NoError(t, err)
			data, err := fs.ReadFile(got, name)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(wantData, data), name)
		}
		return nil
	}))
}

// TestMirror fetches the pinned packages for arm64, which apt does not know
// here: from the archive that has them for ever, where that is reachable, and from
// a mirror, for as long as it has them.
func TestMirror(t *testing.T) {
	t.Parallel()
	oracle.All(t)
	for name, tt := range map[string]struct {
		base   string
		excuse func(error) bool
	}{
		"archive": {debian.DefaultBase, func(err error) bool { _, ok := errors.AsType[*net.OpError](err); return ok }},
		"mirror":  {"https://deb.debian.org/debian", func(err error) bool { return errors.Is(err, fs.ErrNotExist) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			tree, err := debian.Open(t.Context(), store(t), tt.base, debian.Loaders("arm64")...)
			if err != nil && tt.excuse(err) {
				t.Skip("not there, or not any more: ", err)
			}
			require.NoError(t, err)
			loaders, err := bootloader.Find(tree, "arm64")
			require.NoError(t, err)
			require.NotNil(t, loaders.EFI)
			assert.True(t, loaders.EFI.Signed)
			assert.Equal(t, "grubaa64.efi", loaders.EFI.GrubName)
			assert.Nil(t, loaders.BIOS)
		})
	}
}
