package isobuild

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/netbootkit/netbootkit/internal/gpt"
)

const (
	sectorSize  = gpt.SectorSize
	systemArea  = 16 * blockSize // bytes before the descriptors
	slotsOffset = 446            // of the MBR's four entries (UEFI 2.10 §5.2.1)
	slotSize    = 16

	typeProtective = 0xee
	typeEFI        = 0xef

	headerSize   = 92 // bytes of a GPT header that count (UEFI 2.10 §5.3.2)
	entrySize    = 128
	maxEntries   = 252 // what fits into the system area behind two sectors
	maxAlignment = 1 << 20
	noCylinder   = "\xfe\xff\xff" // an address beyond what CHS can say
	lastCylinder = 1023
)

// A partition is an entry of the MBR or of the GPT of an image, in bytes.
type partition struct {
	start, end int64
	efi        bool
	gpt        bool
	mounts     bool // whether it has descriptors like those of the image
	at         int  // where its entry is in the system area
}

// A disk is what an image looks like on a USB stick: the system area and the
// partitions it speaks of. Whatever else is in there stays as it is.
type disk struct {
	area       []byte // the system area
	size       int64  // of the image, in bytes
	partitions []partition
	gpt        bool
	entries    int   // of the GPT
	array      int   // where they are in the system area
	usable     int64 // end of what partitions may use, in bytes; 0 without a GPT
}

// readDisk reads the partition tables of an image.
func readDisk(iso File) (*disk, error) {
	d := &disk{area: make([]byte, systemArea), size: iso.Size()}
	if n, err := iso.ReadAt(d.area, 0); n < len(d.area) {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("system area: %w", err)
	}
	if d.area[510] == 0x55 && d.area[511] == 0xaa {
		d.readMBR()
	}
	if err := d.readGPT(); err != nil {
		return nil, err
	}
	return d, d.findMounts(iso)
}

// findMounts finds the partitions that have descriptors like those of the
// image. What reads beyond its end has none.
func (d *disk) findMounts(iso File) error {
	whole, part := make([]byte, blockSize), make([]byte, blockSize)
	if err := readBlock(iso, whole, firstDescriptor); err != nil {
		return fmt.Errorf("descriptors: %w", err)
	}
	for i := range d.partitions {
		p := &d.partitions[i]
		if p.start%blockSize != 0 || p.start >= d.size {
			continue
		}
		err := readBlock(iso, part, p.start/blockSize+firstDescriptor)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("partition: %w", err)
		}
		p.mounts = err == nil && sameVolume(whole, part)
	}
	return nil
}

func (d *disk) readMBR() {
	for at := slotsOffset; at < slotsOffset+4*slotSize; at += slotSize {
		e := d.area[at : at+slotSize]
		start, count := int64(binary.LittleEndian.Uint32(e[8:])), int64(binary.LittleEndian.Uint32(e[12:]))
		if count == 0 || e[4] == typeProtective || start == 0 && count == 1 { // The last is xorriso's mbr_force_bootable.
			continue
		}
		d.partitions = append(d.partitions, partition{start: start * sectorSize, end: (start + count) * sectorSize, efi: e[4] == typeEFI, at: at})
	}
}

