package boottree

import (
	"fmt"
	"io/fs"
	"strings"
)

// maxListed is how many names an error lists of each kind.
const maxListed = 8

// A NotFoundError says that a tree has no kernel and ramdisk that go
// together, where that was looked for, and what was there instead.
type NotFoundError struct {
	kernels, ramdisks []candidate
	places, others    []string
}

// Error implements the error interface.
func (e *NotFoundError) Error() string {
	var b strings.Builder
	switch {
	case len(e.kernels) == 0 && len(e.ramdisks) == 0:
		fmt.Fprintf(&b, "no kernel (%s) and no ramdisk (%s)", names(kernelNames()), names(ramdiskNames()))
	case len(e.kernels) == 0:
		fmt.Fprintf(&b, "no kernel (%s)", names(kernelNames()))
	case len(e.ramdisks) == 0:
		fmt.Fprintf(&b, "no ramdisk (%s)", names(ramdiskNames()))
	default:
		b.WriteString("no kernel has a ramdisk of its version")
	}
	if b.WriteString(" in "); len(e.places) == 0 {
		b.WriteString("an empty tree")
	}
	b.WriteString(names(e.places))
	var found []string
	for _, c := range append(e.kernels, e.ramdisks...) {
		found = append(found, "/"+c.path)
	}
	if found = append(found, e.others...); len(found) > 0 {
		b.WriteString("; there are " + names(found))
	}
	return b.String()
}

// Is matches [fs.ErrNotExist].
func (e *NotFoundError) Is(target error) bool { return target == fs.ErrNotExist }

// names joins the first of a list.
func names(list []string) string {
	if len(list) > maxListed {
		return strings.Join(list[:maxListed], ", ") + fmt.Sprintf(" and %d more", len(list)-maxListed)
	}
	return strings.Join(list, ", ")
}
