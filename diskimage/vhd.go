package diskimage

import (
	"context"
	"encoding/binary"
	"io"
	"strconv"
)

const (
	vhdFooterSize = 512
	// maxVHD is the largest disk that readers of the format take, in bytes.
	maxVHD = 2040 << 30
)

// WriteVHD writes disk to w as a fixed virtual hard disk, as Azure takes it
// (Virtual Hard Disk Image Format Specification 1.0), and returns the bytes
// written. The disk gets whole MiB, at most 2040 GiB; a GPT is moved to the new
// end. Holes are written as zeros, unless w is an [io.WriterAt] and an [io.Seeker]
// that is written at its end, such as a new file: there they stay holes.
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
