package diskimage_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/diskimage"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// A diskFormat is one of the formats that disks are converted to. Its reader
// follows the format's specification, and shares nothing with the writer.
type diskFormat struct {
	name  string
	unit  int64 // the disk is a multiple of it
	write func(ctx context.Context, w output, disk diskimage.File, opts ...diskimage.Option) (int64, error)
	read  func(tb testing.TB, image []byte) diskimage.File
}

func diskFormats() []diskFormat {
	return []diskFormat{
		{"vhd", 1 << 20, func(ctx context.Context, w output, disk diskimage.File, opts ...diskimage.Option) (int64, error) {
			return diskimage.WriteVHD(ctx, w, disk, opts...)
		}, readVHD},
		{"gce", 1 << 30, func(ctx context.Context, w output, disk diskimage.File, opts ...diskimage.Option) (int64, error) {
			return diskimage.WriteGCE(ctx, w, disk, opts...)
		}, readGCE},
		{"qcow2", 512, func(ctx context.Context, w output, disk diskimage.File, opts ...diskimage.Option) (int64, error) {
			return diskimage.WriteQCOW2(ctx, w, disk, opts...)
		}, readQCOW2},
		{"vmdk", 64 << 10, func(ctx context.Context, w output, disk diskimage.File, opts ...diskimage.Option) (int64, error) {
			return diskimage.WriteVMDK(ctx, w, disk, opts...)
		}, readVMDK},
	}
}

// output is where an image goes: each format takes a part of it.
type output interface {
	io.Writer
	io.WriterAt
}

// written returns what the format makes of disk.
func (f diskFormat) written(tb testing.TB, disk diskimage.File, opts ...diskimage.Option) []byte {
	tb.Helper()
	name := f.file(tb, disk, opts...)
	b, err := os.ReadFile(name)
	require.NoError(tb, err)
	return b
}

// file returns the name of a file with what the format makes of disk.
func (f diskFormat) file(tb testing.TB, disk diskimage.File, opts ...diskimage.Option) string {
	tb.Helper()
	out, err := os.CreateTemp(tb.TempDir(), f.name)
	require.NoError(tb, err)
	defer out.Close()
	n, err := f.write(tb.Context(), out, disk, opts...)
	require.NoError(tb, err)
	info, err := out.Stat()
	require.NoError(tb, err)
	require.Equal(tb, info.Size(), n, "bytes written")
	return out.Name()
}

// requireDisk fails tb unless got is disk, with zeros up to a multiple of unit.
// What is a hole in both is not read.
func requireDisk(tb testing.TB, disk diskimage.File, unit int64, got diskimage.File) {
	tb.Helper()
	size := (disk.Size() + unit - 1) / unit * unit
	require.Equal(tb, size, got.Size())
	a, b := make([]byte, 1<<20), make([]byte, 1<<20)
	for off := int64(0); off < size; off += int64(len(a)) {
		n := int(min(int64(len(a)), size-off))
		if !dataIn(disk, off, n) && !dataIn(got, off, n) {
			continue
		}
		have, err := disk.ReadAt(a[:n], off)
		if !errors.Is(err, io.EOF) {
			require.NoError(tb, err)
		}
		clear(a[have:n])
		have, err = got.ReadAt(b[:n], off)
		require.Equal(tb, n, have, "%v", err)
		if !bytes.Equal(a[:n], b[:n]) {
			require.Fail(tb, "another disk", "differs between %d and %d", off, off+int64(n))
		}
	}
}

// dataIn says whether a disk may have data in n bytes at off.
func dataIn(disk diskimage.File, off int64, n int) bool {
	s, ok := disk.(diskimage.Sparse)
	if !ok {
		return off < disk.Size()
	}
	start, _, ok := s.NextData(off)
	return ok && start < off+int64(n)
}

// noise returns bytes that do not compress.
func noise(seed uint64, n int) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

// holey returns a disk with count pieces of data, of a few bytes up to most,
// anywhere on it.
func holey(seed uint64, size int64, count, most int) *mosaic.Image {
	r := rand.New(rand.NewPCG(seed, 0))
	m := mosaic.New()
	m.SetSize(size)
	room := size / int64(count)
	for i := range int64(count) {
		n := 1 + r.Int64N(min(int64(most), room))
		m.AddBytes(i*room+r.Int64N(room-n+1), noise(seed+uint64(i), int(n)))
	}
	return m
}

// deaf hides where the data of a disk is.
func deaf(disk diskimage.File) diskimage.File {
	return io.NewSectionReader(disk, 0, disk.Size())
}

func readVHD(tb testing.TB, image []byte) diskimage.File {
	tb.Helper()
	require.Greater(tb, len(image), 512)
	return bytes.NewReader(image[:len(image)-512])
}

// readGCE reads the archive by the layout of GNU tar's old headers (GNU tar
// manual, "Basic Tar Format").
func readGCE(tb testing.TB, image []byte) diskimage.File {
	tb.Helper()
	r := bytes.NewReader(image)
	z, err := gzip.NewReader(r)
	require.NoError(tb, err)
	z.Multistream(false)
	plain, err := io.ReadAll(z)
	require.NoError(tb, err)
	require.Zero(tb, r.Len(), "bytes behind the archive")
	require.Equal(tb, "disk.raw\x00", string(plain[:9]))
	require.EqualValues(tb, 'S', plain[156])
	head, data := plain[:512], plain[512:]
	places, more := head[386:482], head[482]
	for more == 1 {
		places = append(slices.Clip(places), data[:504]...)
		more, data = data[504], data[512:]
	}
	m := mosaic.New()
	m.SetSize(tarField(tb, head[483:495]))
	stored := int64(0)
	for ; len(places) > 0 && places[0] != 0; places = places[24:] {
		off, n := tarField(tb, places[:12]), tarField(tb, places[12:24])
		m.AddBytes(off, data[stored:stored+n])
		stored += n
	}
	require.NoError(tb, m.Check())
	require.Equal(tb, tarField(tb, head[124:136]), stored)
	require.Equal(tb, make([]byte, len(data[stored:])), data[stored:], "behind the file")
	require.GreaterOrEqual(tb, len(data[stored:]), 1024)
	return m
}

