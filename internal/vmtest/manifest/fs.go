package manifest

import (
	"archive/tar"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// xattrRecord begins the PAX records that hold extended attributes.
const xattrRecord = "SCHILY.xattr."

// FS lists a tree whose FileInfo.Sys may be a *tar.Header, which says whose a
// file is, what it links to and what attributes it has.
func FS(fsys fs.FS) (Manifest, error) {
	m := Manifest{}
	groups := map[string][]string{} // the names of files that have several, by the one that the header has
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		e, linked, err := entry(fsys, name, d)
		if err != nil {
			return err
		}
		if linked != "" {
			groups[linked] = append(groups[linked], name)
		}
		m[name] = e
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	m.link(groups)
	return m, nil
}

// entry returns one entry, and the name that the header calls its other one.
func entry(fsys fs.FS, name string, d fs.DirEntry) (Entry, string, error) {
	info, err := d.Info()
	if err != nil {
		return Entry{}, "", err
	}
	e := Entry{Mode: info.Mode(), ModTime: info.ModTime().UTC()}
	if !info.IsDir() {
		e.Links = 1
	}
	header, _ := info.Sys().(*tar.Header)
	linked := ""
	if header != nil {
		linked = e.setHeader(header)
	}
	switch {
	case info.Mode().IsRegular():
		f, err := fsys.Open(name)
		if err != nil {
			e.Err = reason(err)
			break
		}
		e.Sum, e.Size, err = Sum(f)
		if err != nil {
			e.Err = reason(err)
		}
		_ = f.Close()
	case info.Mode()&fs.ModeSymlink != 0:
		if e.Target, err = fs.ReadLink(fsys, name); err != nil {
			e.Err = reason(err)
		}
	}
	return e, linked, nil
}

// setHeader takes what only the header says, and returns the other name.
func (e *Entry) setHeader(h *tar.Header) string {
	e.UID, e.GID = h.Uid, h.Gid
	if e.Mode&fs.ModeDevice != 0 {
		e.Device = [2]uint32{uint32(h.Devmajor), uint32(h.Devminor)}
	}
	for key, value := range h.PAXRecords {
		if name, ok := strings.CutPrefix(key, xattrRecord); ok {
			if e.Xattrs == nil {
				e.Xattrs = map[string]string{}
			}
			e.Xattrs[name] = value
		}
	}
	if h.Typeflag == tar.TypeLink {
		return path.Clean(strings.TrimPrefix(h.Linkname, "/"))
	}
	return ""
}

// link fills in Same and Links of files with several names.
func (m Manifest) link(groups map[string][]string) {
	for target, names := range groups {
		if _, ok := m[target]; ok {
			names = append(names, target)
		}
		first := names[0]
		for _, name := range names {
			first = min(first, name)
		}
		for _, name := range names {
			e := m[name]
			e.Links = len(names)
			if name != first {
				e.Same = first
			}
			m[name] = e
		}
	}
}
