package iso9660

import "fmt"

// An Option changes how [Open] reads an image. Later options win.
type Option func(*config)

type config struct{ names Names }

// Names says from which of its trees the names of an image are.
type Names byte

// The trees that an image can have.
const (
	Auto      Names = iota // the first of the next three that the image has
	RockRidge              // names, owners, modes and links of POSIX
	Joliet                 // names for Windows
	Plain                  // names of ECMA-119 only
	Enhanced               // long names of ISO 9660:1999, which Auto does not take
)

// String implements [fmt.Stringer].
func (n Names) String() string {
	switch n {
	case Auto:
		return "auto"
	case RockRidge:
		return "Rock Ridge"
	case Joliet:
		return "Joliet"
	case Plain:
		return "plain ISO 9660"
	case Enhanced:
		return "ISO 9660:1999"
	default:
		return fmt.Sprintf("Names(%d)", byte(n))
	}
}

// WithNames takes the given tree, and no other. The default is [Auto].
func WithNames(n Names) Option {
	return func(c *config) { c.names = n }
}
