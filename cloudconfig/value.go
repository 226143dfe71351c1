package cloudconfig

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// Values are what a template may use: texts with dotted names. The zero value
// is empty and ready. It is a flag.Value, so that
//
//	flags.Var(&values, "set", "`name=value` for the template")
//
// gives a program the usual repeatable flag; but package flag shows a value
// that is refused. Values must not be changed while a document is rendered
// with them.
type Values struct {
	leaves map[string]string
}

// NewValues returns the values of a map from dotted names, such as
// "github.user", to texts. All faults are returned at once.
func NewValues(dotted map[string]string) (*Values, error) {
	var v Values
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(dotted)) {
		errs = append(errs, v.add(name, dotted[name]))
	}
	return &v, errors.Join(errs...)
}

// Set adds one value in the form name=value. The name ends at the first equals
// sign; everything behind it is the value, exactly as it is. A name that was
// set before gets the new value.
func (v *Values) Set(pair string) error {
	name, value, ok := strings.Cut(pair, "=")
	if !ok {
		return errors.New("cloudconfig: want name=value, got no equals sign")
	}
	return v.add(name, value)
}

func (v *Values) add(name, value string) error {
	for part := range strings.SplitSeq(name, ".") {
		if !isName(part) {
			return fmt.Errorf("cloudconfig: name %.100q: want letters, digits, _ and - between the dots, and a letter or _ first", name)
		}
	}
	for _, other := range v.Names() {
		if strings.HasPrefix(name, other+".") || strings.HasPrefix(other, name+".") {
			return fmt.Errorf("cloudconfig: %s and %s exclude one another: one cannot be both a value and a group", min(name, other), max(name, other))
		}
	}
	if v.leaves == nil {
		v.leaves = make(map[string]string)
	}
	v.leaves[name] = value
	return nil
}

// isName reports whether s can follow a dot in a template.
func isName(s string) bool {
	for i, r := range s {
		switch {
		case r == '_' || unicode.IsLetter(r):
		case i > 0 && (r == '-' || unicode.IsDigit(r)):
		default:
			return false
		}
	}
	return s != ""
}

// Names returns the names of all values, sorted.
func (v *Values) Names() []string {
	if v == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(v.leaves))
}

// String returns the names alone: values may be passwords.
func (v *Values) String() string { return strings.Join(v.Names(), ",") }

// Format implements [fmt.Formatter]: whatever the verb, only names are shown.
func (v Values) Format(s fmt.State, _ rune) { fmt.Fprint(s, v.String()) }

// tree returns the values as nested maps: a copy, which a template may change.
func (v *Values) tree() map[string]any {
	root := make(map[string]any)
	if v == nil {
		return root
	}
	for name, value := range v.leaves {
		parts := strings.Split(name, ".")
		group := root
		for _, part := range parts[:len(parts)-1] {
			if _, ok := group[part]; !ok {
				group[part] = make(map[string]any)
			}
			group = group[part].(map[string]any)
		}
		group[parts[len(parts)-1]] = value
	}
	return root
}

// mask replaces every value in s.
func (v *Values) mask(s string) string {
	if v == nil {
		return s
	}
	for _, value := range slices.SortedFunc(maps.Values(v.leaves), func(a, b string) int { return len(b) - len(a) }) {
		if value != "" {
			s = strings.ReplaceAll(s, value, mask)
		}
	}
	return s
}