func (d *disk) readGPT() error {
	h := d.area[sectorSize : 2*sectorSize]
	if string(h[:8]) != "EFI PART" {
		return nil
	}
	number := func(at int) int64 { return int64(min(binary.LittleEndian.Uint64(h[at:]), 1<<53)) }
	d.gpt, d.entries, d.array = true, int(binary.LittleEndian.Uint32(h[80:])), int(min(number(72), systemArea))*sectorSize
	d.usable = (number(48) + 1) * sectorSize
	sum := append([]byte(nil), h[:headerSize]...)
	clear(sum[16:20])
	switch {
	case binary.LittleEndian.Uint32(h[12:]) != headerSize || binary.LittleEndian.Uint32(h[16:]) != crc32.ChecksumIEEE(sum):
		return errors.New("GPT header in sector 1 is damaged")
	case binary.LittleEndian.Uint32(h[84:]) != entrySize || d.entries > maxEntries || d.array+d.entries*entrySize > systemArea:
		return fmt.Errorf("GPT of %d entries of %d bytes at sector %d, want at most %d of %d in the first %d sectors",
			d.entries, binary.LittleEndian.Uint32(h[84:]), d.array/sectorSize, maxEntries, entrySize, systemArea/sectorSize)
	case binary.LittleEndian.Uint32(h[88:]) != crc32.ChecksumIEEE(d.area[d.array:d.array+d.entries*entrySize]):
		return errors.New("GPT entries are damaged")
	}
	system := gpt.EFISystem()
	for i := range d.entries {
		at := d.array + i*entrySize
		e := d.area[at : at+entrySize]
		if [16]byte(e[:16]) == ([16]byte{}) {
			continue
		}
		first, last := int64(min(binary.LittleEndian.Uint64(e[32:]), 1<<53)), int64(min(binary.LittleEndian.Uint64(e[40:]), 1<<53))
		if first > last {
			return fmt.Errorf("GPT partition %d goes from sector %d to %d", i+1, first, last)
		}
		d.partitions = append(d.partitions, partition{
			start: first * sectorSize, end: (last + 1) * sectorSize, efi: mixedGUID(e[:16]) == system, gpt: true, at: at,
		})
	}
	return nil
}

// mixedGUID returns a GUID as printed from how it is recorded, with the first
// three numbers the other way round (UEFI 2.10 appendix A).
func mixedGUID(b []byte) gpt.GUID {
	return gpt.GUID{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]}
}

// base returns the partition that holds the file system of the image: the one
// in the GPT, else in the MBR, that starts first, at most 16 blocks from the
// start or where it mounts by itself. It returns nil if there is none.
func (d *disk) base() *partition {
	var found *partition
	for i := range d.partitions {
		p := &d.partitions[i]
		if (p.start <= systemArea || p.mounts) && (found == nil || p.gpt && !found.gpt || p.gpt == found.gpt && p.start < found.start) {
			found = p
		}
	}
	return found
}

// A change says how an image grows: what starts at cut or behind moves by
// shift, and what ended at or behind full, which is the end of all data, now
// ends at end. All are in bytes.
type change struct{ cut, shift, full, end int64 }

// apply changes d to an image that is size bytes long then. It returns the
// bytes of the backup GPT, which end the image.
func (d *disk) apply(c change, size int64) ([]byte, error) {
	growing := make([]bool, len(d.partitions))
	for i := range d.partitions {
		growing[i] = d.grows(c, &d.partitions[i])
	}
	for i := range d.partitions {
		p := &d.partitions[i]
		switch {
		case p.start >= c.cut:
			p.start, p.end = p.start+c.shift, p.end+c.shift
		case growing[i] && p.end >= d.size:
			p.end = size
		case growing[i]:
			p.end = c.end
		default:
			continue
		}
		if p.gpt {
			d.writeEntry(p)
		} else if err := d.writeSlot(p); err != nil {
			return nil, err
		}
	}
	return d.finish(size)
}

// grows says whether p reaches to the end of all data, with nothing behind it
// that stays where it is.
func (d *disk) grows(c change, p *partition) bool {
	if p.efi || p.start >= c.cut || p.end < c.full {
		return false
	}
	for _, other := range d.partitions {
		if other.gpt == p.gpt && other.start >= p.end && other.start < c.cut {
			return false
		}
	}
	return true
}

func (d *disk) writeEntry(p *partition) {
	e := d.area[p.at : p.at+entrySize]
	binary.LittleEndian.PutUint64(e[32:], uint64(p.start/sectorSize))
	binary.LittleEndian.PutUint64(e[40:], uint64(p.end/sectorSize-1))
}

func (d *disk) writeSlot(p *partition) error {
	first, count := p.start/sectorSize, (p.end-p.start)/sectorSize
	if first+count > 1<<32-1 {
		return fmt.Errorf("MBR partition ends at sector %d, and 32 bits can say no more than %d", first+count, uint32(1<<32-1))
	}
	setSlot(d.area[p.at:p.at+slotSize], first, count)
	return nil
}

// setSlot makes an entry of the MBR go over count sectors from first on.
func setSlot(e []byte, first, count int64) {
	heads, sectors := geometry(e)
	putCHS(e[1:4], first, heads, sectors)
	putCHS(e[5:8], first+count-1, heads, sectors)
	binary.LittleEndian.PutUint32(e[8:], uint32(first))
	binary.LittleEndian.PutUint32(e[12:], uint32(count))
}

