package isobuild

import (
	"io/fs"
	"path"
	"strings"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

// A bootRule is one way to arrange the files of an image that boots.
type bootRule struct {
	layout    string
	folders   []string // with kernel and ramdisk; patterns as in path.Match
	kernel    string   // how the kernel's name starts
	initrd    string   // how the ramdisk's name starts
	root      []string // patterns, of which the first counts; a first element of ".." starts at the kernel
	needsRoot bool     // whether the arrangement is known by its root only
}

// String returns where the rule looks for a kernel.
func (r bootRule) String() string {
	return r.layout + " (" + strings.Join(r.folders, " or ") + "/" + r.kernel + ")"
}

// bootRules returns the arrangements that are known, in the order in which
// they are tried.
func bootRules() []bootRule {
	live := []string{"LiveOS/squashfs.img", "LiveOS/rootfs.img"}
	return []bootRule{
		{"Kairos", []string{"boot"}, "kernel", "initrd", []string{"rootfs.squashfs"}, true},
		{"KIWI", []string{"boot/*/loader"}, "linux", "initrd", live, true},
		{"openSUSE installer", []string{"boot/*/loader"}, "linux", "initrd", []string{"../../root"}, false},
		{"Fedora", []string{"images/pxeboot"}, "vmlinuz", "initrd", append(live, "images/install.img"), false},
		{"Debian live", []string{"live"}, "vmlinuz", "initrd", []string{"live/filesystem.squashfs", "live/*.squashfs"}, false},
		{"Ubuntu casper", []string{"casper"}, "vmlinuz", "initrd", []string{"casper/filesystem.squashfs", "casper/*.squashfs"}, false},
	}
}

// pair returns the kernel and the ramdisk that belongs to it: those without a
// version, as menus name them, else the newest.
func (r bootRule) pair(fsys fs.FS) (kernel, initrd string) {
	for _, pattern := range r.folders {
		for _, folder := range glob(fsys, pattern) {
			if kernel, initrd := r.pairIn(fsys, folder); kernel != "" {
				return path.Join(folder, kernel), path.Join(folder, initrd)
			}
		}
	}
	return "", ""
}

// pairIn is pair for one folder; it returns names in the folder.
func (r bootRule) pairIn(fsys fs.FS, folder string) (kernel, initrd string) {
	entries, err := fs.ReadDir(fsys, folder)
	if err != nil {
		return "", ""
	}
	ramdisks := make(map[string]string) // by version
	for _, e := range entries {
		if version, ok := bootVersion(e.Name(), r.initrd); ok && ramdisks[version] == "" {
			ramdisks[version] = e.Name()
		}
	}
	newest := ""
	for _, e := range entries {
		version, ok := bootVersion(e.Name(), r.kernel)
		switch {
		case !ok || ramdisks[version] == "":
		case kernel == "", newest != "" && (version == "" || natural(newest, version) < 0):
			kernel, initrd, newest = e.Name(), ramdisks[version], version
		}
	}
	return kernel, initrd
}

// bootVersion returns the version in the name of a kernel or a ramdisk that
// starts with prefix.
func bootVersion(name, prefix string) (version string, ok bool) {
	rest, ok := strings.CutPrefix(name, prefix)
	if !ok || rest != "" && !strings.ContainsAny(rest[:1], "-.") {
		return "", false
	}
	for _, ending := range []string{".img", ".gz", ".lz", ".lz4", ".xz", ".zst", ".efi"} {
		rest = strings.TrimPrefix(strings.TrimSuffix(rest, ending), ending)
	}
	return strings.TrimPrefix(rest, "-"), true
}

// natural compares versions: numbers in them by their values.
func natural(a, b string) int {
	for a != "" && b != "" {
		n, m := digits(a), digits(b)
		if n == 0 || m == 0 {
			if a[0] != b[0] {
				return int(a[0]) - int(b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y := strings.TrimLeft(a[:n], "0"), strings.TrimLeft(b[:m], "0")
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		if order := strings.Compare(x, y); order != 0 {
			return order
		}
		a, b = a[n:], b[m:]
	}
	return len(a) - len(b)
}

// digits returns how many digits s starts with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

// rootFS returns the root file system for a kernel, or "". Of several layers
// it is the one with the shortest name, on which the others lie.
func (r bootRule) rootFS(fsys fs.FS, kernel string) string {
	for _, pattern := range r.root {
		if strings.HasPrefix(pattern, "../") {
			pattern = path.Join(kernel, pattern)
		}
		best := ""
		for _, name := range glob(fsys, pattern) {
			if best == "" || len(name) < len(best) {
				best = name
			}
		}
		if best != "" {
			return best
		}
	}
	return ""
}

// glob returns what there is of a pattern. Without a star in it that is the
// name itself, which then needs not be in the case that the image has.
func glob(fsys fs.FS, pattern string) []string {
	if !strings.Contains(pattern, "*") {
		if _, err := fs.Stat(fsys, pattern); err != nil {
			return nil
		}
		return []string{pattern}
	}
	names, err := fs.Glob(fsys, pattern)
	if err != nil {
		return nil
	}
	return names
}

// lowered returns the tree with plain names in lower case, as rules and menus
// have them. Other trees know the case of letters.
func (im *Image) lowered() fs.FS {
	if im.tree.Volume().Names == iso9660.Plain {
		return lowerTree{im}
	}
	return im
}

// A lowerTree lists its names in lower case. It opens them in either, as the
// image does.
type lowerTree struct{ *Image }

// ReadDir implements [fs.ReadDirFS].
func (t lowerTree) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := t.Image.ReadDir(name)
	for i, e := range entries {
		entries[i] = lowerEntry{e}
	}
	return entries, err
}

type lowerEntry struct{ fs.DirEntry }

// Name implements [fs.DirEntry].
func (e lowerEntry) Name() string { return strings.ToLower(e.DirEntry.Name()) }
