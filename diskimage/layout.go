package diskimage

// Sizes in bytes.
const (
	// MiB is what the starts of partitions are multiples of.
	MiB = 1 << 20

	sectorSize = 512
	maxDisk    = 1 << 60
)

// Rest is the Size of a partition that takes what is left of the disk.
const Rest = -1

// Attributes of partitions (UEFI 2.10 §5.3.3; Discoverable Partitions
// Specification for GrowFileSystem).
const (
	Required       uint64 = 1 << 0  // the machine may need it
	LegacyBIOS     uint64 = 1 << 2  // a BIOS may boot from it; in a DOS table, it is active
	GrowFileSystem uint64 = 1 << 59 // systemd grows the file system to the partition
	ReadOnly       uint64 = 1 << 60 // must not be written
)

// A Layout says what a disk is like.
type Layout struct {
	Size       int64       // of the disk in bytes, a multiple of 512; 0 is what fits
	ID         GUID        // the zero value: see [WithRand]
	MBR        bool        // a DOS partition table instead of a GPT
	Boot       []byte      // boot code of the first sector, at most 440 bytes
	Partitions []Partition // number 1 first
}

// A Partition says what one partition is like. The zero value is an empty one
// for Linux that takes 1 MiB.
type Partition struct {
	Label      string  // its name in a GPT, at most 36 UTF-16 units; "" in a DOS table
	Type       GUID    // the zero value is [TypeLinux]
	MBRType    byte    // in a DOS table; 0 is what Type stands for
	ID         GUID    // the zero value: see [WithRand]; in a DOS table there is none
	Attributes uint64  // such as Required; in a DOS table only LegacyBIOS
	Size       int64   // in bytes, a multiple of 512; 0 is what fits, [Rest] what is left
	Start      int64   // in bytes, a multiple of 1 MiB; 0 is behind the one before
	Content    Content `json:"-" yaml:"-"` // nil: zeros
}
