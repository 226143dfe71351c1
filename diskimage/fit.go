package diskimage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/netbootkit/netbootkit/internal/gpt"
	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// fit returns disk with size bytes, which must not be fewer than it has. If it
// has a GPT, that says so: the backup is at the new end. Nothing else of the
// disk is changed, and nothing of it is read but the table.
func fit(disk File, size int64) (File, error) {
	old := disk.Size()
	switch {
	case size < old:
		return nil, &SizeError{What: "the converted disk", Size: size, Need: old}
	case size%sectorSize != 0:
		return nil, fmt.Errorf("a disk of %d bytes: want a multiple of %d", size, sectorSize)
	}
	table, err := gpt.Read(disk, old)
	if errors.Is(err, gpt.ErrNoTable) {
		return grown(disk, size), nil
	}
	if err != nil {
		return nil, err
	}
	if at, err := backupAt(disk); err != nil || at == size-sectorSize {
		return grown(disk, size), err
	}
	table.Size = size
	primary, backup, err := table.Encode()
	if err != nil {
		return nil, err
	}
	if err := keepBootRecord(primary[:sectorSize], disk); err != nil {
		return nil, err
	}
	m := mosaic.New()
	m.AddBytes(0, primary)
	rest := min(old-gpt.HeadSize, size-gpt.TailSize-gpt.HeadSize)
	if at, err := backupAt(disk); err == nil && at == old-sectorSize {
		rest = min(rest, old-gpt.TailSize-gpt.HeadSize) // What is there is no table any more.
	}
	m.Add(gpt.HeadSize, section{disk, gpt.HeadSize, rest}, rest)
	m.AddBytes(size-gpt.TailSize, backup)
	return m, nil
}

// grown returns disk with zeros behind it.
func grown(disk File, size int64) File {
	if disk.Size() == size {
		return disk
	}
	m := mosaic.New()
	m.SetSize(size)
	m.Add(0, section{disk, 0, disk.Size()}, disk.Size())
	return m
}

// backupAt returns where the first header says that its backup is, in bytes,
// if that is there; otherwise -1.
func backupAt(disk File) (int64, error) {
	const (
		signature  = "EFI PART"
		fieldOwn   = 24
		fieldOther = 32
	)
	header := make([]byte, sectorSize)
	if _, err := io.ReadFull(io.NewSectionReader(disk, sectorSize, sectorSize), header); err != nil {
		return 0, fmt.Errorf("reading the partition table: %w", err)
	}
	sector := binary.LittleEndian.Uint64(header[fieldOther:])
	if string(header[:len(signature)]) != signature || sector >= uint64(disk.Size()/sectorSize) {
		return -1, nil
	}
	at := int64(sector) * sectorSize
	if _, err := io.ReadFull(io.NewSectionReader(disk, at, sectorSize), header); err != nil {
		return 0, fmt.Errorf("reading the backup of the partition table: %w", err)
	}
	if string(header[:len(signature)]) != signature || binary.LittleEndian.Uint64(header[fieldOwn:]) != sector {
		return -1, nil
	}
	return at, nil
}

// keepBootRecord puts the first sector of the disk into sector, but for the
// slot of the protective partition, which has to cover the disk.
func keepBootRecord(sector []byte, disk File) error {
	const (
		typeAt     = 4
		protective = 0xEE
	)
	slot := slices.Clone(sector[mbrSlots : mbrSlots+mbrSlotSize])
	if _, err := io.ReadFull(io.NewSectionReader(disk, 0, sectorSize), sector); err != nil {
		return fmt.Errorf("reading the boot record: %w", err)
	}
	if s := sector[mbrSlots:]; s[typeAt] == protective && binary.LittleEndian.Uint32(s[8:]) == 1 {
		copy(s[1:], slot[1:]) // Whether it is active stays.
	}
	return nil
}
