package diskimage_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/golden"
	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// oddDisks returns disks that are hard in some way.
func oddDisks() map[string]diskimage.File {
	data := mosaic.New()
	data.AddBytes(0, noise(1, 3<<20+777))
	corner := mosaic.New() // One byte in the last place, behind two whole tables.
	corner.AddBytes(70<<20, []byte{1})
	dense := mosaic.New() // Less between pieces than a range of its own is worth.
	for i := range int64(300) {
		dense.AddBytes(i*5000, noise(uint64(i), 3000))
	}
	holes := mosaic.New() // Holes and nothing else.
	holes.SetSize(3 << 20)
	return map[string]diskimage.File{
		"one byte":  holey(2, 1, 1, 1),
		"data":      data,
		"corner":    corner,
		"dense":     dense,
		"holes":     holes,
		"scattered": holey(3, 90<<20+512, 41, 200<<10),
		"unknown":   deaf(holey(4, 40<<20+1, 17, 300<<10)),
	}
}

func TestConvert(t *testing.T) {
	t.Parallel()
	for _, f := range diskFormats() {
		for name, disk := range oddDisks() {
			t.Run(f.name+" "+name, func(t *testing.T) {
				t.Parallel()
				requireDisk(t, disk, f.unit, f.read(t, f.written(t, disk)))
			})
		}
	}
}

// TestConvertDigests says when a byte of a format changes, and that the number
// of workers changes none.
func TestConvertDigests(t *testing.T) {
	t.Parallel()
	disk := holey(5, 70<<20, 20, 200<<10)
	var list strings.Builder
	for _, f := range diskFormats() {
		one := f.written(t, disk, workers(f, 1)...)
		assert.Equal(t, sha256.Sum256(one), sha256.Sum256(f.written(t, disk, workers(f, 8)...)), f.name)
		fmt.Fprintf(&list, "%x  %s\n", sha256.Sum256(one), f.name)
	}
	golden.Check(t, "formats.txt", []byte(list.String()))
}

// workers returns the option for so many, for formats that take it.
func workers(f diskFormat, n int) []diskimage.Option {
	if f.name == "gce" || f.name == "vmdk" {
		return []diskimage.Option{diskimage.WithWorkers(n)}
	}
	return nil
}

// gptDisk returns a disk of size bytes with a partition up to its end.
func gptDisk(tb testing.TB, size int64) diskimage.File {
	tb.Helper()
	table := gpt.Table{Size: size, ID: gpt.GUID{0: 1, 15: 2}, BootCode: []byte("boot"), Partitions: []gpt.Partition{{
		Start: 1 << 20, Size: size - gpt.TailSize - 1<<20, Type: gpt.BasicData(), ID: gpt.GUID{0: 3}, Name: "data",
	}}}
	primary, backup, err := table.Encode()
	require.NoError(tb, err)
	m := mosaic.New()
	m.AddBytes(0, primary)
	m.AddBytes(1<<20, noise(6, 100<<10))
	m.AddBytes(size-gpt.TailSize, backup)
	return m
}

// TestConvertMovesTable holds that firmware finds both tables where it looks.
func TestConvertMovesTable(t *testing.T) {
	t.Parallel()
	disk := gptDisk(t, 5<<20+7*512)
	before, err := gpt.Read(disk, disk.Size())
	require.NoError(t, err)
	for _, f := range diskFormats() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			size := (disk.Size() + f.unit - 1) / f.unit * f.unit
			raw := f.read(t, f.written(t, disk))
			after, err := gpt.Read(raw, size)
			require.NoError(t, err)
			assert.Equal(t, size, after.Size)
			assert.Equal(t, before.Partitions, after.Partitions)
			assert.Equal(t, before.ID, after.ID)
			wiped, err := gpt.Read(withoutHead{raw}, size) // Only the backup is left.
			require.NoError(t, err)
			assert.Equal(t, before.Partitions, wiped.Partitions)
		})
	}
}

// TestConvertLayout makes every format of a disk that nobody has written.
func TestConvertLayout(t *testing.T) {
	t.Parallel()
	tree := fstest.MapFS{"a file": {Data: noise(12, 300<<10)}}
	disk, err := diskimage.Open(t.Context(), &diskimage.Layout{Partitions: []diskimage.Partition{
		{Label: "one", Content: diskimage.FAT("ONE", tree), Size: 40 << 20},
		{Label: "two", Content: diskimage.Raw(holey(13, 5<<20, 4, 1000))},
	}})
	require.NoError(t, err)
	table, err := gpt.Read(disk, disk.Size())
	require.NoError(t, err)
	for _, f := range diskFormats() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			converted := f.read(t, f.written(t, disk))
			after, err := gpt.Read(converted, converted.Size())
			require.NoError(t, err)
			require.Equal(t, table.Partitions, after.Partitions)
			for _, p := range table.Partitions {
				requireDisk(t, io.NewSectionReader(disk, p.Start, p.Size), 1, io.NewSectionReader(converted, p.Start, p.Size))
			}
		})
	}
}

