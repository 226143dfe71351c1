package fat

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// A Volume says what a volume is like. The zero value is one that fits the
// tree, without a label.
type Volume struct {
	Label  string    // up to 11 ASCII characters in upper case; "" is none
	Serial uint32    // the volume's serial number; the default is 0
	Time   time.Time // of the label, and of files that have none; the default is 1980
	Size   int64     // in bytes, a multiple of 512; 0 is what fits
	Spare  int64     // bytes that stay free at least
	Bits   int       // 12, 16 or 32; 0 chooses by the size
	Hidden uint32    // sectors before the volume on its disk
}

// New returns a volume with the files of tree. The image has Size bytes, or, to
// fit, a multiple of 2048.
func New(ctx context.Context, tree fs.FS, v Volume) (*mosaic.Image, error) {
	if err := v.check(); err != nil {
		return nil, err
	}
	root, err := scan(ctx, tree)
	if err != nil {
		return nil, err
	}
	root.labelled = v.Label != ""
	g, err := choose(&v, root)
	if err != nil {
		return nil, err
	}
	return assemble(tree, &v, g, place(root, g)), nil
}

// check says all that is wrong with v.
func (v *Volume) check() error {
	var errs []error
	if v.Size < 0 || v.Size%sectorSize != 0 || v.Size > math.MaxUint32*sectorSize {
		errs = append(errs, fmt.Errorf("fat: size %d: not a multiple of %d from 0 to %d",
			v.Size, sectorSize, int64(math.MaxUint32*sectorSize)))
	}
	if v.Spare < 0 || v.Spare > math.MaxUint32*sectorSize {
		errs = append(errs, fmt.Errorf("fat: spare %d: not 0 to %d", v.Spare, int64(math.MaxUint32*sectorSize)))
	}
	if v.Bits != 0 && v.Bits != 12 && v.Bits != 16 && v.Bits != 32 {
		errs = append(errs, fmt.Errorf("fat: bits %d: not 0, 12, 16 or 32", v.Bits))
	}
	if err := checkLabel(v.Label); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// checkLabel refuses what mkfs.vfat and Windows refuse, and lower case, which
// readers show differently.
func checkLabel(label string) error {
	if len(label) > shortSize {
		return fmt.Errorf("fat: label %q: has %d bytes, not up to %d", label, len(label), shortSize)
	}
	if strings.HasPrefix(label, " ") || strings.HasSuffix(label, " ") {
		return fmt.Errorf("fat: label %q: begins or ends with a space", label)
	}
	for _, r := range label {
		if r != ' ' && !isShortRune(r) {
			return fmt.Errorf("fat: label %q: holds %q, which is not allowed", label, r)
		}
	}
	return nil
}
