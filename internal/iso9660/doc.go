// Package iso9660 reads ISO 9660 images as file trees.
//
// [Open] reads all directories at once and keeps them, without the contents of
// files, so that opening a file costs no walk and no read. An [Image] keeps to
// the rules that the package comment of netbootkit gives for file trees.
//
// # Layout
//
// Numbers are in blocks of 2048 bytes; other block sizes are refused.
//
//	block     what                                source
//	0..15     system area: MBR, GPT               ECMA-119 §6.2.1
//	16..      volume descriptors                  ECMA-119 §8
//	          type 0 boot record                  El Torito 1.0 §2.0
//	          type 1 primary                      ECMA-119 §8.4
//	          type 2 with %/@, %/C or %/E Joliet  Joliet, escape sequences
//	          type 2 of version 2                 ISO 9660:1999 §8.5
//	          type 255 terminator                 ECMA-119 §8.3
//	any       directories, records                ECMA-119 §9.1
//	any       system use areas: SP CE ST          SUSP 1.12 §5
//	          PX PN SL NM CL PL RE TF             RRIP 1.12 §4.1
//
// Of the trees that an image has, the one with Rock Ridge is taken, else that
// of Joliet, else the plain one; [WithNames] takes another, or that of ISO
// 9660:1999.
//
//	names       from                      case    owner, mode, links
//	Rock Ridge  NM, else as plain         exact   PX, SL
//	Joliet      UCS-2, without ";1"       exact   root, 0644 and 0755
//	plain       without ";1" and last "." either  root, 0644 and 0755
//
// Directories that were moved because they lie more than eight levels deep
// (CL, PL and RE) are where they were before. Entries with one serial number in
// PX, and with everything else alike, are names of one file. A file in several
// extents is one file. Of several entries with one name, such as versions of a
// file, the first one counts; associated files are left out. The time of a
// file is TF's time of modification, else that of its directory record, in
// seconds or hundredths as recorded. A socket is a regular file whose header has
// 0140000 in its mode.
//
// A file is read from where it lies in the image: if its extents follow each
// other, its methods are those of an [io.SectionReader].
//
// # Errors
//
// What cannot be read as a tree is an error that names the directory: records
// that do not fit, directories outside the image or inside themselves, names
// that are empty, `.`, `..`, or hold a slash or a zero byte. A file whose
// extents lie outside the image, as in one that was cut off, is listed, but
// cannot be opened: the error matches [io.ErrUnexpectedEOF]. Likewise files that
// are interleaved, sparse (SF) or compressed (ZF), with [errors.ErrUnsupported].
// A link whose target does not fit into its entries, as genisoimage writes
// those of more than about 200 bytes, has what is there as its target.
//
// # Concurrency
//
// An Image may be used concurrently if what it was opened with may.
//
// # Limits
//
//	descriptors of one image              64
//	entries in one tree                   2097152
//	bytes of names and links              256 MiB for one tree
//	bytes of one directory                256 MiB
//	bytes of all directories              1 GiB
//	bytes of one continuation area        32 KiB
//	continuation areas of one record      100
//	bytes of all continuation areas       256 MiB
//	extents of one file                   8192
//	extents of all files, after the first 1048576
//	bytes of one path, or link target     4096
//	bytes of one element of a path        255
//	symbolic links followed for one name  40
//	entries of a boot catalogue           63
//
// UDF, HFS+, sessions after the first superblock, extended attribute records
// and AAIP (xorriso's own way to store attributes) are not read.
package iso9660
