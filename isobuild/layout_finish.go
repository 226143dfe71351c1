package isobuild

import (
	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/iso9660"
	"github.com/netbootkit/netbootkit/internal/isomaster"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// espName is where the image shows its EFI system partition as a file.
const espName = "boot/uefi.img"

// finish puts everything behind the files: path tables and directories, the EFI
// system partition, the partition table; then what refers to them.
func (l *layout) finish() (*mosaic.Image, error) {
	directories, err := l.measure()
	if err != nil {
		return nil, err
	}
	at, err := l.take(int64(directories) * blockSize)
	if err != nil {
		return nil, err
	}
	end := l.next // of the first partition
	if err := l.placeESP(); err != nil {
		return nil, err
	}
	if _, err := l.take(gpt.TailSize); err != nil {
		return nil, err
	}
	size := offset(l.next)
	pieces, err := isomaster.Metadata(l.root, l.sized(size, offset(end)-offset(partitionBlock)), at)
	if err != nil {
		return nil, err
	}
	for _, p := range pieces {
		l.image.Add(offset(p.Block), p, p.Size())
	}
	return l.image, l.addTable(size, end)
}

// measure returns how many blocks path tables and directories take, or what
// cannot be recorded.
func (l *layout) measure() (uint32, error) {
	return isomaster.Measure(l.root, l.sized(blockSize, blockSize))
}

// sized returns the volume with sizes of the image and of its first partition.
func (l *layout) sized(image, partition int64) *isomaster.Volume {
	v := l.volume
	v.Size = image
	v.Partition = isomaster.Partition{Block: partitionBlock, Size: partition}
	return &v
}

// placeESP puts the EFI system partition behind all else, once: the firmware
// finds it by its boot entry or by the partition table, and who reads the whole
// image finds it as a file.
func (l *layout) placeESP() error {
	if l.esp == nil {
		return nil
	}
	extents, err := l.put(l.esp, l.esp.Size())
	if err != nil {
		return err
	}
	l.apart[espName].Extents = extents
	for i := range l.volume.Boot {
		if l.volume.Boot[i].Platform == iso9660.PlatformEFI {
			l.volume.Boot[i].Block = extents[0].Block
		}
	}
	return nil
}

// addTable adds the partition table of an image of size bytes, whose first
// partition ends before the block end.
func (l *layout) addTable(size int64, end uint32) error {
	table := &gpt.Table{Size: size, ID: l.id(size, "disk")}
	table.Partitions = []gpt.Partition{{
		Start: offset(partitionBlock), Size: offset(end) - offset(partitionBlock), Name: "ISO9660",
		Type: gpt.BasicData(), ID: l.id(size, "ISO9660"), Attributes: gpt.Required | gpt.ReadOnly,
	}}
	if l.esp != nil {
		table.Partitions = append(table.Partitions, gpt.Partition{
			Start: offset(end), Size: l.esp.Size(), Name: "EFI",
			Type: gpt.EFISystem(), ID: l.id(size, "EFI"),
		})
	}
	if l.bios != nil {
		table.BootCode, table.Active = l.bios.mbr, true
	}
	primary, backup, err := table.Encode()
	if err != nil {
		return err
	}
	l.image.AddBytes(0, primary)
	l.image.AddBytes(size-gpt.TailSize, backup)
	return l.image.Check()
}
