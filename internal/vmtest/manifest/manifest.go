package manifest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"
)

// A Manifest is what a tree holds, by paths as in [io/fs]; "." is its root.
type Manifest map[string]Entry

// An Entry is one file of any kind.
type Entry struct {
	Mode     fs.FileMode // kind, permissions and set-id bits
	UID, GID int
	ModTime  time.Time // in UTC
	Size     int64     // of a regular file, in bytes
	Sum      string    // CRC-64 (as in XZ files) of a regular file, as hexadecimal digits
	Target   string    // of a symbolic link
	Device   [2]uint32 // major and minor number of a device
	Links    int       // how many names it has, or 0 if that is not known
	Same     string    // the first path, in bytewise order, of a file with several names; "" at that path
	Xattrs   map[string]string
	Err      string // why it could not be read, or ""
}

// String returns everything about an entry on one line.
func (e Entry) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %d:%d %s", e.Mode, e.UID, e.GID, e.ModTime.UTC().Format(time.RFC3339Nano))
	for _, part := range []struct {
		name  string
		value any
		show  bool
	}{
		{"size", e.Size, e.Mode.IsRegular()},
		{"sum", e.Sum, e.Sum != ""},
		{"target", e.Target, e.Target != ""},
		{"device", e.Device, e.Mode&fs.ModeDevice != 0},
		{"links", e.Links, e.Links != 0},
		{"same", e.Same, e.Same != ""},
		{"error", e.Err, e.Err != ""},
	} {
		if part.show {
			fmt.Fprintf(&b, " %s=%v", part.name, part.value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.Xattrs)) {
		fmt.Fprintf(&b, " %s=%q", name, e.Xattrs[name])
	}
	return b.String()
}

// Paths returns the paths in bytewise order.
func (m Manifest) Paths() []string { return slices.Sorted(maps.Keys(m)) }

// Edit returns a copy of m in which f has changed every entry. What a reader
// cannot see, such as owners without Rock Ridge, is taken out of the other
// side of a comparison that way.
func (m Manifest) Edit(f func(path string, e *Entry)) Manifest {
	out := make(Manifest, len(m))
	for path, e := range m {
		f(path, &e)
		out[path] = e
	}
	return out
}

// maxDiff is how many lines Diff returns.
const maxDiff = 20

// Diff returns one line for each entry in which got differs from want, in
// order of paths, of which the first 20 are shown; nil if there is none. What
// one side does not know of Links is not compared.
func Diff(want, got Manifest) []string {
	var lines []string
	for _, path := range want.Paths() {
		w := want[path]
		g, ok := got[path]
		switch {
		case !ok:
			lines = append(lines, fmt.Sprintf("%q: missing: %s", path, w))
		case !same(want[path], got[path]):
			lines = append(lines, fmt.Sprintf("%q: want %s\n\tgot  %s", path, w, g))
		}
	}
	for _, path := range got.Paths() {
		if _, ok := want[path]; !ok {
			lines = append(lines, fmt.Sprintf("%q: not wanted: %s", path, got[path]))
		}
	}
	if len(lines) > maxDiff {
		lines = append(lines[:maxDiff], fmt.Sprintf("and %d more", len(lines)-maxDiff))
	}
	return lines
}

// same compares what both sides know.
func same(a, b Entry) bool {
	if a.Links == 0 || b.Links == 0 {
		a.Links, b.Links = 0, 0
	}
	return a.String() == b.String()
}

// Sum reads r to its end, and returns what an [Entry] has as the Sum of such a
// file, and its size. It is a checksum against accidents: a virtual machine
// spent a quarter of its time on a digest.
func Sum(r io.Reader) (sum string, size int64, err error) {
	h := crc64.New(crc64.MakeTable(crc64.ECMA))
	size, err = io.Copy(h, r)
	if err != nil {
		return "", size, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// reason leaves the path of an error away, which differs between readers.
func reason(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err.Error()
	}
	return err.Error()
}