// withoutHead is a disk whose first table is lost.
type withoutHead struct{ r io.ReaderAt }

func (w withoutHead) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.r.ReadAt(p, off)
	if rest := gpt.HeadSize - off; rest > 0 {
		clear(p[:min(int64(len(p)), rest)])
	}
	return n, err
}

// A trap is a disk of which only what it says may be read.
type trap struct {
	*mosaic.Image
	tb testing.TB
}

func (d trap) ReadAt(p []byte, off int64) (int, error) {
	const near = 64 << 10 // Tables are looked for at both ends, and blocks are read whole.
	start, _, ok := d.NextData(max(off-near, 0))
	edge := off < gpt.HeadSize || off+int64(len(p)) > d.Size()-gpt.TailSize
	if !edge && (!ok || start >= off+int64(len(p))+near) {
		d.tb.Errorf("reads %d bytes of a hole at %d", len(p), off)
	}
	return d.Image.ReadAt(p, off)
}

// TestConvertReadsNoHoles takes a disk that nobody could read in time.
func TestConvertReadsNoHoles(t *testing.T) {
	t.Parallel()
	for _, f := range diskFormats() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			m := mosaic.New()
			m.SetSize(1 << 40)
			for i := range int64(40) {
				m.AddBytes(i*25<<30+i*4096, noise(uint64(i), 70000))
			}
			name := f.file(t, trap{m, t})
			info, err := os.Stat(name)
			require.NoError(t, err)
			if f.name != "vhd" {
				assert.Less(t, info.Size(), int64(16<<20))
			}
		})
	}
}

// A rangeWriter notes what is written.
type rangeWriter struct{ ranges [][2]int64 }

// WriteAt implements [io.WriterAt].
func (w *rangeWriter) WriteAt(p []byte, off int64) (int, error) {
	w.ranges = append(w.ranges, [2]int64{off, off + int64(len(p))})
	return len(p), nil
}

func TestWriteQCOW2WritesNothingTwice(t *testing.T) {
	t.Parallel()
	for name, disk := range oddDisks() {
		var w rangeWriter
		n, err := diskimage.WriteQCOW2(t.Context(), &w, disk)
		require.NoError(t, err)
		assert.Zero(t, w.ranges[len(w.ranges)-1][0], "%s: the header is last", name)
		slices.SortFunc(w.ranges, func(a, b [2]int64) int { return cmp.Compare(a[0], b[0]) })
		for i := range w.ranges[1:] {
			assert.LessOrEqual(t, w.ranges[i][1], w.ranges[i+1][0], name)
		}
		assert.Equal(t, n, w.ranges[len(w.ranges)-1][1], name)
	}
}

func TestConvertProgress(t *testing.T) {
	t.Parallel()
	for _, f := range diskFormats() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			disk := holey(7, 20<<20, 9, 1<<20)
			size := (disk.Size() + f.unit - 1) / f.unit * f.unit
			var reports [][2]int64
			f.written(t, disk, diskimage.WithProgress(func(name string, done, total int64) {
				assert.Equal(t, f.name, name)
				reports = append(reports, [2]int64{done, total})
			}))
			require.GreaterOrEqual(t, len(reports), 2)
			assert.Equal(t, [2]int64{0, size}, reports[0])
			assert.Equal(t, [2]int64{size, size}, reports[len(reports)-1])
			for i := range reports[1:] {
				assert.LessOrEqual(t, reports[i][0], reports[i+1][0])
			}
		})
	}
}

func TestConvertFaults(t *testing.T) {
	t.Parallel()
	empty := mosaic.New()
	huge := mosaic.New()
	huge.SetSize(1 << 62)
	short := sized{strings.NewReader("short"), 4 << 20}
	backwards := liar{holey(8, 1<<20, 1, 100)}
	for _, f := range diskFormats() {
		for _, c := range []struct {
			name string
			disk diskimage.File
			opts []diskimage.Option
			want string
		}{
			{"nil", nil, nil, "disk is nil"},
			{"empty", empty, nil, "disk of 0 bytes: there is nothing to write"},
			{"huge", huge, nil, "the format takes at most"},
			{"short", short, nil, "unexpected EOF"},
			{"backwards", backwards, nil, "NextData(0) returns the range 5 to 0"},
			{"option", empty, []diskimage.Option{diskimage.WithArch("amd64")}, "WithArch means nothing here"},
			{"logger", empty, []diskimage.Option{diskimage.WithLogger(nil)}, "logger is nil"},
		} {
			if f.name == "gce" && c.name == "huge" {
				continue // It has no limit of its own.
			}
			t.Run(f.name+" "+c.name, func(t *testing.T) {
				t.Parallel()
				out, err := os.Create(t.TempDir() + "/out")
				require.NoError(t, err)
				defer out.Close()
				_, err = f.write(t.Context(), out, c.disk, c.opts...)
				require.ErrorContains(t, err, c.want)
				require.ErrorContains(t, err, "diskimage: "+f.name+": ")
				var typed *diskimage.Error
				require.ErrorAs(t, err, &typed)
				assert.Equal(t, f.name, typed.Op)
			})
		}
	}
}

