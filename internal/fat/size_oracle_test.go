package fat_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/fat"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// clusters computes the number of clusters from a boot sector as the
// specification says.
func clusters(tb testing.TB, r io.ReaderAt) int64 {
	tb.Helper()
	b := make([]byte, 512)
	_, err := r.ReadAt(b, 0)
	require.NoError(tb, err)
	le := binary.LittleEndian
	sectors, table := int64(le.Uint16(b[19:])), int64(le.Uint16(b[22:]))
	if sectors == 0 {
		sectors = int64(le.Uint32(b[32:]))
	}
	if table == 0 {
		table = int64(le.Uint32(b[36:]))
	}
	root := (int64(le.Uint16(b[17:]))*32 + 511) / 512
	return (sectors - int64(le.Uint16(b[14:])) - 2*table - root) / int64(b[13])
}

// kind is what every reader takes a volume for that has so many clusters.
func kind(clusters int64) int {
	switch {
	case clusters < 4085:
		return 12
	case clusters < 65525:
		return 16
	}
	return 32
}

// TestNewSizes takes sizes at which the geometry changes, or at which the tables
// of other writers are known to be too small.
func TestNewSizes(t *testing.T) {
	t.Parallel()
	var sizes []int64
	for _, mib := range []int64{1, 2, 4, 8, 16, 32, 64, 129, 194, 256, 259, 512, 1020} {
		sizes = append(sizes, mib<<20, mib<<20+512)
	}
	checkSizes(t, append(sizes, 8<<20-512, 512<<20-512))
}

func TestNewManySizes(t *testing.T) {
	t.Parallel()
	oracle.All(t)
	var sizes []int64
	for mib := int64(1); mib <= 1024; mib += 1 + mib/64 {
		sizes = append(sizes, mib<<20-512, mib<<20, mib<<20+512)
	}
	checkSizes(t, sizes)
}

// checkSizes makes a volume of each size in bytes, and has it checked and read.
func checkSizes(t *testing.T, sizes []int64) {
	t.Helper()
	tree := fstest.MapFS{"EFI/BOOT/BOOTX64.EFI": file(pattern(300_001, 1)), "b.txt": file([]byte("b"))}
	for _, size := range sizes {
		image := newImage(t, tree, fat.Volume{Label: "SIZES", Size: size})
		require.EqualValues(t, size, image.Size())
		want := 32
		switch {
		case size < 8<<20:
			want = 12
		case size < 512<<20:
			want = 16
		}
		require.Equal(t, want, kind(clusters(t, image)), "%d bytes", size)
		name := save(t, image)
		checkClean(t, name)
		copied := run(t, oracle.Need(t, "mcopy"), "-i", name, "-n", "::EFI/BOOT/BOOTX64.EFI", "-")
		require.True(t, copied == string(pattern(300_001, 1)), "%d bytes", size)
	}
}

// TestNewBorders takes sizes in steps of one sector around the borders between
// kinds. The number of clusters must say the kind that was asked for, sixteen
// clusters away from the border.
func TestNewBorders(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"file": file(pattern(5000, 1))}
	for _, test := range []struct {
		bits       int
		from, to   int64 // sectors
		least      int64 // clusters
		most       int64
		everyClean int64 // steps from one check by fsck.vfat to the next
	}{
		{12, 4050, 4300, 1, 4068, 16},
		{12, 16300, 16700, 1, 4068, 32},
		{12, 32600, 33000, 1, 4068, 32},
		{16, 4200, 4600, 4101, 65508, 16},
		{16, 65500, 66400, 4101, 65508, 64},
		{16, 131000, 131800, 4101, 65508, 64},
		{16, 262000, 263200, 4101, 65508, 64},
		{32, 66700, 67000, 65541, 1 << 28, 32},
		{32, 131900, 132800, 65541, 1 << 28, 64},
		{32, 526000, 526500, 65541, 1 << 28, 64},
	} {
		t.Run(fmt.Sprintf("FAT%d from %d", test.bits, test.from), func(t *testing.T) {
			t.Parallel()
			seen := 0
			for n := test.from; n <= test.to; n++ {
				image, err := fat.New(t.Context(), tree, fat.Volume{Size: n * 512, Bits: test.bits})
				if err != nil {
					require.ErrorContains(t, err, fmt.Sprintf("size %d", n*512))
					continue
				}
				seen++
				count := clusters(t, image)
				require.GreaterOrEqual(t, count, test.least, "%d sectors", n)
				require.LessOrEqual(t, count, test.most, "%d sectors", n)
				if n%test.everyClean == 0 {
					checkClean(t, save(t, image))
				}
			}
			assert.NotZero(t, seen)
		})
	}
}

