package cloudconfig

import (
	"regexp"
	"slices"
	"strings"
	"text/template/parse"
)

// maxAction is the length of the longest action, with its brackets, in bytes.
const maxAction = 4096

// An action is one [[ … ]] or [[[ … ]]] in a document.
type action struct {
	start, end int    // offsets of the document, with the brackets
	body       string // what stands between the brackets
	word       string // its first word if that is a keyword, or else ""
}

// A scanner finds actions.
type scanner struct {
	functions map[string]any // by name; what they are does not matter here
	variable  *regexp.Regexp
}

// findActions returns the actions of text in order. Brackets that hold none
// are literal text.
func findActions(text string) []action {
	s := scanner{functions: functions(newBudget(0)), variable: regexp.MustCompile(`\$\w+`)}
	for _, name := range builtins() {
		s.functions[name] = true
	}
	var found []action
	for at := 0; ; {
		next := strings.Index(text[at:], "[[")
		if next < 0 {
			return found
		}
		at += next
		if a, ok := s.actionAt(text, at); ok {
			found = append(found, a)
			at = a.end
		} else {
			at++
		}
	}
}

// actionAt returns the action that starts at offset at, where [[ stands. Three
// brackets are tried first.
func (s *scanner) actionAt(text string, at int) (action, bool) {
	line, _, _ := strings.Cut(text[at:min(at+maxAction, len(text))], "\n")
	for _, brackets := range []struct{ left, right string }{{"[[[", "]]]"}, {"[[", "]]"}} {
		inner, ok := strings.CutPrefix(line, brackets.left)
		if !ok {
			continue
		}
		word, ok := s.firstWord(inner)
		if !ok {
			continue
		}
		end, ok := closing(inner, brackets.right)
		if !ok {
			continue
		}
		if body := joinDashes(inner[:end]); s.parses(body, word) {
			size := len(brackets.left) + end + len(brackets.right)
			return action{start: at, end: at + size, body: body, word: keyword(word)}, true
		}
	}
	return action{}, false
}

// closing returns where right stands in inner, outside of quoted text. No
// action holds a bracket or a backslash elsewhere.
func closing(inner, right string) (int, bool) {
	var quote byte
	for i := 0; i < len(inner); i++ {
		switch c := inner[i]; {
		case quote != 0 && c == '\\' && quote != '`':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case strings.HasPrefix(inner[i:], right):
			return i, true
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '[' || c == '\\':
			return 0, false
		}
	}
	return 0, false
}

// firstWord returns the word that an action starts with: a name with its dot,
// a keyword, or a known function.
func (s *scanner) firstWord(inner string) (string, bool) {
	inner = strings.TrimLeft(trimMarker(inner), " \t")
	name, isField := strings.CutPrefix(inner, ".")
	end := strings.IndexFunc(name, func(r rune) bool { return !isName("_"+string(r)) || r == '-' })
	if end < 0 {
		return "", false // Nothing closes it.
	}
	name = name[:end]
	switch {
	case isField:
		return "." + name, isName(name)
	case keyword(name) != "":
		return name, true
	default:
		// A function of no arguments has no use, while [[list]] and
		// [[default]] are lists of YAML and tables of TOML.
		after := strings.TrimLeft(inner[end:], " \t")
		return name, s.functions[name] != nil && !strings.HasPrefix(after, "]") && !strings.HasPrefix(after, "-]")
	}
}

// trimMarker cuts the dash that makes a template drop the blanks before it.
func trimMarker(inner string) string {
	if len(inner) > 1 && inner[0] == '-' && (inner[1] == ' ' || inner[1] == '\t') {
		return inner[1:]
	}
	return inner
}

func keyword(word string) string {
	if slices.Contains([]string{"if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"}, word) {
		return word
	}
	return ""
}

// parses reports whether body is an action by itself. Where it starts with a
// name, nothing else is meant, and a function that does not exist is left to be
// an error.
func (s *scanner) parses(body, word string) bool {
	if strings.ContainsAny(body, "\r") {
		return false
	}
	var before, after string
	switch word {
	case "if", "range", "with", "block", "define":
		after = leftDelim + "end" + rightDelim
	case "else":
		before, after = leftDelim+"if true"+rightDelim, leftDelim+"end"+rightDelim
		if strings.HasPrefix(strings.TrimLeft(strings.TrimLeft(trimMarker(body), " \t")[4:], " \t"), "with") {
			before = leftDelim + "with true" + rightDelim
		}
	case "end":
		before = leftDelim + "if true" + rightDelim
	case "break", "continue":
		before, after = leftDelim+"range ."+rightDelim, leftDelim+"end"+rightDelim
	}
	for _, name := range s.variable.FindAllString(body, -1) {
		before = leftDelim + name + " := true" + rightDelim + before
	}
	tree := parse.New("action")
	if strings.HasPrefix(word, ".") {
		tree.Mode = parse.SkipFuncCheck
	}
	_, err := tree.Parse(before+leftDelim+body+rightDelim+after, leftDelim, rightDelim, make(map[string]*parse.Tree), s.functions)
	return err == nil
}

// dash stands for the dash in names such as .github-user, which a template
// cannot read. It counts as a letter there, and occurs nowhere else.
const dash = 'ꞏ'

// joinDashes puts dash into the names in an action, outside of quoted text.
func joinDashes(body string) string {
	out := []rune(body)
	var quote rune
	inName := false
	for i, r := range out {
		switch {
		case quote != 0:
			if r == quote && (quote == '`' || !escaped(out[:i])) {
				quote = 0
			}
		case strings.ContainsRune("\"'`", r):
			quote, inName = r, false
		case r == '.':
			inName = true
		case inName && r == '-' && i+1 < len(out) && isName("_"+string(out[i+1])):
			out[i] = dash
		case !isName("_" + string(r)):
			inName = false
		}
	}
	return string(out)
}

// escaped reports whether an odd number of backslashes ends before.
func escaped(before []rune) bool {
	n := 0
	for n < len(before) && before[len(before)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}
