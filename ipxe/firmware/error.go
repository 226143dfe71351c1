package firmware

import "errors"

// ErrNoScript is reported by [Patch] for a program that holds no script that
// can be replaced: it is compressed, signed by another build, or no iPXE.
var ErrNoScript = errors.New("no replaceable script")