// TestNewFull fills a volume of every kind to the last cluster.
func TestNewFull(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		bits int
		size int64
	}{{12, 1440 << 10}, {16, 16 << 20}, {32, 40 << 20}} {
		t.Run(fmt.Sprint(test.bits), func(t *testing.T) {
			t.Parallel()
			free := clusters(t, newImage(t, fstest.MapFS{}, fat.Volume{Bits: test.bits, Size: test.size}))
			if test.bits == 32 {
				free-- // For the root.
			}
			boot := make([]byte, 512)
			empty := newImage(t, fstest.MapFS{}, fat.Volume{Bits: test.bits, Size: test.size})
			_, err := empty.ReadAt(boot, 0)
			require.NoError(t, err)
			cluster := int64(boot[13]) * 512
			tree := fstest.MapFS{"full": file(pattern(int(free*cluster), 9))}
			image := newImage(t, tree, fat.Volume{Bits: test.bits, Size: test.size})
			name := save(t, image)
			checkClean(t, name)
			checkContents(t, name, tree)
		})
	}
}

// TestNewAtStepsIsClean has a file that only a volume of a kind for less fits.
func TestNewAtStepsIsClean(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"file": file(pattern(8145<<10, 1))}
	image := newImage(t, tree, fat.Volume{Size: 8 << 20})
	require.Equal(t, 12, kind(clusters(t, image)))
	name := save(t, image)
	checkClean(t, name)
	checkContents(t, name, tree)
}

func TestNewFits(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		files int
		size  int
		spare int64
		bits  int // asked for
		kind  int
		most  int64 // bytes of the image
	}{
		{"nothing", 0, 0, 0, 0, 12, 24 << 10},
		{"nothing in FAT16", 0, 0, 0, 16, 16, 2200 << 10},
		{"nothing in FAT32", 0, 0, 0, 32, 32, 34 << 20},
		{"a program", 1, 1 << 20, 0, 0, 12, 1080 << 10},
		{"a program and room", 1, 1 << 20, 1 << 20, 0, 12, 2110 << 10},
		{"ten megabytes", 1, 10 << 20, 0, 0, 16, 10300 << 10},
		{"many files of one byte", 6000, 1, 0, 0, 16, 13 << 20},
		{"a hundred megabytes in FAT32", 100, 1 << 20, 0, 32, 32, 102 << 20},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tree := fstest.MapFS{"dir": {Mode: fs.ModeDir | 0o755, ModTime: someTime}}
			for i := range test.files {
				tree[fmt.Sprintf("dir/%d", i)] = file(bytes.Repeat([]byte{byte(i)}, test.size))
			}
			image := newImage(t, tree, fat.Volume{Bits: test.bits, Spare: test.spare})
			assert.Equal(t, test.kind, kind(clusters(t, image)))
			assert.LessOrEqual(t, image.Size(), test.most)
			assert.Zero(t, image.Size()%2048)
			name := save(t, image)
			checkClean(t, name)
			free := run(t, oracle.Need(t, "mdir"), "-i", name, "::")
			assert.GreaterOrEqual(t, freeBytes(t, free), test.spare)
			checkContents(t, name, tree)
		})
	}
}

// freeBytes reads the last line of mdir.
func freeBytes(tb testing.TB, listing string) (n int64) {
	tb.Helper()
	lines := strings.Split(strings.TrimSpace(listing), "\n")
	digits := strings.ReplaceAll(strings.TrimSuffix(strings.TrimSpace(lines[len(lines)-1]), " bytes free"), " ", "")
	_, err := fmt.Sscan(digits, &n)
	require.NoError(tb, err, listing)
	return n
}
