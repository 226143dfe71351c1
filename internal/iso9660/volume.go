package iso9660

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"
)

// BlockSize is the size of a block, in bytes.
const BlockSize = 2048

const (
	firstDescriptor = 16
	maxDescriptors  = 64
)

// Types of descriptors (ECMA-119 §8.1.1).
const (
	typeBoot          = 0
	typePrimary       = 1
	typeSupplementary = 2
	typeTerminator    = 255
)

// A Volume is what the primary descriptor says of an image, and which trees
// the image has. Texts are without trailing blanks.
type Volume struct {
	ID          string // of the volume; Joliet's own is not kept
	System      string
	Set         string
	Publisher   string
	Preparer    string
	Application string
	Created     time.Time // zero if it is not recorded
	Modified    time.Time // likewise
	Blocks      uint32    // volume space size

	Names     Names // of the tree that was read
	RockRidge bool  // whether there is Rock Ridge
	Joliet    bool  // whether there is Joliet
	UDF       bool  // whether a UDF volume shares the image
	Enhanced  bool  // whether there is a descriptor of version 2 (ISO 9660:1999)

	Descriptors int // from block 16 on, with the terminator
}

// descriptors is what the descriptors of an image say.
type descriptors struct {
	volume   Volume
	primary  record
	joliet   record
	enhanced record
	catalog  uint32   // block of the boot catalogue, 0 if there is none
	tables   []Extent // path tables
}

// readDescriptors reads all descriptors of the image in r.
func readDescriptors(r io.ReaderAt) (*descriptors, error) {
	d, primary := new(descriptors), false
	block := make([]byte, BlockSize)
	for i := range int64(maxDescriptors) {
		if err := readFull(r, block, (firstDescriptor+i)*BlockSize); err != nil {
			return nil, fmt.Errorf("descriptor at block %d: %w", firstDescriptor+i, err)
		}
		if string(block[1:6]) != "CD001" {
			if i == 0 {
				return nil, fmt.Errorf("no ISO 9660 image: block %d holds %q, want \"CD001\"", firstDescriptor, block[1:6])
			}
			return nil, fmt.Errorf("descriptor at block %d holds %q, want \"CD001\"", firstDescriptor+i, block[1:6])
		}
		if block[0] == typeTerminator {
			if !primary {
				return nil, errors.New("no primary volume descriptor")
			}
			d.volume.Descriptors = int(i) + 1
			return d, d.findUDF(r, firstDescriptor+i+1)
		}
		var err error
		switch block[0] {
		case typePrimary:
			if !primary { // Further ones are copies.
				primary, err = true, d.readPrimary(block)
			}
		case typeSupplementary:
			err = d.readSupplementary(block)
		case typeBoot:
			d.readBoot(block)
		}
		if err != nil {
			return nil, fmt.Errorf("descriptor at block %d: %w", firstDescriptor+i, err)
		}
	}
	return nil, fmt.Errorf("no end after %d descriptors", maxDescriptors)
}

func (d *descriptors) readPrimary(b []byte) error {
	if size := binary.LittleEndian.Uint16(b[128:]); size != BlockSize {
		return fmt.Errorf("blocks of %d bytes, want %d", size, BlockSize)
	}
	v := &d.volume
	v.System, v.ID, v.Set = text(b[8:40]), text(b[40:72]), text(b[190:318])
	v.Publisher, v.Preparer, v.Application = text(b[318:446]), text(b[446:574]), text(b[574:702])
	v.Created, v.Modified = stamp(b[813:830]), stamp(b[830:847])
	v.Blocks = binary.LittleEndian.Uint32(b[80:])
	d.addTables(b)
	var err error
	d.primary, err = rootRecord(b)
	return err
}

func (d *descriptors) readSupplementary(b []byte) error {
	const version = 6
	switch escape := string(b[88:91]); {
	case b[version] == 2:
		d.addTables(b)
		if root, err := rootRecord(b); err == nil && !d.volume.Enhanced { // Nobody misses what cannot be read.
			d.volume.Enhanced, d.enhanced = true, root
		}
	case escape == "%/@", escape == "%/C", escape == "%/E":
		if d.volume.Joliet {
			return nil
		}
		d.volume.Joliet = true
		d.addTables(b)
		var err error
		d.joliet, err = rootRecord(b)
		return err
	}
	return nil
}

func (d *descriptors) readBoot(b []byte) {
	const at = 71 // (El Torito 1.0 §2.0)
	if d.catalog == 0 && bytes.HasPrefix(b[7:], []byte("EL TORITO SPECIFICATION")) {
		d.catalog = binary.LittleEndian.Uint32(b[at:])
	}
}

// addTables notes where the path tables of a descriptor lie (ECMA-119 §8.4.13).
func (d *descriptors) addTables(b []byte) {
	size := int64(binary.LittleEndian.Uint32(b[132:]))
	for _, block := range []uint32{
		binary.LittleEndian.Uint32(b[140:]), binary.LittleEndian.Uint32(b[144:]),
		binary.BigEndian.Uint32(b[148:]), binary.BigEndian.Uint32(b[152:]),
	} {
		if block != 0 && size != 0 {
			d.tables = append(d.tables, Extent{block, size})
		}
	}
}

// findUDF looks for the sequence that announces UDF, which starts at block at
// (ECMA-167 2/9.1).
func (d *descriptors) findUDF(r io.ReaderAt, at int64) error {
	block := make([]byte, BlockSize)
	for i := range int64(3) {
		err := readFull(r, block, (at+i)*BlockSize)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch string(block[1:6]) {
		case "BEA01":
		case "NSR02", "NSR03":
			d.volume.UDF = true
			return nil
		default:
			return nil
		}
	}
	return nil
}

// rootRecord returns the record of the root directory in a descriptor.
func rootRecord(b []byte) (record, error) {
	r, err := parseRecord(bytes.Clone(b[156 : 156+recordFixed+1]))
	if err != nil {
		return record{}, fmt.Errorf("root directory: %w", err)
	}
	if r.flags&flagDirectory == 0 {
		return record{}, errors.New("root directory: record is not one of a directory")
	}
	return r, nil
}

// text returns a field without the blanks, or zeros, at its end.
func text(b []byte) string { return strings.TrimRight(string(b), " \x00") }

// stamp returns the time in a descriptor.
func stamp(b []byte) time.Time {
	seconds, nanos := longTime(b)
	if seconds == 0 && nanos == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, int64(nanos)).UTC()
}

// ucs2 returns a name of Joliet.
func ucs2(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// readFull fills p from off, or fails, with io.ErrUnexpectedEOF if r is too
// short.
func readFull(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	switch {
	case n == len(p):
		return nil
	case err == nil, errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	default:
		return err
	}
}
