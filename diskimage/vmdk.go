package diskimage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

const (
	vmdkGrain = 64 << 10 // bytes
	// vmdkEntries is how many grains a grain table has.
	vmdkEntries = 512
	// vmdkOverhead is where the first grain is, in sectors.
	vmdkOverhead = 128
	// vmdkDescriptor is the room for the descriptor behind the header, in sectors.
	vmdkDescriptor = 20
	// maxVMDK is the largest disk in bytes: places are 32 bits of sectors.
	maxVMDK = 2<<40 - vmdkGrain
)

// Kinds of metadata, as their markers say.
const (
	vmdkEnd       = 0
	vmdkTable     = 1
	vmdkDirectory = 2
	vmdkFooter    = 3
)

// WriteVMDK writes disk to w as a VMDK of the type streamOptimized, as OVA files
// have it and as ESX and AWS import it (Virtual Disk Format 5.0), and returns
// the bytes written. The disk gets whole grains of 64 KiB, less than 2 TiB; a GPT
// is moved to the new end. Grains of zeros are not stored, others are compressed.
func WriteVMDK(ctx context.Context, w io.Writer, disk File, opts ...Option) (int64, error) {
	cfg, err := newConfig(opVMDK, opts)
	if err != nil {
		return 0, err
	}
	n, err := cfg.writeVMDK(ctx, w, disk)
	return n, cfg.wrap(err)
}

func (c *config) writeVMDK(ctx context.Context, w io.Writer, disk File) (int64, error) {
	disk, err := fitted(disk, vmdkGrain, maxVMDK)
	if err != nil {
		return 0, err
	}
	packers, err := newGrainPackers(c.processors())
	if err != nil {
		return 0, err
	}
	v := newVMDK(w, disk.Size())
	progress := c.newGauge(v.size)
	f := feed{disk: disk, unit: vmdkGrain}
	read := func(j *job) error {
		off, n, err := f.next(ctx, j.plain)
		j.off, j.plain = off, j.plain[:n]
		return err
	}
	write := func(j *job) error {
		progress.reach(j.off + int64(len(j.plain)))
		return v.grains(j)
	}
	err = v.begin(identity(disk))
	if err == nil {
		err = sideBySide(ctx, packers, read, write)
	}
	if err == nil {
		err = v.finish()
	}
	if err == nil {
		progress.finish()
	}
	return v.written, err
}

// A vmdk is an image that is being written: header and descriptor, then grains
// with their tables, then the directory of the tables and a footer.
type vmdk struct {
	w         io.Writer
	size      int64 // of the disk in bytes
	written   int64 // bytes
	directory []uint32
	table     []uint32 // that is being filled
	index     int64    // of that in directory
	used      bool     // table has an entry
}

func newVMDK(w io.Writer, size int64) *vmdk {
	tables := (size + vmdkEntries*vmdkGrain - 1) / (vmdkEntries * vmdkGrain)
	return &vmdk{w: w, size: size, directory: make([]uint32, tables), table: make([]uint32, vmdkEntries)}
}

// begin writes the header and the descriptor. Where the directory is, only the
// footer knows.
func (v *vmdk) begin(id GUID) error {
	b := v.header(math.MaxUint64)
	b = append(b, v.descriptor(id)...)
	if len(b) > (1+vmdkDescriptor)*sectorSize {
		return errors.New("the descriptor is too long")
	}
	return v.write(append(b, make([]byte, vmdkOverhead*sectorSize-len(b))...))
}

// grains writes what was made of j, and notes where its grains are.
func (v *vmdk) grains(j *job) error {
	for _, part := range j.parts {
		if index := part.number / vmdkEntries; index != v.index {
			if err := v.flush(); err != nil {
				return err
			}
			v.index = index
		}
		sector, err := v.sector(int64(part.at))
		if err != nil {
			return err
		}
		v.table[part.number%vmdkEntries], v.used = sector, true
	}
	return v.write(j.packed)
}

// flush writes the table of the grains before.
func (v *vmdk) flush() error {
	if !v.used {
		return nil
	}
	sector, err := v.metadata(vmdkTable, v.table)
	v.directory[v.index] = sector
	clear(v.table)
	v.used = false
	return err
}

