package isobuild

import (
	"errors"
	"io"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

var (
	_ fs.ReadDirFS  = (*Image)(nil)
	_ fs.StatFS     = (*Image)(nil)
	_ fs.ReadLinkFS = (*Image)(nil)
)

// An Image is the file tree of an ISO image, as the package comment of
// netbootkit describes file trees. Names are those of Rock Ridge, else of
// Joliet, else plain ones, which match whatever the case of letters. Regular
// files implement [File] and [io.Seeker], and are read from where they lie in
// the image. An Image may be used concurrently if its file may.
type Image struct {
	tree *iso9660.Image
	file File
}

// Open reads the directories of iso. Contents are read when asked for, so
// iso must stay as it is. Images that are cut off open as long as their
// directories are there; files that are not whole cannot be opened then.
func Open(iso File) (*Image, error) {
	if iso == nil {
		return nil, &Error{Op: "open", Err: errors.New("the image is nil")}
	}
	tree, err := iso9660.Open(iso, iso.Size())
	if err != nil {
		return nil, &Error{Op: "open", Err: err}
	}
	return &Image{tree, iso}, nil
}

// VolumeID returns the volume identifier, without blanks at its end.
func (im *Image) VolumeID() string { return im.tree.Volume().ID }

// Open implements [fs.FS].
func (im *Image) Open(name string) (fs.File, error) { return im.tree.Open(name) }

// ReadDir implements [fs.ReadDirFS].
func (im *Image) ReadDir(name string) ([]fs.DirEntry, error) { return im.tree.ReadDir(name) }

// Stat implements [fs.StatFS].
func (im *Image) Stat(name string) (fs.FileInfo, error) { return im.tree.Stat(name) }

// Lstat implements [fs.ReadLinkFS].
func (im *Image) Lstat(name string) (fs.FileInfo, error) { return im.tree.Lstat(name) }

// ReadLink implements [fs.ReadLinkFS].
func (im *Image) ReadLink(name string) (string, error) { return im.tree.ReadLink(name) }

// A BootFile is a file of an image that takes part in booting it. It is a
// [File].
type BootFile struct {
	*io.SectionReader

	Name string // its path in the image, without links on the way
}
