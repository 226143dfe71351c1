package cloudconfig

import (
	"fmt"
	"math"
	"reflect"
)

// scryptWork is the work of deriving one password.
const scryptWork = 4 << 20

// A ruleError says what a template did wrong in words that hold no value. Every
// other error of a function is replaced before it is shown.
type ruleError string

// Error implements the error interface.
func (e ruleError) Error() string { return string(e) }

func rulef(format string, args ...any) error { return ruleError(fmt.Sprintf(format, args...)) }

// guard returns fn as a function that counts on b what goes in and out,
// refuses at once what would not fit, and turns a panic into an error.
func guard(b *budget, name string, fn any) func(args ...any) (any, error) {
	call := reflect.ValueOf(fn)
	return func(args ...any) (result any, err error) {
		defer func() {
			if recover() != nil {
				result, err = nil, functionError(name, nil)
			}
		}()
		if err := b.spendOn(args...); err != nil {
			return nil, err
		}
		if costOf(name, args) > float64(b.left) {
			return nil, b.spend(b.left + 1)
		}
		if name == "derivePassword" { // scrypt takes as long as this many bytes
			b.left -= scryptWork
		}
		in, err := convert(name, call.Type(), args)
		if err != nil {
			return nil, err
		}
		out := call.Call(in)
		if last := out[len(out)-1]; len(out) > 1 && !last.IsNil() {
			return nil, functionError(name, args)
		}
		result = out[0].Interface()
		return result, b.spendOn(result)
	}
}

// functionError returns what is said when a function fails. Its own error may
// hold what it worked on; only fail is there to be quoted.
func functionError(name string, args []any) error {
	if name == "fail" {
		return &failError{text: fmt.Sprint(args...)}
	}
	return rulef("function %s cannot work with its arguments", name)
}

// convert returns args as the parameters of a function of type fn.
func convert(name string, fn reflect.Type, args []any) ([]reflect.Value, error) {
	fixed := fn.NumIn()
	if fn.IsVariadic() {
		fixed--
	}
	if len(args) < fixed || len(args) > fixed && !fn.IsVariadic() {
		return nil, rulef("function %s has %d arguments, want %d", name, len(args), fixed)
	}
	in := make([]reflect.Value, len(args))
	for i, arg := range args {
		var want reflect.Type
		if i < fixed {
			want = fn.In(i)
		} else {
			want = fn.In(fixed).Elem()
		}
		if a, ok := arg.(absent); ok && name != "default" && name != "coalesce" && name != "empty" {
			return nil, &missing{name: a.name}
		}
		var ok bool
		if in[i], ok = convertOne(arg, want); !ok {
			return nil, rulef("function %s: argument %d is %s, want %s", name, i+1, kindName(reflect.TypeOf(arg)), kindName(want))
		}
	}
	return in, nil
}

func convertOne(arg any, want reflect.Type) (reflect.Value, bool) {
	v := reflect.ValueOf(arg)
	isNumber := func(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Float64 }
	switch {
	case !v.IsValid():
		return reflect.Zero(want), want.Kind() == reflect.Interface
	case v.Type().AssignableTo(want):
		return v, true
	case v.Kind() == reflect.Bool && want.Kind() == reflect.String:
		return reflect.ValueOf(fmt.Sprint(arg)), true
	case isNumber(v.Kind()) && isNumber(want.Kind()):
		return v.Convert(want), true
	default:
		return v, false
	}
}

// kindName returns what users call the kind of a type.
func kindName(t reflect.Type) string {
	if t == nil {
		return "nothing"
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Map:
		return "a group"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a number"
	default:
		return t.Kind().String()
	}
}

// costOf returns at most how large the result of a function can be, if that is
// much larger than its arguments, or how much it has to compute.
func costOf(name string, args []any) float64 {
	sum := func(args []any) float64 {
		total := 1.0
		for _, arg := range args {
			total += weigh(arg)
		}
		return total
	}
	last := args[max(len(args)-1, 0):]
	switch name {
	case "repeat", "indent", "nindent", "join", "wrapWith", "replace":
		// One text, or a number of blanks, for every byte of the last.
		return sum(args[:len(args)-len(last)]) * sum(last)
	case "regexReplaceAll", "mustRegexReplaceAll", "regexReplaceAllLiteral", "mustRegexReplaceAllLiteral":
		return sum(args[min(2, len(args)):]) * sum(args[:min(2, len(args))])
	case "printf":
		return sum(args) * sum(args[:min(1, len(args))]) * maxWidth(args)
	case "until", "untilStep", "seq", "chunk", "mustChunk":
		return 8 * sum(args)
	case "derivePassword":
		return scryptWork
	default:
		return 0
	}
}

// weigh returns how often, or how far, arg can make a result grow.
func weigh(arg any) float64 {
	switch v := reflect.ValueOf(arg); {
	case v.CanInt():
		return math.Abs(float64(v.Int()))
	case v.CanFloat():
		return math.Abs(v.Float())
	default:
		return float64(sizeOf(v, math.MaxInt32))
	}
}

// maxWidth returns how wide a verb of printf can make its text: a number in
// the format may be a width or a precision, and * takes one from the rest.
func maxWidth(args []any) float64 {
	if len(args) == 0 {
		return 1
	}
	format, _ := args[0].(string)
	width, number := 1.0, 0.0
	for _, r := range format {
		if r < '0' || r > '9' {
			number = 0
			continue
		}
		number = number*10 + float64(r-'0')
		width = max(width, min(number, 1e6))
	}
	return width
}
