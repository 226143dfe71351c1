package cloudconfig

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

// functions returns what templates may call: sprig's functions whose result
// depends on their arguments alone, and those of package text/template that
// have to be bounded or to know "true" and "false". Each call is counted on b.
func functions(b *budget) template.FuncMap {
	all := sprig.HermeticTxtFuncMap()
	for _, name := range []string{
		// These read the clock or the time zone, or need a time.
		"ago", "mustDateModify", "must_date_modify", "mustToDate", "toDate", "unixEpoch",
		// These draw random numbers.
		"bcrypt", "encryptAES", "genCA", "genCAWithKey", "genPrivateKey", "genSelfSignedCert",
		"genSelfSignedCertWithKey", "genSignedCert", "genSignedCertWithKey", "htpasswd", "randInt", "shuffle",
		// These split paths as the host does.
		"osBase", "osClean", "osDir", "osExt", "osIsAbs",
	} {
		delete(all, name)
	}
	maps.Copy(all, template.FuncMap{
		"coalesce": coalesce,
		"default":  defaultTo,
		"empty":    isEmpty,
		"eq":       equal,
		"ne":       notEqual,
		"not":      func(v any) bool { return !isTrue(v) },
		"keys":     sortedKeys,
		"values":   sortedValues,
		"ternary":  func(yes, no, condition any) any { return choose(isTrue(condition), yes, no) },
		"all":      func(vs ...any) bool { return !slices.ContainsFunc(vs, func(v any) bool { return !isTrue(v) }) },
		"any":      func(vs ...any) bool { return slices.ContainsFunc(vs, isTrue) },
		"html":     template.HTMLEscaper,
		"js":       template.JSEscaper,
		"print":    fmt.Sprint,
		"printf":   fmt.Sprintf,
		"println":  fmt.Sprintln,
		"urlquery": template.URLQueryEscaper,
	})
	for name, fn := range all {
		all[name] = guard(b, name, fn)
	}
	return all
}

// builtins returns the names that package text/template adds by itself.
func builtins() []string {
	return []string{"and", "or", "len", "index", "lt", "le", "gt", "ge"}
}

// An absent value was not given, and is the argument of a function that can
// do without.
type absent struct{ name string }

// isTrue reports whether a condition holds: "false" is as false as "", 0, an
// empty list, and what was not given.
func isTrue(v any) bool {
	truth, _ := template.IsTrue(v)
	_, isAbsent := v.(absent)
	return truth && !isAbsent && v != any("false")
}

// isEmpty reports whether v is unset: not given, nil, "", or an empty
// collection. False and zero are not unset, unlike in sprig.
func isEmpty(v any) bool {
	if _, ok := v.(absent); ok || v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.String, reflect.Slice, reflect.Map, reflect.Array:
		return r.Len() == 0
	default:
		return false
	}
}

// defaultTo returns given, or instead if that is unset.
func defaultTo(instead any, given ...any) any {
	if len(given) == 0 || isEmpty(given[0]) {
		return instead
	}
	return given[0]
}

// coalesce returns the first of vs that is set, or else the last.
func coalesce(vs ...any) any {
	for _, v := range vs {
		if !isEmpty(v) {
			return v
		}
	}
	if len(vs) == 0 {
		return nil
	}
	return vs[len(vs)-1]
}

func choose(first bool, a, b any) any {
	if first {
		return a
	}
	return b
}

// sortedKeys is sprig's keys in an order that does not change.
func sortedKeys(groups ...map[string]any) []string {
	names := []string{}
	for _, g := range groups {
		names = append(names, slices.Sorted(maps.Keys(g))...)
	}
	return names
}

// sortedValues is sprig's values in the order of their keys.
func sortedValues(group map[string]any) []any {
	vs := []any{}
	for _, name := range slices.Sorted(maps.Keys(group)) {
		vs = append(vs, group[name])
	}
	return vs
}

// equal reports whether v equals one of the others. Unlike the eq of package
// text/template, it takes a text and a truth value for the same if they print
// the same.
func equal(v any, others ...any) (bool, error) {
	if len(others) == 0 {
		return false, errors.New("the arguments do not fit")
	}
	for _, other := range others {
		a, b := comparand(v), comparand(other)
		if a == nil || b == nil {
			return false, errors.New("the arguments do not fit")
		}
		if a == b {
			return true, nil
		}
	}
	return false, nil
}

func notEqual(v, other any) (bool, error) {
	same, err := equal(v, other)
	return !same, err
}

// comparand returns v as a string or a float64, or nil.
func comparand(v any) any {
	switch r := reflect.ValueOf(v); {
	case r.Kind() == reflect.String, r.Kind() == reflect.Bool:
		return fmt.Sprint(v)
	case r.CanInt():
		return float64(r.Int())
	case r.CanUint():
		return float64(r.Uint())
	case r.CanFloat() && !math.IsNaN(r.Float()):
		return r.Float()
	default:
		return nil
	}
}
