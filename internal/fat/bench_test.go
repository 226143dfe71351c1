package fat_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/fat"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// benchTree writes 100 MB in so many files, half of them in one directory.
func benchTree(b *testing.B, files int) (dir string) {
	b.Helper()
	dir = b.TempDir()
	require.NoError(b, os.MkdirAll(dir+"/one", 0o755))
	for i := range files {
		sub := "one"
		if i%2 == 1 {
			sub = fmt.Sprintf("directory number %d", i%50)
			require.NoError(b, os.MkdirAll(filepath.Join(dir, sub), 0o755))
		}
		name := filepath.Join(dir, sub, fmt.Sprintf("file number %d.data", i))
		require.NoError(b, os.WriteFile(name, pattern(100_000_000/files, i), 0o644))
	}
	return dir
}

// BenchmarkNew writes 100 MB into a FAT16 and a FAT32 volume of 256 MiB.
func BenchmarkNew(b *testing.B) {
	for _, files := range []int{2, 2000} {
		dir := benchTree(b, files)
		for _, bits := range []int{16, 32} {
			out := filepath.Join(b.TempDir(), "fat.img")
			b.Run(fmt.Sprintf("files=%d/FAT%d/ours", files, bits), func(b *testing.B) {
				b.SetBytes(100_000_000)
				for b.Loop() {
					image, err := fat.New(b.Context(), os.DirFS(dir), fat.Volume{Bits: bits, Size: 256 << 20})
					require.NoError(b, err)
					_ = os.Remove(out)
					f, err := os.Create(out)
					require.NoError(b, err)
					require.NoError(b, image.CopyAt(b.Context(), f))
					require.NoError(b, f.Close())
				}
			})
			b.Run(fmt.Sprintf("files=%d/FAT%d/mcopy", files, bits), func(b *testing.B) {
				b.SetBytes(100_000_000)
				mkfs, mcopy := oracle.Need(b, "mkfs.vfat"), oracle.Need(b, "mcopy")
				entries, err := filepath.Glob(dir + "/*")
				require.NoError(b, err)
				for b.Loop() {
					_ = os.Remove(out)
					require.NoError(b, exec.CommandContext(b.Context(), mkfs, "-F", fmt.Sprint(bits), "-C", out, "262144").Run())
					require.NoError(b, exec.CommandContext(b.Context(), mcopy, append([]string{"-i", out, "-s", "-m", "-Q"}, append(entries, "::")...)...).Run())
				}
			})
		}
	}
}