// geometry returns by how many heads and sectors the end of an entry is
// recorded, 0 if it is not.
func geometry(e []byte) (heads, sectors int64) {
	last := int64(binary.LittleEndian.Uint32(e[8:])) + int64(binary.LittleEndian.Uint32(e[12:])) - 1
	for _, g := range [][2]int64{{64, 32}, {255, 63}, {int64(e[5]) + 1, int64(e[6] & 0x3f)}} {
		var b [3]byte
		if g[1] == 0 {
			continue
		}
		if putCHS(b[:], last, g[0], g[1]); string(b[:]) == string(e[5:8]) {
			return g[0], g[1]
		}
	}
	return 0, 0
}

// putCHS fills in the address of a sector by cylinder, head and sector, or one
// that stands for none if no heads and sectors are known.
func putCHS(b []byte, sector, heads, sectors int64) {
	if heads == 0 {
		copy(b, noCylinder)
		return
	}
	// Beyond the last cylinder head and sector stay right, as xorriso has it.
	cylinder := min(sector/(heads*sectors), lastCylinder)
	b[0] = byte(sector / sectors % heads)
	b[1] = byte(sector%sectors+1) | byte(cylinder>>8<<6)
	b[2] = byte(cylinder)
}

// covered says whether a partition of the MBR goes from the start of the image
// to its very end, as in isohybrid images.
func (d *disk) covered() bool {
	for _, p := range d.partitions {
		if !p.gpt && p.start <= systemArea && p.end >= d.size {
			return true
		}
	}
	return false
}

// backupSize returns how many bytes the backup GPT takes, 0 if there is none.
func (d *disk) backupSize() int64 {
	if !d.gpt {
		return 0
	}
	return roundUp(int64(d.entries)*entrySize, sectorSize) + sectorSize
}

// total returns how large an image is whose contents end at end. Isohybrid
// images end with a cylinder of 64 heads and 32 sectors: some BIOSes guess the
// geometry from that.
func (d *disk) total(end int64) int64 {
	if d.covered() && d.size%maxAlignment == 0 {
		return roundUp(end+d.backupSize(), maxAlignment)
	}
	return roundUp(end+d.backupSize(), blockSize)
}

// finish sets the sizes that the tables tell, and their checksums. It returns
// the backup GPT.
func (d *disk) finish(size int64) ([]byte, error) {
	for at := slotsOffset; at < slotsOffset+4*slotSize; at += slotSize {
		if e := d.area[at : at+slotSize]; e[4] == typeProtective && d.gpt {
			first := int64(binary.LittleEndian.Uint32(e[8:]))
			setSlot(e, first, min(size/sectorSize-first, 1<<32-1))
		}
	}
	if !d.gpt {
		return nil, nil
	}
	array := d.area[d.array : d.array+d.entries*entrySize]
	backup := make([]byte, d.backupSize())
	copy(backup, array)
	last := size/sectorSize - 1
	h := d.area[sectorSize : 2*sectorSize]
	binary.LittleEndian.PutUint64(h[32:], uint64(last))
	binary.LittleEndian.PutUint64(h[48:], uint64(last-int64(len(backup)/sectorSize)))
	binary.LittleEndian.PutUint32(h[88:], crc32.ChecksumIEEE(array))
	sumHeader(h)
	b := backup[len(backup)-sectorSize:]
	copy(b, h)
	binary.LittleEndian.PutUint64(b[24:], uint64(last))
	binary.LittleEndian.PutUint64(b[32:], 1)
	binary.LittleEndian.PutUint64(b[72:], uint64(last-int64(len(backup)/sectorSize)+1))
	sumHeader(b)
	return backup, nil
}

// sumHeader fills in the checksum of a GPT header.
func sumHeader(h []byte) {
	clear(h[16:20])
	binary.LittleEndian.PutUint32(h[16:], crc32.ChecksumIEEE(h[:headerSize]))
}

// roundUp returns the smallest multiple of unit that is at least n.
func roundUp(n, unit int64) int64 { return (n + unit - 1) / unit * unit }
