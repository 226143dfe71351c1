package isobuild

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/netbootkit/netbootkit/internal/iso9660"
)

const (
	// maxESP is how much of an EFI system partition is searched when the boot
	// catalogue does not say its size, in bytes.
	maxESP = 64 << 20
	// windowESP is how much of that is in memory at a time, and overlapESP how
	// much of one window is also in the next: more than an identifier takes.
	windowESP  = 64 << 10
	overlapESP = 256
	// maxChanged is how many bytes the menus may have that change: they are in
	// memory until the image is written.
	maxChanged = 16 << 20
)

// A relabeling changes the volume identifier in menus, which lead the kernel
// and GRUB to their medium by it.
type relabeling struct {
	pattern *regexp.Regexp
	part    []byte // of the identifier: without it there is no match, and patterns are slow
	with    []byte // what replaces a match
}

// newRelabeling returns what changes from to to. It knows the identifier behind
// LABEL=, as in root=live:CDLABEL= and inst.stage2=hd:LABEL=, and behind GRUB's
// search -l, --label and --fs-label, with blanks as they are or as \x20.
func newRelabeling(from, to string) *relabeling {
	valid := string([]rune(from)) // A byte that is not UTF-8 matches what stands for one, as patterns have to be UTF-8.
	id := strings.ReplaceAll(regexp.QuoteMeta(valid), " ", `(?: |\\x20)`)
	const word = `A-Za-z0-9#+.:=@_\-`
	return &relabeling{
		pattern: regexp.MustCompile(`((?i:label)=|--?(?:l|label|fs-label)[ =]+)(["']?)` + id + `([^` + word + `]|$)`),
		part:    []byte(literal(valid)),
		with:    []byte("${1}${2}" + to + "${3}"),
	}
}

// literal returns the longest part of an identifier that has one form only.
func literal(id string) string {
	var longest string
	for part := range strings.FieldsFuncSeq(id, func(r rune) bool { return r == ' ' || r == utf8.RuneError }) {
		if len(part) > len(longest) {
			longest = part
		}
	}
	return longest
}

// find returns the range of the first match in b, or nil.
func (l *relabeling) find(b []byte) []int {
	if !bytes.Contains(b, l.part) {
		return nil
	}
	return l.pattern.FindIndex(b)
}

// apply returns text with the new identifier, and whether it had the old one.
// The result is of use only if [checkLabel] lets the new one pass.
func (l *relabeling) apply(text []byte) ([]byte, bool) {
	var out []byte
	changed := false
	for line := range bytes.Lines(text) {
		if l.find(line) != nil {
			line, changed = l.pattern.ReplaceAll(line, l.with), true
		}
		out = append(out, line...)
	}
	return out, changed
}

// search says whether r has the old identifier.
func (l *relabeling) search(r io.Reader) (bool, error) {
	window := make([]byte, 0, windowESP)
	for {
		n, err := io.ReadFull(r, window[len(window):cap(window)])
		window = window[:len(window)+n]
		if err == nil {
			// What is at the very end may go on; it is in the next window as well.
			if at := l.find(window); at != nil && at[1] < len(window) {
				return true, nil
			}
			window = window[:copy(window, window[len(window)-overlapESP:])]
			continue
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return l.find(window) != nil, nil
		}
		return false, err
	}
}

// relabel changes the volume identifier in the menus of the old image.
func (c *changedTree) relabel(old *iso9660.Image, to string) error {
	l := newRelabeling(old.Volume().ID, to)
	var total int
	return fs.WalkDir(old, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || !isMenu(name) {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > maxMenu {
			return err
		}
		text, err := fs.ReadFile(old, name)
		if err != nil {
			return err
		}
		text, changed := l.apply(text)
		h, ok := info.Sys().(*tar.Header)
		if !changed || !ok || h.Typeflag != tar.TypeReg {
			return nil // Further names of a file are names of the new one, too.
		}
		if err := checkLabel(to); err != nil {
			return &Error{Path: name, Err: err}
		}
		if total += len(text); total > maxChanged {
			return fmt.Errorf("menus with the volume identifier have more than %d bytes", maxChanged)
		}
		if old.Volume().Names == iso9660.Plain {
			name = strings.ToLower(name)
		}
		return c.replace(name, text)
	})
}

// replace gives a file that is there, and all its names, other content.
func (c *changedTree) replace(name string, text []byte) error {
	found, err := c.tree.Lookup(name, false)
	if err != nil {
		return err
	}
	found.Size, found.Offset = int64(len(text)), int64(len(c.contents))
	c.contents = append(c.contents, content{name: name, r: bytes.NewReader(text)})
	return nil
}

// isMenu reports whether a file can be a boot loader's menu by its name.
func isMenu(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".cfg" || ext == ".conf" || ext == ".lst"
}

// checkLoaders fails if a menu in an EFI system partition has the old
// identifier: partitions are not changed.
func (r *remastering) checkLoaders(to string) error {
	if r.catalog == nil {
		return nil
	}
	l := newRelabeling(r.old.Volume().ID, to)
	for _, e := range r.catalog.Entries {
		if e.Platform != iso9660.PlatformEFI {
			continue
		}
		size := int64(e.Sectors) * 512
		if e.Sectors == 0 || e.Sectors == 0xffff {
			size = maxESP
		}
		found, err := l.search(io.NewSectionReader(r.iso, offset(e.Block), size))
		if err != nil {
			return fmt.Errorf("EFI system partition: %w", err)
		}
		if found {
			return fmt.Errorf("volume identifier: a menu in the EFI system partition has the old one, %q, and stays as it is: %w",
				r.old.Volume().ID, errors.ErrUnsupported)
		}
	}
	return nil
}
