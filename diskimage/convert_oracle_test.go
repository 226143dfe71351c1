package diskimage_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/mosaic"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// rawFile writes disk as it is into a file, with its holes.
func rawFile(tb testing.TB, disk *mosaic.Image) string {
	tb.Helper()
	f, err := os.Create(filepath.Join(tb.TempDir(), "disk.raw"))
	require.NoError(tb, err)
	defer f.Close()
	require.NoError(tb, disk.CopyAt(tb.Context(), f))
	return f.Name()
}

// qemuName is what QEMU calls a format.
func qemuName(format string) string {
	return map[string]string{"vhd": "vpc", "gce": "raw", "qcow2": "qcow2", "vmdk": "vmdk"}[format]
}

// asDisk returns what QEMU reads: the image, or the disk in an archive.
func asDisk(tb testing.TB, format, image string) string {
	tb.Helper()
	if format != "gce" {
		return image
	}
	dir := tb.TempDir()
	oracle.Run(tb, "tar", "-xSzf", image, "-C", dir)
	return filepath.Join(dir, "disk.raw")
}

// qemuDisks returns disks for the readers of others.
func qemuDisks(tb testing.TB) map[string]*mosaic.Image {
	tb.Helper()
	data := mosaic.New()
	data.AddBytes(0, noise(1, 5<<20))
	m := map[string]*mosaic.Image{
		"odd":    holey(21, 1<<20+3*512, 2, 100<<10),
		"data":   data,
		"sparse": holey(22, 16<<30, 30, 300<<10),
	}
	if testing.Short() {
		delete(m, "sparse")
	}
	return m
}

func TestConvertAsQEMUSeesIt(t *testing.T) {
	t.Parallel()
	oracle.Need(t, "qemu-img")
	for name, disk := range qemuDisks(t) {
		raw := rawFile(t, disk)
		for _, f := range diskFormats() {
			t.Run(f.name+" "+name, func(t *testing.T) {
				t.Parallel()
				image := asDisk(t, f.name, f.file(t, disk))
				var info struct {
					Size   int64  `json:"virtual-size"`
					Format string `json:"format"`
				}
				text := oracle.Run(t, "qemu-img", "info", "-f", qemuName(f.name), "--output", "json", image)
				require.NoError(t, json.Unmarshal([]byte(text), &info))
				size := (disk.Size() + f.unit - 1) / f.unit * f.unit
				assert.Equal(t, size, info.Size, "virtual size")
				if f.name == "qcow2" || f.name == "vmdk" {
					assert.Contains(t, oracle.Run(t, "qemu-img", "check", "-f", qemuName(f.name), image), "No errors were found")
				}
				compared := oracle.Run(t, "qemu-img", "compare", "-f", "raw", "-F", qemuName(f.name), raw, image)
				assert.Contains(t, compared, "Images are identical.")
			})
		}
	}
}

// TestConvertFoundBySignature holds that readers know formats without being told.
func TestConvertFoundBySignature(t *testing.T) {
	t.Parallel()
	disk := holey(23, 3<<20, 3, 100<<10)
	for _, f := range diskFormats()[2:] { // A fixed VHD begins as the disk does.
		var info struct {
			Format string `json:"format"`
		}
		require.NoError(t, json.Unmarshal([]byte(oracle.Run(t, "qemu-img", "info", "--output", "json", f.file(t, disk))), &info))
		assert.Equal(t, qemuName(f.name), info.Format)
	}
}

// TestConvertedTables has sgdisk check a table that sgdisk made.
func TestConvertedTables(t *testing.T) {
	t.Parallel()
	raw := filepath.Join(t.TempDir(), "disk.raw")
	require.NoError(t, os.WriteFile(raw, nil, 0o600))
	require.NoError(t, os.Truncate(raw, 9<<20+5*512))
	oracle.Run(t, "sgdisk", "-n", "1:2048:+2M", "-t", "1:EF00", "-c", "1:boot", "-n", "2:0:0", "-c", "2:everything else", raw)
	f, err := os.Open(raw)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	disk := sized{f, 9<<20 + 5*512}
	parts := oracle.Run(t, "sgdisk", "-i", "2", raw)
	for _, format := range diskFormats() {
		t.Run(format.name, func(t *testing.T) {
			t.Parallel()
			image := asDisk(t, format.name, format.file(t, disk))
			back := filepath.Join(t.TempDir(), "back.raw")
			oracle.Run(t, "qemu-img", "convert", "-f", qemuName(format.name), "-O", "raw", image, back)
			assert.Contains(t, oracle.Run(t, "sgdisk", "-v", back), "No problems found")
			assert.Equal(t, parts, oracle.Run(t, "sgdisk", "-i", "2", back))
			assert.Contains(t, oracle.Run(t, "sfdisk", "--verify", back), "No errors detected")
		})
	}
}