// tarField returns a number in octal digits, or with 0x80 in front.
func tarField(tb testing.TB, b []byte) int64 {
	tb.Helper()
	if b[0] == 0x80 {
		return int64(binary.BigEndian.Uint64(b[4:]))
	}
	n, err := strconv.ParseInt(string(b[:len(b)-1]), 8, 64)
	require.NoError(tb, err)
	return n
}

// readQCOW2 reads the disk by the two levels of tables, and holds the reference
// counts against them (QEMU docs/interop/qcow2.rst).
func readQCOW2(tb testing.TB, image []byte) diskimage.File {
	tb.Helper()
	be := binary.BigEndian
	const cluster = 65536
	require.Equal(tb, "QFI\xfb", string(image[:4]))
	require.EqualValues(tb, 3, be.Uint32(image[4:]))
	require.EqualValues(tb, 16, be.Uint32(image[20:]))
	require.EqualValues(tb, 104, be.Uint32(image[100:]))
	require.Zero(tb, len(image)%cluster)
	size := int64(be.Uint64(image[24:]))
	used := make([]uint16, len(image)/cluster)
	take := func(at uint64) uint64 { // A place in the image of which one more thing is.
		at &= 1<<56 - 1
		require.Zero(tb, at%cluster)
		used[at/cluster]++
		return at
	}
	take(0)
	first, entries := be.Uint64(image[40:]), uint64(be.Uint32(image[36:]))
	for at := uint64(0); at < entries*8; at += cluster {
		take(first + at)
	}
	m := mosaic.New()
	for i := range entries {
		entry := be.Uint64(image[first+i*8:])
		if entry == 0 {
			continue
		}
		require.NotZero(tb, entry>>63)
		table := take(entry)
		for j := range uint64(cluster / 8) {
			if entry := be.Uint64(image[table+j*8:]); entry != 0 {
				require.NotZero(tb, entry>>63)
				at := take(entry)
				off := int64(i*cluster/8+j) * cluster
				m.AddBytes(off, image[at:at+uint64(min(cluster, size-off))])
			}
		}
	}
	counts, clusters := be.Uint64(image[48:]), uint64(be.Uint32(image[56:]))
	var told []uint16
	for at := counts; at < counts+clusters*cluster; at += 8 {
		if at%cluster == 0 {
			take(at)
		}
		if entry := be.Uint64(image[at:]); entry != 0 {
			block := take(entry)
			for k := range uint64(cluster / 2) {
				told = append(told, be.Uint16(image[block+k*2:]))
			}
		}
	}
	for _, n := range told[len(used):] {
		require.Zero(tb, n, "a cluster behind the end")
	}
	require.Equal(tb, used, told[:len(used)], "reference counts")
	m.SetSize(size)
	return m
}

// readVMDK reads the image as a stream, from the first marker to the last, and
// holds tables, directory and footer against what came (VMware Virtual Disk
// Format 5.0, "Stream-Optimized Compressed Sparse Extents").
func readVMDK(tb testing.TB, image []byte) diskimage.File {
	tb.Helper()
	le := binary.LittleEndian
	require.Equal(tb, "KDMV", string(image[:4]))
	require.Equal(tb, uint64(1<<64-1), le.Uint64(image[56:]), "the directory is at the end")
	size := int64(le.Uint64(image[12:])) * 512
	require.EqualValues(tb, 128, le.Uint64(image[20:]))
	m := mosaic.New()
	m.SetSize(size)
	places := make(map[uint32]uint32) // of grains
	seen := make(map[uint32]uint32)   // in tables
	tables := make(map[uint32][]byte)
	at := le.Uint64(image[64:]) * 512
	for {
		sector, length, kind := le.Uint64(image[at:]), le.Uint32(image[at+8:]), le.Uint32(image[at+12:])
		body := image[at+512:]
		switch {
		case length > 0:
			z, err := zlib.NewReader(bytes.NewReader(image[at+12 : at+12+uint64(length)]))
			require.NoError(tb, err)
			grain, err := io.ReadAll(z)
			require.NoError(tb, err)
			require.Len(tb, grain, 65536)
			m.AddBytes(int64(sector)*512, grain)
			places[uint32(sector/128)] = uint32(at / 512)
			at += (12 + uint64(length) + 511) / 512 * 512
			continue
		case kind == 0:
			require.Equal(tb, uint64(len(image)), at+512, "the end is the end")
			footer := image[at-512 : at]
			directory := le.Uint64(footer[56:]) * 512
			require.Equal(tb, image[:56], footer[:56])
			for i := range (size + 512*65536 - 1) / (512 * 65536) {
				place := le.Uint32(image[directory+uint64(i)*4:])
				if place == 0 {
					continue
				}
				for j := range uint32(512) {
					if entry := le.Uint32(tables[place][j*4:]); entry != 0 {
						seen[uint32(i)*512+j] = entry
					}
				}
			}
			require.Equal(tb, places, seen)
			return m
		case kind == 1:
			tables[uint32(at/512)+1] = body[:2048]
		}
		at += 512 + sector*512
	}
}
