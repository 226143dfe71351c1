package cloudconfig

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"
)

// maxDepth is how deep blocks can nest. The parser calls itself for each.
const maxDepth = 100

// The delimiters under which actions are handed to package text/template; no
// document holds NUL.
const (
	leftDelim  = "\x00["
	rightDelim = "]\x00"
	rootName   = "\x00" // what no document can define
)

// Render returns the document that d becomes with the given values, which may
// be nil. Everything but its actions stays as it is, to the byte. It returns
// an [*Error]: for a value that was not given it holds a [*MissingError]. If
// what comes out is no cloud-config it is an error as well, with a place in
// what came out.
func (d *Document) Render(values *Values) (*Document, error) {
	if len(d.actions) == 0 {
		return d, nil
	}
	r := &renderer{doc: d, values: values, budget: newBudget(workPerByte * d.maxSize)}
	data, err := r.run()
	if err != nil {
		return nil, err
	}
	out := &Document{data: data, location: d.location, maxSize: d.maxSize}
	if err := cmp.Or(out.checkText(), out.checkYAML()); err != nil {
		return nil, inResult(err)
	}
	return out, nil
}

// inResult says that a fault is in what was rendered, and so is its place.
func inResult(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Op, e.Err = "render", fmt.Errorf("in the result: %w", e.Err)
	}
	return err
}

// A renderer renders one document once.
type renderer struct {
	doc     *Document
	values  *Values
	budget  *budget
	text    string // what package text/template is given
	offsets []int  // where each action starts in text
}

func (r *renderer) run() ([]byte, error) {
	if err := r.checkBlocks(); err != nil {
		return nil, err
	}
	r.compile()
	tmpl, err := template.New(rootName).Delims(leftDelim, rightDelim).Funcs(functions(r.budget)).Option("missingkey=error").Parse(r.text)
	if err != nil {
		return nil, r.locate(err)
	}
	for _, t := range tmpl.Templates() {
		if t.Tree != nil {
			rewriteList(t.Root)
		}
	}
	out := &output{budget: r.budget, maxSize: r.doc.maxSize}
	if err := tmpl.Funcs(r.hidden()).Execute(out, r.values.tree()); err != nil {
		return nil, r.locate(err)
	}
	return out.Bytes(), nil
}

// checkBlocks checks that every block ends, since package text/template only
// tells that one of them does not.
func (r *renderer) checkBlocks() error {
	var open []action
	for _, a := range r.doc.actions {
		switch {
		case a.word == "end" && len(open) == 0:
			return r.doc.errorAt("render", a.start, errors.New("end without a block to end"))
		case a.word == "else" && len(open) == 0:
			return r.doc.errorAt("render", a.start, errors.New("else without if, with or range"))
		case a.word == "end":
			open = open[:len(open)-1]
		case slices.Contains([]string{"if", "range", "with", "define", "block"}, a.word):
			open = append(open, a)
		}
		if len(open) > maxDepth {
			return r.doc.errorAt("render", a.start, fmt.Errorf("more than %d blocks in one another", maxDepth))
		}
	}
	if len(open) > 0 {
		a := open[len(open)-1]
		return r.doc.errorAt("render", a.start, fmt.Errorf("%s has no end", a.word))
	}
	return nil
}

// compile puts the delimiters of package text/template around the actions.
func (r *renderer) compile() {
	var b strings.Builder
	at := 0
	for _, a := range r.doc.actions {
		b.Write(r.doc.data[at:a.start])
		r.offsets = append(r.offsets, b.Len())
		b.WriteString(leftDelim + a.body + rightDelim)
		at = a.end
	}
	b.Write(r.doc.data[at:])
	r.text = b.String()
}

// hidden returns the functions that rewriteList refers to.
func (r *renderer) hidden() template.FuncMap {
	return template.FuncMap{
		fieldFunc:    r.field,
		optionalFunc: r.optional,
		truthFunc: func(v any) (any, error) {
			if a, ok := v.(absent); ok {
				return nil, &missing{name: a.name}
			}
			return choose(v == any("false"), false, v), nil
		},
		outputFunc: func(v any) (any, error) {
			if a, ok := v.(absent); ok {
				return nil, &missing{name: a.name}
			}
			if v == nil {
				return nil, ruleError("there is no value to print")
			}
			if reflect.TypeOf(v).Kind() == reflect.Map {
				return nil, ruleError("a group of values cannot be printed, only one of them")
			}
			return v, r.budget.spendOn(v)
		},
	}
}

// A missing error becomes a MissingError once its place is known.
type missing struct{ name string }

// Error implements the error interface.
func (e *missing) Error() string { return "no value for " + e.name }

// A failError is what the function fail was told to say.
type failError struct{ text string }

// Error implements the error interface.
func (e *failError) Error() string { return e.text }

// field returns the value that names lead to from dot.
func (r *renderer) field(dot any, names ...string) (any, error) {
	v, err := r.optional(dot, names...)
	if a, ok := v.(absent); ok {
		return nil, &missing{name: a.name}
	}
	return v, err
}

// optional is field for a value that need not have been given.
func (r *renderer) optional(dot any, names ...string) (any, error) {
	if err := r.budget.spend(int64(len(names))); err != nil {
		return nil, err
	}
	v := reflect.ValueOf(dot)
	for i, name := range names {
		for v.Kind() == reflect.Interface && !v.IsNil() {
			v = v.Elem()
		}
		if v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String {
			return nil, rulef("%s has no values below it, but %s asks for one", cmp.Or(strings.Join(names[:i], "."), "this"), strings.Join(names[:i+1], "."))
		}
		v = v.MapIndex(reflect.ValueOf(name).Convert(v.Type().Key()))
		if !v.IsValid() {
			return absent{name: strings.Join(names, ".")}, nil
		}
	}
	return v.Interface(), nil
}

// locate turns an error of package text/template, which may show values and
// parts of the document, into one that shows neither and has a place.
func (r *renderer) locate(err error) error {
	place := regexp.MustCompile(`^template: \x00:(\d+)(?::(\d+))?: `).FindStringSubmatch(err.Error())
	if place == nil {
		return &Error{Op: "render", Location: r.doc.location, Err: r.reason(err, "")}
	}
	line, _ := strconv.Atoi(place[1])
	column, _ := strconv.Atoi(place[2]) // Errors of the parser have none.
	return r.doc.errorAt("render", r.origin(line, column), r.reason(err, place[0]))
}

// origin returns the start of the action at a line and column of r.text.
func (r *renderer) origin(line, column int) int {
	at := 0
	for range line - 1 {
		at += strings.IndexByte(r.text[at:], '\n') + 1
	}
	i, found := slices.BinarySearch(r.offsets, at+column)
	if !found && column > 0 {
		i--
	}
	return r.doc.actions[min(max(i, 0), len(r.doc.actions)-1)].start
}

// reason returns why rendering failed. The prefix is the place in the error.
func (r *renderer) reason(err error, prefix string) error {
	if e, ok := errors.AsType[*missing](err); ok {
		return &MissingError{Name: e.name, Given: r.values.Names()}
	}
	if e, ok := errors.AsType[*failError](err); ok {
		return errors.New(r.values.mask(e.text))
	}
	if e, ok := errors.AsType[ruleError](err); ok {
		return e
	}
	if _, ok := errors.AsType[template.ExecError](err); !ok && prefix != "" {
		// All that the parser still finds are unknown names.
		return errors.New(strings.TrimPrefix(err.Error(), prefix))
	}
	return errors.New("the values do not fit what the template does with them")
}
