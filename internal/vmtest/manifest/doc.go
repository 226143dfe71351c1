// Package manifest lists what a file tree holds, so that what several readers
// see of one image can be compared: a kernel that mounted it, a program that
// unpacked it, and an [io/fs.FS].
//
//	field       of                  from a folder        from an fs.FS
//	Mode        all                 st_mode              FileInfo.Mode
//	UID, GID    all                 st_uid, st_gid       *tar.Header in Sys, or 0
//	ModTime     all                 st_mtim              FileInfo.ModTime
//	Size, Sum   regular files       read                 read
//	Target      symbolic links      readlink             fs.ReadLink
//	Device      devices             st_rdev              *tar.Header in Sys
//	Same        hard links          st_ino               *tar.Header in Sys
//	Xattrs      all                 llistxattr           PAX records SCHILY.xattr.
//
// The program in the folder guest is the first one of a virtual machine that
// package vmtest starts: it mounts images and hands back manifests.
//
// # Errors
//
// An entry that cannot be read has the reason in its field Err and nothing else
// that had to be read, so that one bad file does not hide the others.
//
// # Limits
//
// [Dir] needs Linux. Access and change times are not listed, and neither are
// the sizes of folders, which every file system counts in its own way.
package manifest
