package isobuild_test

import (
	"io/fs"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/internal/vmtest"
	"github.com/netbootkit/netbootkit/isobuild"
)

// TestBuildBootsArm64 boots an image with Debian's shim, GRUB and kernel for
// arm64 until the kernel runs.
func TestBuildBootsArm64(t *testing.T) {
	t.Parallel()
	packages := vmtest.PackagesT(t, "arm64", "linux-image-cloud-arm64", "shim-signed", "grub-efi-arm64-signed")
	names, err := filepath.Glob(filepath.Join(packages, "*.deb"))
	require.NoError(t, err)
	require.Len(t, names, 3)
	root := fstest.MapFS{"etc/os-release": labFile([]byte("ID=debian\n"))}
	for _, name := range names {
		unpacked := filepath.Join(t.TempDir(), "package.tar")
		oracle.Run(t, "sh", "-c", `dpkg-deb --fsys-tarfile "$0" > "$1"`, name, unpacked)
		file := section(t, unpacked)
		tree, err := artifacts.OpenTar(file, file.Size())
		require.NoError(t, err)
		require.NoError(t, fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			data, err := fs.ReadFile(tree, name)
			root[name] = labFile(data)
			return err
		}))
	}
	kernels, err := fs.Glob(root, "boot/vmlinuz-*")
	require.NoError(t, err)
	require.Len(t, kernels, 1)
	root["boot/initrd.img-"+kernels[0][len("boot/vmlinuz-"):]] = labFile([]byte("none is needed"))

	image := built(t, root, isobuild.WithTime(vmTime()), isobuild.WithArch("arm64"), isobuild.WithConsoles("ttyAMA0"))
	for _, kind := range []vmtest.DriveKind{vmtest.CD, vmtest.USB} {
		b := boot{vmtest.UEFIArm, kind}
		t.Run(b.String(), func(t *testing.T) {
			t.Parallel()
			ctx, m := vmBoot(t, image, b)
			require.NoError(t, m.Console.Await(ctx, `Linux version \d.*arm64`))
			at, _ := m.Console.Time(`Linux version`)
			t.Logf("kernel after %v", at.Sub(m.Started).Round(100*time.Millisecond))
		})
	}
}
