package artifacts

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"path"
)

// dirSource is a Source of the files in an fs.FS.
type dirSource struct {
	id   string
	fsys fs.FS
}

var (
	_ Lister     = (*dirSource)(nil)
	_ SideLister = (*dirSource)(nil)
)

// Dir returns the source of the regular files in fsys, whose names are valid
// as [fs.ValidPath] says. The id is the source's [Source.ID]: with an
// empty one each [Store.Get] reads the file again, unless a digest is known.
// Digests are looked for beside a file, as [HTTP] does.
func Dir(id string, fsys fs.FS) Lister { return &dirSource{id: id, fsys: fsys} }

// ID implements [Source].
func (d *dirSource) ID() string { return d.id }

// Stat implements [Source].
func (d *dirSource) Stat(_ context.Context, name string) (Info, error) {
	info, err := fs.Stat(d.fsys, name)
	if err != nil {
		return Info{}, err
	}
	if !info.Mode().IsRegular() {
		return Info{}, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return Info{Name: name, Size: info.Size(), ModTime: info.ModTime()}, nil
}

// Open implements [Source].
func (d *dirSource) Open(_ context.Context, name string) (io.ReadCloser, error) {
	return d.fsys.Open(name)
}

// List implements [Lister].
func (d *dirSource) List(ctx context.Context, pattern string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		err := fs.WalkDir(d.fsys, ".", func(name string, e fs.DirEntry, err error) error {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil || !e.Type().IsRegular() {
				return err
			}
			if ok, err := path.Match(pattern, name); err != nil || !ok && pattern != "" {
				return err
			}
			info, err := d.Stat(ctx, name)
			if err == nil && !yield(info, nil) {
				err = fs.SkipAll
			}
			return err
		})
		if err != nil {
			yield(Info{}, err)
		}
	}
}

// ChecksumFiles implements [SideLister].
func (d *dirSource) ChecksumFiles(_ context.Context, name string) ([]string, error) {
	return checksumFiles(name), nil
}
