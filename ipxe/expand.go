package ipxe

import (
	"strconv"
	"strings"
)

// expand replaces each {{ ID "x" }} and {{ URL "x" }} in text by what call
// returns. The argument is a Go string in double quotes or backquotes. This
// is the part of text/template that pixiecore's users write; the rest of that
// language has no place in a text which may come from another host.
func expand(text string, call func(function, arg string) (string, error)) (string, error) {
	var b strings.Builder
	for {
		plain, rest, found := strings.Cut(text, "{{")
		b.WriteString(plain)
		if !found {
			return b.String(), nil
		}
		function, arg, tail, ok := action(rest)
		if !ok {
			return "", &ScriptError{Field: "Cmdline", Value: "{{" + rest, Reason: `want {{ ID "name" }} or {{ URL "address" }}`}
		}
		value, err := call(function, arg)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		text = tail
	}
}

// action reads the inside of one pair of braces, and returns what follows.
func action(s string) (function, arg, tail string, ok bool) {
	s = strings.TrimLeft(s, " ")
	for _, function = range []string{"ID", "URL"} {
		if s, ok = strings.CutPrefix(s, function); ok {
			break
		}
	}
	if !ok {
		return "", "", "", false
	}
	s = strings.TrimLeft(s, " ")
	quoted, err := strconv.QuotedPrefix(s)
	if err != nil || quoted[0] == '\'' {
		return "", "", "", false
	}
	if arg, err = strconv.Unquote(quoted); err != nil {
		return "", "", "", false
	}
	tail, ok = strings.CutPrefix(strings.TrimLeft(s[len(quoted):], " "), "}}")
	return function, arg, tail, ok
}

// collapse drops spaces that a command line does not need: those around it,
// and all but one of a run outside double quotes. iPXE would drop them too.
func collapse(text string) string {
	var b strings.Builder
	quoted := false
	last := byte(' ')
	for _, c := range []byte(text) {
		if c == '"' {
			quoted = !quoted
		}
		if c != ' ' || last != ' ' || quoted {
			b.WriteByte(c)
		}
		last = c
	}
	return strings.TrimSuffix(b.String(), " ")
}