// TestWriteGCEAsTarSeesIt unpacks with the two programs that know the format.
func TestWriteGCEAsTarSeesIt(t *testing.T) {
	t.Parallel()
	disk := holey(24, 12<<30+512, 120, 100<<10) // Numbers are octal up to 8 GiB.
	raw, gce := rawFile(t, disk), diskFormats()[1].file(t, disk)
	assert.Equal(t, []string{"-rw-r--r--", "0/0", strconv.FormatInt(13<<30, 10), "1980-01-01", "00:00", "disk.raw"},
		strings.Fields(oracle.Run(t, "tar", "--numeric-owner", "--utc", "-tvf", gce)))
	for _, program := range []string{"tar", "bsdtar"} {
		dir := t.TempDir()
		oracle.Run(t, program, "-xSf", gce, "-C", dir)
		info, err := os.Stat(filepath.Join(dir, "disk.raw"))
		require.NoError(t, err)
		assert.Equal(t, int64(13<<30), info.Size())
		assert.Contains(t, oracle.Run(t, "qemu-img", "compare", "-f", "raw", "-F", "raw", raw, filepath.Join(dir, "disk.raw")), "identical")
		require.NoError(t, os.RemoveAll(dir))
	}
	oracle.Run(t, "gzip", "-t", gce)
}

// TestWriteQCOW2Grows has QEMU write into an image, which needs all its tables.
func TestWriteQCOW2Grows(t *testing.T) {
	t.Parallel()
	disk := holey(25, 700<<20, 20, 100<<10)
	image := diskFormats()[2].file(t, disk)
	oracle.Run(t, "qemu-img", "resize", "-f", "qcow2", image, "3G")
	oracle.Run(t, "qemu-io", "-t", "unsafe", "-f", "qcow2", "-c", "write -P 7 0 40M", "-c", "write -P 9 2900M 10M", image)
	assert.Contains(t, oracle.Run(t, "qemu-img", "check", "-f", "qcow2", image), "No errors were found")
	oracle.Run(t, "qemu-io", "-f", "qcow2", "-c", "read -P 7 0 40M", "-c", "read -P 9 2900M 10M", image)
	back := filepath.Join(t.TempDir(), "back.raw")
	oracle.Run(t, "qemu-img", "convert", "-f", "qcow2", "-O", "raw", image, back)
	f, err := os.Open(back)
	require.NoError(t, err)
	defer f.Close()
	requireDisk(t, io.NewSectionReader(disk, 40<<20, 660<<20), 1, io.NewSectionReader(f, 40<<20, 660<<20))
}

// TestConvertLarge has tables that take more than a block: of grains, of
// clusters, of reference counts. It needs room for 5 GiB.
func TestConvertLarge(t *testing.T) {
	oracle.All(t)
	disk := mosaic.New()
	disk.SetSize(2030 << 30)
	piece := noise(26, 64<<20)
	for i := range int64(36) {
		disk.AddBytes(i*56<<30, piece)
	}
	raw := rawFile(t, disk)
	for _, f := range diskFormats() {
		if f.name == "gce" {
			continue // Its tables are the same for any size.
		}
		image := f.file(t, disk)
		if f.name != "vhd" {
			assert.Contains(t, oracle.Run(t, "qemu-img", "check", "-f", qemuName(f.name), image), "No errors were found")
		}
		assert.Contains(t, oracle.Run(t, "qemu-img", "compare", "-f", "raw", "-F", qemuName(f.name), raw, image), "identical")
		require.NoError(t, os.Remove(image))
	}
}
