package diskimage_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
)

// twoTrees is a layout with a FAT and something raw.
func twoTrees() *diskimage.Layout {
	return &diskimage.Layout{Size: 64 * miB, Partitions: []diskimage.Partition{
		{Label: "efi", Type: diskimage.TypeEFI(), Size: 16 * miB, Content: diskimage.FAT("EFI", fstest.MapFS{"a/b.txt": smallFile("text")})},
		{Label: "raw", Content: text(strings.Repeat("raw ", 1000))},
	}}
}

func TestBuildWritesWhatOpenReads(t *testing.T) {
	t.Parallel()
	disk := opened(t, twoTrees())
	name := onDisk(t, twoTrees())
	file, err := os.Open(name)
	require.NoError(t, err)
	defer file.Close()
	assert.Equal(t, digest(t, disk), digest(t, io.NewSectionReader(file, 0, disk.Size())))
	assert.Equal(t, digest(t, disk), digest(t, opened(t, twoTrees())))
}

func TestBuildReports(t *testing.T) {
	t.Parallel()
	var last [2]int64
	var names []string
	var logged strings.Builder
	file, err := os.Create(t.TempDir() + "/disk")
	require.NoError(t, err)
	defer file.Close()
	size, err := diskimage.Build(t.Context(), file, twoTrees(),
		diskimage.WithLogger(slog.New(slog.NewTextHandler(&logged, nil))),
		diskimage.WithProgress(func(name string, done, total int64) {
			names, last = append(names, name), [2]int64{done, total}
		}))
	require.NoError(t, err)
	assert.Equal(t, [2]int64{size, size}, last)
	assert.Subset(t, []string{"disk"}, names)
	assert.Contains(t, logged.String(), `msg="disk built" partitions=2 bytes=67108864 written=`)
}

func TestDiskKnowsItsHoles(t *testing.T) {
	t.Parallel()
	disk := opened(t, twoTrees())
	data, at := int64(0), int64(0)
	zero := make([]byte, 64<<10)
	for {
		start, end, ok := disk.NextData(at)
		if !ok {
			break
		}
		require.Less(t, start, end)
		if n := min(start-at, int64(len(zero))); n > 0 {
			hole := make([]byte, n)
			_, err := disk.ReadAt(hole, at)
			require.NoError(t, err)
			assert.Equal(t, zero[:n], hole)
		}
		data, at = data+end-start, end
	}
	assert.Less(t, data, int64(200<<10))
	assert.Equal(t, disk.Size(), at, "the backup of the table is last")
}

// TestBuildWhenDataGoesBackwards has a content that does not know where its data
// is: it is read as a whole, once.
func TestBuildWhenDataGoesBackwards(t *testing.T) {
	t.Parallel()
	layout := func(f diskimage.File) *diskimage.Layout {
		return &diskimage.Layout{Partitions: []diskimage.Partition{{Content: diskimage.Raw(f)}}}
	}
	content := holey(1, miB, 3, 1000)
	file, err := os.Open(onDisk(t, layout(liar{content})))
	require.NoError(t, err)
	defer file.Close()
	disk := opened(t, layout(content))
	assert.Equal(t, digest(t, disk), digest(t, io.NewSectionReader(file, 0, disk.Size())))
}

// brokenContent fails.
type brokenContent struct{ min, open error }

func (c brokenContent) MinSize(context.Context) (int64, error) { return 0, c.min }

func (c brokenContent) Open(context.Context, int64) (diskimage.File, error) { return nil, c.open }

func TestBuildFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, c := range map[string]diskimage.Content{"size": brokenContent{min: broken}, "content": brokenContent{open: broken}} {
		_, err := diskimage.Build(t.Context(), nil, &diskimage.Layout{Partitions: []diskimage.Partition{{Label: "p", Content: c}}})
		require.ErrorIs(t, err, broken, name)
		assert.EqualError(t, err, `diskimage: build: partition 1 "p": broken`, name)
	}

	full := errors.New("no space left")
	_, err := diskimage.Build(t.Context(), failingWriter{full}, twoTrees())
	require.ErrorIs(t, err, full)

	ctx, stop := context.WithCancelCause(t.Context())
	stop(broken)
	_, err = diskimage.Build(ctx, failingWriter{full}, twoTrees())
	require.ErrorIs(t, err, broken)
	content := diskimage.FAT("EFI", fstest.MapFS{})
	_, err = content.MinSize(ctx)
	require.ErrorIs(t, err, broken)
	_, err = content.Open(ctx, miB)
	require.ErrorIs(t, err, broken)
}

// failingWriter cannot write.
type failingWriter struct{ err error }

// WriteAt implements [io.WriterAt].
func (w failingWriter) WriteAt([]byte, int64) (int, error) { return 0, w.err }

func TestOptionsTellAllFaults(t *testing.T) {
	t.Parallel()
	_, err := diskimage.Build(t.Context(), nil, new(diskimage.Layout), diskimage.WithLogger(nil), diskimage.WithProgress(nil), diskimage.WithArch("amd64"))
	assert.EqualError(t, err, "diskimage: build: WithArch means nothing here\nlogger is nil\nprogress function is nil")

	_, err = diskimage.Plain(t.Context(), smallRoot(), 0,
		diskimage.WithArch("sparc"), diskimage.WithSize(-1), diskimage.WithCmdline("it's"), diskimage.WithConsoles("tty0 "),
		diskimage.WithRootFiles(nil), diskimage.WithLoaders(nil, nil), diskimage.WithSpare(-2), diskimage.WithStateSize(1),
		diskimage.WithCloudConfig(make([]byte, 16<<20+1)))
	require.Error(t, err)
	assert.Equal(t, strings.Count(err.Error(), "\n")+1, 10, err)

	content := diskimage.FAT("X", fstest.MapFS{}, diskimage.WithoutJournal())
	_, err = content.MinSize(t.Context())
	require.EqualError(t, err, "diskimage: fat: WithoutJournal means nothing here")
	_, err = content.Open(t.Context(), miB)
	require.Error(t, err)
}

