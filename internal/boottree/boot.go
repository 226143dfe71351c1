package boottree

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A Boot says what boots a tree.
type Boot struct {
	Kernel  string // the path of the kernel, without links on the way
	Initrd  string // the path of the initial ramdisk, likewise
	Version string // of both; "" if their names say none
}

// FindBoot returns the newest kernel of fsys that has an initial ramdisk.
func FindBoot(fsys fs.FS) (*Boot, error) {
	s := &search{fsys: fsys, seen: make(map[string]bool)}
	if err := s.run(); err != nil {
		return nil, fmt.Errorf("kernel and ramdisk: %w", err)
	}
	if b := choose(s.kernels, s.ramdisks); b != nil {
		return b, nil
	}
	return nil, &NotFoundError{kernels: s.kernels, ramdisks: s.ramdisks, places: s.places, others: s.others}
}

// A candidate is a file that could be a kernel, or a ramdisk.
type candidate struct {
	path    string // without links
	version string
}

// A search is one call of FindBoot.
type search struct {
	fsys     fs.FS
	seen     map[string]bool // directories
	places   []string        // where it looked, and there was a directory
	kernels  []candidate
	ramdisks []candidate
	others   []string // names that were left aside, with the reason
}

// run looks everywhere.
func (s *search) run() error {
	return errors.Join(
		s.look("boot", ""),
		s.lookBelow("usr/lib/modules", true),
		s.lookBelow("lib/modules", true),
		s.look("usr/lib/ostree-boot", ""),
		s.lookBelow("boot/ostree", false),
		s.look(".", ""),
	)
}

// lookBelow notes what is in the directories of folder, whose names may be
// versions.
func (s *search) lookBelow(folder string, versions bool) error {
	entries, _, err := readDir(s.fsys, folder)
	errs := []error{err}
	for _, e := range entries {
		version := ""
		if versions {
			version = e.Name()
		}
		errs = append(errs, s.look(path.Join(folder, e.Name()), version))
	}
	return errors.Join(errs...)
}

// look notes what is in folder. Version is that of the folder, if it has one.
func (s *search) look(folder, version string) error {
	entries, target, err := readDir(s.fsys, folder)
	if err != nil || target == "" || s.seen[target] {
		return err
	}
	s.seen[target] = true
	s.places = append(s.places, path.Join("/", target))
	for _, prefix := range kernelNames() {
		for _, e := range entries {
			s.consider(&s.kernels, path.Join(target, e.Name()), prefix, version)
		}
	}
	for _, prefix := range ramdiskNames() {
		for _, e := range entries {
			s.consider(&s.ramdisks, path.Join(target, e.Name()), prefix, version)
		}
	}
	return nil
}

// consider adds what is called name to list, if it is such a file.
func (s *search) consider(list *[]candidate, name, prefix, version string) {
	own, ok := versionOf(path.Base(name), prefix)
	if !ok {
		return
	}
	target, info, err := resolve(s.fsys, name)
	switch {
	case err != nil:
		s.others = append(s.others, "/"+name+" (leads nowhere)")
		return
	case !info.Mode().IsRegular():
		return
	case info.Size() == 0:
		s.others = append(s.others, "/"+name+" (empty)")
		return
	case spare(path.Base(name)) || spare(path.Base(target)):
		s.others = append(s.others, "/"+name+" (not for booting)")
		return
	}
	c := candidate{target, own}
	if led := versionAt(target); led != "" {
		c.version = led
	}
	if c.version == "" {
		c.version = version
	}
	if !slices.Contains(*list, c) {
		*list = append(*list, c)
	}
}

func kernelNames() []string { return []string{"vmlinuz", "uImage", "Image", "zImage", "image"} }

func ramdiskNames() []string { return []string{"initrd", "initramfs"} }

// versionAt returns the version that the path of a file without links says.
func versionAt(name string) string {
	for _, prefix := range append(kernelNames(), ramdiskNames()...) {
		if version, ok := versionOf(path.Base(name), prefix); ok && version != "" {
			return version
		}
	}
	folder, version := path.Split(path.Dir(name))
	if path.Base(folder) == "modules" {
		return version
	}
	return ""
}

// versionOf returns what follows prefix in base, without separators, endings
// and ostree's checksum, and whether base starts with it at all.
func versionOf(base, prefix string) (string, bool) {
	rest, ok := strings.CutPrefix(base, prefix)
	if !ok || rest != "" && !strings.ContainsAny(rest[:1], "-._0123456789") {
		return "", false
	}
	rest = strings.TrimPrefix(rest, ".img")
	for cut := true; cut; {
		before := rest
		rest = withoutChecksum(rest)
		for _, ending := range []string{".img", ".gz", ".xz", ".zst", ".lz4", ".bz2", ".cpio", ".efi"} {
			rest = strings.TrimSuffix(rest, ending)
		}
		cut = rest != before
	}
	return strings.TrimLeft(rest, "-._"), true
}

// withoutChecksum removes what ostree appends: a hyphen and 64 hexadecimal
// digits.
func withoutChecksum(s string) string {
	i := strings.LastIndexByte(s, '-')
	if i < 0 || len(s)-i != 65 || strings.Trim(s[i+1:], "0123456789abcdef") != "" {
		return s
	}
	return s[:i]
}

// spare says whether a file of that name is not for booting as usual.
func spare(base string) bool {
	for _, part := range []string{"rescue", "kdump", "fallback", ".dpkg-", ".old"} {
		if strings.Contains(base, part) {
			return true
		}
	}
	for _, ending := range []string{"~", ".bak", ".backup", ".new", ".tmp", ".rpmsave", ".rpmnew", ".hmac", ".sig", ".asc", ".p7s", ".sha256", ".sha512"} {
		if strings.HasSuffix(base, ending) {
			return true
		}
	}
	return false
}

// choose returns the newest version that is in both lists, or what goes
// together without a version.
func choose(kernels, ramdisks []candidate) *Boot {
	var best *Boot
	for _, k := range kernels {
		i := slices.IndexFunc(ramdisks, func(r candidate) bool { return r.version == k.version })
		if i >= 0 && (best == nil || CompareVersions(k.version, best.Version) > 0) {
			best = &Boot{k.path, ramdisks[i].path, k.version}
		}
	}
	if best != nil || len(kernels) == 0 || len(ramdisks) == 0 {
		return best
	}
	unversioned := func(c candidate) bool { return c.version == "" }
	if i := slices.IndexFunc(ramdisks, unversioned); i >= 0 {
		k := newest(kernels)
		return &Boot{k.path, ramdisks[i].path, k.version}
	}
	if i := slices.IndexFunc(kernels, unversioned); i >= 0 {
		r := newest(ramdisks)
		return &Boot{kernels[i].path, r.path, r.version}
	}
	return nil // A ramdisk of another version has none of the kernel's modules.
}

func newest(list []candidate) candidate {
	return slices.MaxFunc(list, func(a, b candidate) int { return CompareVersions(a.version, b.version) })
}
