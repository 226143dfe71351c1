package diskimage

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"

	"github.com/netbootkit/netbootkit/internal/ext"
	"github.com/netbootkit/netbootkit/internal/fat"
)

// Raw returns a content that is in f already, such as a squashfs.
func Raw(f File) Content {
	if f == nil {
		return failed{&Error{Op: "raw", Err: errors.New("file is nil")}}
	}
	return rawContent{f}
}

type rawContent struct{ f File }

func (c rawContent) MinSize(context.Context) (int64, error)    { return c.f.Size(), nil }
func (c rawContent) Open(context.Context, int64) (File, error) { return c.f, nil }

// FAT returns a FAT file system of a tree: FAT12 below 8 MiB, FAT16 below 512
// MiB, else FAT32. The label has at most 11 characters. Options are
// [WithTime], [WithUUID] and [WithSpare].
func FAT(label string, tree fs.FS, opts ...Option) Content {
	cfg, err := contentConfig(opFAT, tree, opts)
	if err != nil {
		return failed{err}
	}
	id := cfg.id(label)
	return &fatContent{tree, fat.Volume{
		Label: label, Time: cfg.time, Serial: binary.BigEndian.Uint32(id[:]), Spare: cfg.spare,
	}}
}

// contentConfig is newConfig for what is made of a tree.
func contentConfig(op operation, tree fs.FS, opts []Option) (*config, error) {
	if tree == nil {
		return nil, &Error{Op: op.String(), Err: errors.New("file tree is nil")}
	}
	return newConfig(op, opts)
}

// id returns the identifier of a file system.
func (c *config) id(label string) GUID {
	if c.uuid != (GUID{}) {
		return c.uuid
	}
	return named(urlSpace(), c.op.String()+" "+label)
}

type fatContent struct {
	tree   fs.FS
	volume fat.Volume
}

func (c *fatContent) MinSize(ctx context.Context) (int64, error) {
	image, err := fat.New(ctx, c.tree, c.volume)
	if err != nil {
		return 0, err
	}
	return image.Size(), nil
}

func (c *fatContent) Open(ctx context.Context, size int64) (File, error) {
	v := c.volume
	v.Size = size
	image, err := fat.New(ctx, c.tree, v)
	if err != nil {
		return nil, err
	}
	return image, nil
}

// Ext4 returns an ext4 file system of a tree. The label has at most 16 bytes.
// Options are [WithTime], [WithUUID], [WithSpare] and [WithoutJournal].
func Ext4(label string, tree fs.FS, opts ...Option) Content {
	return newExt(opExt4, 4, label, tree, opts)
}

// Ext2 returns an ext2 file system of a tree. The label has at most 16 bytes.
// Options are [WithTime], [WithUUID] and [WithSpare].
func Ext2(label string, tree fs.FS, opts ...Option) Content {
	return newExt(opExt2, 2, label, tree, opts)
}

func newExt(op operation, version int, label string, tree fs.FS, opts []Option) Content {
	cfg, err := contentConfig(op, tree, opts)
	if err != nil {
		return failed{err}
	}
	return &extContent{tree, ext.Volume{
		Label: label, UUID: cfg.id(label), Time: cfg.time, Spare: cfg.spare, Version: version, NoJournal: cfg.noJournal,
	}}
}

type extContent struct {
	tree   fs.FS
	volume ext.Volume
}

func (c *extContent) MinSize(ctx context.Context) (int64, error) {
	return ext.MinSize(ctx, c.tree, c.volume)
}

func (c *extContent) Open(ctx context.Context, size int64) (File, error) {
	v := c.volume
	v.Size = size
	image, err := ext.New(ctx, c.tree, v)
	if err != nil {
		return nil, err
	}
	return image, nil
}

// failed is a content whose options cannot be.
type failed struct{ err error }

func (f failed) MinSize(context.Context) (int64, error)    { return 0, f.err }
func (f failed) Open(context.Context, int64) (File, error) { return nil, f.err }