// finish writes the directory, the footer and the end.
func (v *vmdk) finish() error {
	if err := v.flush(); err != nil {
		return err
	}
	sector, err := v.metadata(vmdkDirectory, v.directory)
	if err != nil {
		return err
	}
	b := append(vmdkMarker(1, vmdkFooter), v.header(uint64(sector))...)
	return v.write(append(b, vmdkMarker(0, vmdkEnd)...))
}

// metadata writes a table behind its marker, and returns the sector where it is.
func (v *vmdk) metadata(kind uint32, table []uint32) (uint32, error) {
	sectors := (len(table)*4 + sectorSize - 1) / sectorSize
	sector, err := v.sector(sectorSize)
	if err != nil {
		return 0, err
	}
	b := vmdkMarker(uint64(sectors), kind)
	for _, entry := range table {
		b = binary.LittleEndian.AppendUint32(b, entry)
	}
	return sector, v.write(append(b, make([]byte, (1+sectors)*sectorSize-len(b))...))
}

// sector returns the number of the sector that lies so many bytes ahead.
func (v *vmdk) sector(ahead int64) (uint32, error) {
	n := (v.written + ahead) / sectorSize
	if n > math.MaxUint32 {
		return 0, fmt.Errorf("the image gets larger than %d bytes", int64(math.MaxUint32)*sectorSize)
	}
	return uint32(n), nil
}

func (v *vmdk) write(p []byte) error {
	n, err := v.w.Write(p)
	v.written += int64(n)
	return mosaic.Whole(n, p, err)
}

// vmdkMarker returns the sector in front of metadata of so many sectors.
func vmdkMarker(sectors uint64, kind uint32) []byte {
	b := binary.LittleEndian.AppendUint64(make([]byte, 0, sectorSize), sectors)
	b = binary.LittleEndian.AppendUint32(b, 0) // Grains have their size here.
	b = binary.LittleEndian.AppendUint32(b, kind)
	return b[:sectorSize]
}

// header returns the header with the sector where the directory is.
func (v *vmdk) header(directory uint64) []byte {
	const (
		newlines   = 1 << 0  // The bytes behind the header tell a transfer as text.
		compressed = 1 << 16 // Grains are.
		markers    = 1 << 17 // Grains and metadata have one.
		deflate    = 1
	)
	le := binary.LittleEndian
	b := append(make([]byte, 0, sectorSize), "KDMV"...)
	b = le.AppendUint32(b, 3)
	b = le.AppendUint32(b, newlines|compressed|markers)
	b = le.AppendUint64(b, uint64(v.size/sectorSize))
	b = le.AppendUint64(b, vmdkGrain/sectorSize)
	b = le.AppendUint64(b, 1)
	b = le.AppendUint64(b, vmdkDescriptor)
	b = le.AppendUint32(b, vmdkEntries)
	b = le.AppendUint64(b, 0) // No second directory.
	b = le.AppendUint64(b, directory)
	b = le.AppendUint64(b, vmdkOverhead)
	b = append(b, 0) // Closed as it should be.
	b = append(b, "\n \r\n"...)
	b = le.AppendUint16(b, deflate)
	return b[:sectorSize]
}

// descriptor returns the text that says what the disk is.
func (v *vmdk) descriptor(id GUID) string {
	const (
		heads   = 255
		sectors = 63
	)
	total := v.size / sectorSize
	content := named(id, "vmdk "+strconv.FormatInt(v.size, 10))
	cid := binary.BigEndian.Uint32(content[:]) &^ (1 << 31) // FFFFFFFF is none.
	return fmt.Sprintf(`# Disk DescriptorFile
version=1
encoding="UTF-8"
CID=%08x
parentCID=ffffffff
createType="streamOptimized"

# Extent description
RDONLY %d SPARSE "disk.vmdk"

# The Disk Data Base
#DDB

ddb.adapterType = "lsilogic"
ddb.geometry.cylinders = "%d"
ddb.geometry.heads = "%d"
ddb.geometry.sectors = "%d"
ddb.virtualHWVersion = "7"
`, cid, total, max(total/heads/sectors, 1), heads, sectors)
}