func TestOpenNothing(t *testing.T) {
	t.Parallel()
	_, err := diskimage.Open(t.Context(), nil)
	require.EqualError(t, err, "diskimage: open: layout is nil")
	for want, c := range map[string]diskimage.Content{
		"diskimage: raw: file is nil":       diskimage.Raw(nil),
		"diskimage: fat: file tree is nil":  diskimage.FAT("", nil),
		"diskimage: ext2: file tree is nil": diskimage.Ext2("", nil),
		"diskimage: ext4: file tree is nil": diskimage.Ext4("", nil),
	} {
		_, err := c.MinSize(t.Context())
		require.EqualError(t, err, want)
		_, err = c.Open(t.Context(), miB)
		require.EqualError(t, err, want)
	}
}

func TestContentsAreWhatTheirOptionsSay(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"file": smallFile("text")}
	least := func(c diskimage.Content) int64 {
		n, err := c.MinSize(t.Context())
		require.NoError(t, err)
		return n
	}
	assert.GreaterOrEqual(t, least(diskimage.FAT("", tree, diskimage.WithSpare(9*miB))), int64(9*miB))
	assert.GreaterOrEqual(t, least(diskimage.Ext4("", tree, diskimage.WithSpare(9*miB))), least(diskimage.Ext4("", tree))+8*miB)
	assert.Less(t, least(diskimage.Ext4("", tree, diskimage.WithoutJournal())), int64(miB))

	id := diskimage.TypeEFI() // Any will do.
	image, err := diskimage.Ext4("", tree, diskimage.WithUUID(id)).Open(t.Context(), 8*miB)
	require.NoError(t, err)
	b := make([]byte, 16)
	_, err = image.ReadAt(b, 1024+0x68)
	require.NoError(t, err)
	assert.Equal(t, id[:], b, "the identifier in the superblock")

	image, err = diskimage.FAT("", tree, diskimage.WithUUID(id)).Open(t.Context(), 4*miB)
	require.NoError(t, err)
	_, err = image.ReadAt(b[:4], 39)
	require.NoError(t, err)
	assert.Equal(t, binary.BigEndian.Uint32(id[:]), binary.LittleEndian.Uint32(b), "the serial number in the boot sector")
}

func TestFATTooSmall(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"large": smallFile(strings.Repeat("x", 3*miB))}
	_, err := diskimage.Open(t.Context(), &diskimage.Layout{Partitions: []diskimage.Partition{{Label: "efi", Size: miB, Content: diskimage.FAT("EFI", tree)}}})
	var small *diskimage.SizeError
	require.ErrorAs(t, err, &small)
	assert.Equal(t, `partition 1 "efi"`, small.What)
	assert.Greater(t, small.Need, int64(3*miB))

	_, err = diskimage.Open(t.Context(), &diskimage.Layout{Partitions: []diskimage.Partition{{Content: diskimage.FAT("lower case", tree)}}})
	assert.ErrorContains(t, err, "partition 1: fat:")
}

// growingContent is the file system of a tree that gets a file when it is opened.
type growingContent struct {
	diskimage.Content
	tree fstest.MapFS
}

func (c growingContent) Open(ctx context.Context, size int64) (diskimage.File, error) {
	c.tree["more"] = smallFile(strings.Repeat("x", 9*miB))
	return c.Content.Open(ctx, size)
}

func TestTooSmallSaysByHowMuch(t *testing.T) {
	t.Parallel()
	for _, content := range []func(fs.FS) diskimage.Content{
		func(tree fs.FS) diskimage.Content { return diskimage.FAT("D", tree) },
		func(tree fs.FS) diskimage.Content { return diskimage.Ext4("d", tree) },
	} {
		tree := fstest.MapFS{}
		_, err := diskimage.Open(t.Context(), &diskimage.Layout{Partitions: []diskimage.Partition{{Content: growingContent{content(tree), tree}}}})
		var small *diskimage.SizeError
		require.ErrorAs(t, err, &small)
		assert.Equal(t, int64(miB), small.Size)
		assert.Greater(t, small.Need, int64(9*miB))
	}
}

// TestWhatFitsDoes takes contents whose least file system is just below a size
// from which on it is another one.
func TestWhatFitsDoes(t *testing.T) {
	t.Parallel()
	for kind, content := range map[string]func(tree fs.FS) diskimage.Content{
		"FAT":   func(tree fs.FS) diskimage.Content { return diskimage.FAT("D", tree) },
		"ext4":  func(tree fs.FS) diskimage.Content { return diskimage.Ext4("d", tree) },
		"spare": func(tree fs.FS) diskimage.Content { return diskimage.Ext4("d", tree, diskimage.WithSpare(miB)) },
	} {
		for _, kib := range []int{6100, 6600, 7100, 7680, 8000, 8145} {
			tree := fstest.MapFS{"data": {Data: make([]byte, kib<<10)}}
			least, err := content(tree).MinSize(t.Context())
			require.NoError(t, err)
			least = (least + 511) &^ 511
			for _, size := range []int64{0, least, least + 3*512, diskimage.Rest} {
				opened(t, &diskimage.Layout{Size: least&^(miB-1) + 3*miB, Partitions: []diskimage.Partition{{Label: kind, Size: size, Content: content(tree)}}})
			}
		}
	}
}