// sized is a file that says it has size bytes.
type sized struct {
	io.ReaderAt
	size int64
}

func (s sized) Size() int64 { return s.size }

// liar is a disk whose ranges are none.
type liar struct{ diskimage.File }

func (liar) NextData(int64) (start, end int64, ok bool) { return 5, 0, true }

func TestConvertStops(t *testing.T) {
	t.Parallel()
	why := errors.New("enough")
	for _, f := range diskFormats() {
		t.Run(f.name+" when cancelled", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			out, err := os.Create(t.TempDir() + "/out")
			require.NoError(t, err)
			defer out.Close()
			disk := cancelling{holey(9, 200<<20, 100, 1<<20), func() { cancel(why) }}
			_, err = f.write(ctx, out, disk)
			require.ErrorIs(t, err, why)
		})
		t.Run(f.name+" when the disk fails", func(t *testing.T) {
			t.Parallel()
			out, err := os.Create(t.TempDir() + "/out")
			require.NoError(t, err)
			defer out.Close()
			_, err = f.write(t.Context(), out, failing{holey(9, 20<<20, 10, 1<<20), why})
			require.ErrorIs(t, err, why)
		})
		t.Run(f.name+" when it cannot write", func(t *testing.T) {
			t.Parallel()
			out, err := os.Open(os.DevNull)
			require.NoError(t, err)
			defer out.Close()
			_, err = f.write(t.Context(), out, holey(9, 20<<20, 10, 1<<20))
			require.Error(t, err)
		})
		t.Run(f.name+" when less is taken", func(t *testing.T) {
			t.Parallel()
			disk := holey(9, 1<<20, 3, 1<<16)
			const all = 1 << 40
			room := int64(all)
			_, err := f.write(t.Context(), silent{&room}, disk)
			require.NoError(t, err)
			for _, room := range []int64{0, all - room - 1} {
				_, err := f.write(t.Context(), silent{&room}, disk)
				require.ErrorIs(t, err, io.ErrShortWrite)
			}
		})
	}
}

// silent is an output with room for so many bytes. It takes what fits, and says
// nothing.
type silent struct{ room *int64 }

func (s silent) Write(p []byte) (int, error) {
	n := min(int64(len(p)), *s.room)
	*s.room -= n
	return int(n), nil
}

func (s silent) WriteAt(p []byte, _ int64) (int, error) { return s.Write(p) }

// cancelling is a disk that calls stop when something behind the table is read.
type cancelling struct {
	*mosaic.Image
	stop func()
}

func (d cancelling) ReadAt(p []byte, off int64) (int, error) {
	if off > gpt.HeadSize && off < d.Size()-gpt.TailSize {
		d.stop()
	}
	return d.Image.ReadAt(p, off)
}

// failing is a disk with a fault behind the table.
type failing struct {
	*mosaic.Image
	err error
}

func (d failing) ReadAt(p []byte, off int64) (int, error) {
	if off > gpt.HeadSize && off < d.Size()-gpt.TailSize {
		return 0, d.err
	}
	return d.Image.ReadAt(p, off)
}

// FuzzConvert converts disks with data anywhere.
func FuzzConvert(f *testing.F) {
	f.Add(uint64(1), uint32(1), uint8(1), uint32(1), true)
	f.Add(uint64(2), uint32(80<<20), uint8(50), uint32(5000), false)
	f.Add(uint64(3), uint32(33<<20+1), uint8(15), uint32(70000), true)
	f.Fuzz(func(t *testing.T, seed uint64, size uint32, count uint8, most uint32, known bool) {
		size, most = 1+size%(100<<20), 1+most%(1<<20)
		pieces := 1 + int(min(uint32(count), size-1))
		var disk diskimage.File = holey(seed, int64(size), pieces, int(most))
		if !known {
			disk = deaf(disk)
		}
		for _, format := range diskFormats() {
			requireDisk(t, disk, format.unit, format.read(t, format.written(t, disk)))
		}
	})
}
