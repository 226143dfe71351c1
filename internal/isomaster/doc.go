// Package isomaster makes the metadata of an ISO 9660 volume: descriptors,
// path tables, directories and the El Torito boot catalogue, for files whose
// places are known. It writes nothing; [Metadata] returns what belongs where.
//
// # Layout
//
// Numbers are in blocks of 2048 bytes.
//
//	block          what                                     source
//	16             primary volume descriptor                ECMA-119 2nd ed. §8.4
//	next           boot record, if there are boot entries   El Torito 1.0 §1.6
//	next           supplementary descriptor, for Joliet     ECMA-119 §8.5, Joliet level 3
//	next           terminator                               ECMA-119 §8.3
//	Partition+16   primary, Joliet, terminator once more
//	CatalogBlock   boot catalogue, 1 block                  El Torito 1.0 §2
//	at             for each of up to four trees:
//	               path tables L and M                      ECMA-119 §9.4
//	               directories, parents before children     ECMA-119 §9.1
//	               behind each its continuation areas       SUSP 1.12 §5.1
//
// The trees are those of the image and of the partition, each with Rock Ridge and
// with Joliet. The blocks that the partition's descriptors and trees name are
// counted from its first one, so that who mounts the partition sees a whole
// volume; data is shared. It has no boot record: firmware looks for boot
// catalogues in partitions as well, and the images lie partly outside.
//
// # Names
//
//	tree     identifiers                                   source
//	plain    A-Z 0-9 _, up to 31 bytes with one point;     ECMA-119 §7.4 to §7.6
//	         files have the version 1                      and level 3 of §10
//	NM       any bytes but slash and zero, up to 253       RRIP 1.12 §4.1.4
//	Joliet   UCS-2, up to 64 characters, _ for others,     Joliet, ECMA-119 §9.3
//	         control characters, * / : ; ? \ and           in the order of bytes
//	         points and blanks at the end; no version
//
// Names that are the same in one directory after that are cut to have room for
// _1, _2 and so on, in the order of the original names, so that the same tree
// gives the same identifiers. In Joliet names that differ only in case count as
// the same, because Windows and Linux take them for that. What is Outside has
// its name reserved in the partition's trees too.
//
// # Rock Ridge
//
//	field   what                                         source
//	SP      at the beginning of the root                 SUSP 1.12 §5.3
//	ER      IEEE_P1282, in the root's continuation       RRIP 1.12 §4.3
//	PX      mode, links, owner, inode number (44 bytes)  RRIP 1.12 §4.1.1
//	TF      time of modification, in 7 bytes             RRIP 1.12 §4.1.6
//	PN      number of a device                           RRIP 1.12 §4.1.2
//	NM      name                                         RRIP 1.12 §4.1.4
//	SL      link target                                  RRIP 1.12 §4.1.3
//	CE      where the fields go on                       SUSP 1.12 §5.1
//
// Fields that do not fit into a record, of 254 bytes, go on in a continuation
// area. An area lies in one block, as Linux and GRUB demand, and
// fields are never divided between areas; what is more than a block is chained.
//
//	limit                        value          beyond
//	bytes of a name              253            error; Linux cuts it
//	bytes of a link target       4095           error; Linux has no room
//	sections of a file           100            error; Linux gives up
//	bytes of a section           4294965248     split
//	directories with others in   65535          error; path tables have 16 bits
//	boot entries                 32             error
//	time                         1900 to 2155   the first or the last second
//	device numbers               0..4294967295  error; also major 0 with minor over 255
//
// Times are whole seconds in UTC. Linux 6.1 counts them in 32 bits, and so shows
// times before 1901 and after 2038 wrongly. The 17-byte form of TF is not used,
// because it does not know that form at all.
//
// Both words of PN are what Linux and BSD read: major and minor number; but
// numbers up to 4095:255 are in the second one alone, as other readers expect.
//
// # What readers miss
//
// Measured with Linux 6.1, GRUB 2.06, xorriso 1.5.4, libarchive 3.6 and isoinfo
// 1.1.11:
//
//   - Directories may be deeper than the eight levels of ECMA-119 §6.8.2.1. All
//     read them, and none is moved elsewhere.
//   - Xorriso refuses an image with a link target of more than 1023 bytes, or
//     with a file whose extents do not follow each other.
//   - Libarchive stops at a regular file with a name of more than 127 bytes if
//     its data lies before the directories: it wants continuation areas
//     between directories and data.
//   - GRUB loses the end of a file whose records lie in two blocks. They are
//     kept in one, up to at least eight sections, which is 32 GiB.
//   - Without Rock Ridge links are empty files; Joliet leaves them and devices
//     out.
//
// # Errors
//
// Errors about a file begin with its path in the volume; those about the volume
// name the field, and there may be several.
//
// # Concurrency
//
// All functions may be called and all pieces read concurrently, as long as nobody
// changes the nodes.
//
// # Limits
//
// Extended attributes, ACLs, hidden and interleaved files, extended attribute
// records, UDF, HFS+ and APM are not supported. The Joliet identifiers of volume,
// set and so on are as much of the plain ones as fits. The trees keep about 400
// bytes for each directory, but the entries only of the one that was read last.
package isomaster
