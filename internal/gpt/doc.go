// Package gpt writes and reads GUID partition tables (UEFI 2.10 §5.3) with the
// master boot record in front of them, for images that are put together from
// pieces: what it writes are the first and the last sectors of a disk.
//
//	sector       of 512 bytes                             source
//	0            boot code in bytes 0..439, then the      UEFI 2.10 §5.2.3
//	             protective partition, signature 55 AA
//	1            header
//	2..33        128 entries of 128 bytes
//	34..N-34     what partitions may use
//	N-33..N-2    the entries once more
//	N-1          the header once more
//
// Encoding and decoding are go-diskfs's. It checks little, so everything is
// checked here before and after: partitions lie in what they may use, do not
// overlap, have an identifier each, and names of at most 36 UTF-16 units. The
// protective partition is made here, since that of go-diskfs has no CHS
// addresses, and counts wrongly on disks over 2 TiB.
//
// # Active entry
//
// Some BIOSes boot no disk without an active partition, and some firmware
// refuses a protective partition that is active. So [Table.Active] marks the
// second slot: active, of type 0, one sector at 0, as xorriso's
// mbr_force_bootable does.
//
// # Errors
//
// A table that cannot be written is an error that names the partition, by its
// number from 1 on. [Read] fails on a disk of which neither header is right.
//
// # Concurrency
//
// Nothing is shared; a Table must not change while it is encoded.
//
// # Limits
//
//	partitions written               128
//	entries read                     1024, of 128 bytes each
//	smallest disk                    67 sectors
//	sectors                          of 512 bytes only
package gpt
