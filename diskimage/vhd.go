package diskimage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/netbootkit/netbootkit/internal/gpt"
)

const (
	vhdFooterSize = 512
	// maxVHD is the largest disk that readers of the format take, in bytes.
	maxVHD = 2040 << 30
)

// WriteVHD writes disk to w as a fixed virtual hard disk, as Azure takes it
// (Virtual Hard Disk Image Format Specification 1.0), and returns the bytes
// written. The disk gets whole MiB, at most 2040 GiB; a GPT is moved to the new
// end. In a file that is written at its end holes stay holes; to any other
// Writer they are written as zeros.
func WriteVHD(ctx context.Context, w io.Writer, disk File, opts ...Option) (int64, error) {
	cfg, err := newConfig(opVHD, opts)
	if err != nil {
		return 0, err
	}
	n, err := cfg.writeVHD(ctx, w, disk)
	return n, cfg.wrap(err)
}

func (c *config) writeVHD(ctx context.Context, w io.Writer, disk File) (int64, error) {
	disk, err := fitted(disk, MiB, maxVHD)
	if err != nil {
		return 0, err
	}
	size := disk.Size()
	s := c.newStream(w, size)
	err = eachData(ctx, disk, s.write)
	if err == nil {
		err = s.hole(ctx, size)
	}
	if err == nil {
		err = s.end(vhdFooter(size, named(identity(disk), "vhd "+strconv.FormatInt(size, 10))))
	}
	return s.pos, err
}

// eachData calls fn for the data of a disk, in order, without blocks of zeros.
func eachData(ctx context.Context, disk File, fn func(ctx context.Context, p []byte, off int64) error) error {
	f := feed{disk: disk, unit: sectorSize}
	buf := make([]byte, chunkSize)
	for {
		off, n, err := f.next(ctx, buf)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		for start, end := range dataRuns(buf[:n], smallGap) {
			if err := fn(ctx, buf[start:end], off+int64(start)); err != nil {
				return err
			}
		}
	}
}

// fitted returns disk with whole units, and fails if there are more than most
// bytes or none.
func fitted(disk File, unit, most int64) (File, error) {
	switch size := disk.Size(); {
	case size <= 0:
		return nil, fmt.Errorf("disk of %d bytes: there is nothing to write", size)
	case size > most:
		return nil, fmt.Errorf("disk of %d bytes: the format takes at most %d", size, most)
	default:
		return fit(disk, alignUp(size, unit))
	}
}

// identity returns what tells disk from others: the identifier in its GPT, or
// one that is made of its first sector.
func identity(disk File) GUID {
	if table, err := gpt.Read(disk, disk.Size()); err == nil {
		return GUID(table.ID)
	}
	first := make([]byte, min(sectorSize, disk.Size()))
	if err := readFull(disk, first, 0); err != nil {
		return GUID{} // Who reads the disk next says so.
	}
	return named(GUID{}, string(first))
}

// vhdFooter returns the last bytes of a fixed disk.
func vhdFooter(size int64, id GUID) []byte {
	be := binary.BigEndian
	b := make([]byte, 0, vhdFooterSize)
	b = append(b, "conectix"...)
	b = be.AppendUint32(b, 2)                   // Features: a bit that is always set.
	b = be.AppendUint32(b, 0x0001_0000)         // The version of the format.
	b = be.AppendUint64(b, 0xFFFFFFFF_FFFFFFFF) // A fixed disk has no other header.
	b = be.AppendUint32(b, 0)                   // The start of 2000.
	b = append(b, "win "...)                    // Readers make up the size of others' disks from the geometry.
	b = be.AppendUint32(b, 0x000A_0000)
	b = append(b, "Wi2k"...)
	b = be.AppendUint64(b, uint64(size)) // When it was made,
	b = be.AppendUint64(b, uint64(size)) // and now.
	cylinders, heads, sectors := vhdGeometry(size / sectorSize)
	b = be.AppendUint16(b, uint16(cylinders))
	b = append(b, byte(heads), byte(sectors))
	b = be.AppendUint32(b, 2) // A fixed disk.
	b = be.AppendUint32(b, 0) // The checksum.
	b = append(b, id[:]...)
	b = append(b, make([]byte, vhdFooterSize-len(b))...)
	var sum uint32
	for _, c := range b {
		sum += uint32(c)
	}
	be.PutUint32(b[64:], ^sum)
	return b
}

// vhdGeometry returns cylinders, heads and sectors per track of a disk, as the
// appendix of the specification computes them.
func vhdGeometry(total int64) (cylinders, heads, sectors int64) {
	total = min(total, 65535*16*255)
	if total >= 65535*16*63 {
		return total / 255 / 16, 16, 255
	}
	sectors = 17
	heads = max((total/sectors+1023)/1024, 4)
	if total/sectors >= heads*1024 || heads > 16 {
		sectors, heads = 31, 16
	}
	if total/sectors >= heads*1024 {
		sectors, heads = 63, 16
	}
	return total / sectors / heads, heads, sectors
}
