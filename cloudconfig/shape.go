package cloudconfig

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A shape checks the value n that stands at path. Nothing (null) fits every
// shape: it is how a key is left unset.
type shape func(c *checker, n *yaml.Node, path string)

// value returns what n stands for.
func value(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return value(n).ShortTag() == "!!null" }

// anything fits all.
func anything(*checker, *yaml.Node, string) {}

// scalar fits what is neither list nor mapping.
func scalar(c *checker, n *yaml.Node, path string) {
	if value(n).Kind != yaml.ScalarNode {
		c.wrong(n, path, "a text")
	}
}

// text fits a scalar, with a warning where YAML reads no text: machines may
// get another one than what is written.
func text(c *checker, n *yaml.Node, path string) {
	switch v := value(n); {
	case v.Kind != yaml.ScalarNode:
		c.wrong(n, path, "a text")
	case slices.Contains([]string{"!!int", "!!float"}, v.ShortTag()):
		c.warn(n, path, "is a number for YAML, not a text; put it in quotes")
	case v.ShortTag() == "!!bool":
		c.warn(n, path, "is true or false for YAML, not a text; put it in quotes")
	}
}

// oneOf is text that must be one of words.
func oneOf(words ...string) shape {
	return func(c *checker, n *yaml.Node, path string) {
		v := value(n)
		if v.Kind == yaml.ScalarNode && !isNull(n) && !slices.Contains(words, v.Value) {
			c.fail(n, path, "is none of "+strings.Join(words, ", "))
			return
		}
		scalar(c, n, path)
	}
}

// boolean fits true and false, and the other words that YAML 1.1 has for them.
func boolean(c *checker, n *yaml.Node, path string) {
	v := value(n)
	words := []string{"yes", "no", "on", "off"}
	if v.ShortTag() == "!!bool" || isNull(n) || v.Style == 0 && slices.Contains(words, strings.ToLower(v.Value)) {
		return
	}
	c.wrong(n, path, "true or false")
}

// number fits a whole number, in quotes or not.
func number(c *checker, n *yaml.Node, path string) {
	v := value(n)
	if _, err := strconv.ParseInt(v.Value, 0, 64); v.Kind != yaml.ScalarNode || err != nil && !isNull(n) {
		c.wrong(n, path, "a whole number")
	}
}

// listOf fits a list whose items have the shape item.
func listOf(item shape) shape {
	return func(c *checker, n *yaml.Node, path string) {
		v := value(n)
		if isNull(n) {
			return
		}
		if v.Kind != yaml.SequenceNode {
			c.wrong(n, path, "a list")
			return
		}
		for i, n := range v.Content {
			item(c, n, inList(path, i))
		}
	}
}

// mapOf fits a mapping with keys of the user's own.
func mapOf(item shape) shape {
	return func(c *checker, n *yaml.Node, path string) {
		for key, n := range c.pairs(n, path) {
			item(c, n, inMapping(path, key.Value))
		}
	}
}

// fields fits a mapping with certain keys; others are warned about.
type fields map[string]shape

func (f fields) shape(c *checker, n *yaml.Node, path string) {
	for key, n := range c.pairs(n, path) {
		check, ok := f[key.Value]
		if !ok {
			check, ok = f[strings.ReplaceAll(key.Value, "-", "_")]
		}
		switch below := inMapping(path, key.Value); {
		case ok:
			check(c, n, below)
		default:
			c.warn(key, below, "is not a known key"+f.similar(key.Value))
		}
	}
}

// similar returns a hint which key may be meant.
func (f fields) similar(key string) string {
	best, least := "", 3
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if d := distance(key, name); d < least && d < len(name)/2 {
			best, least = name, d
		}
	}
	if best == "" {
		return ""
	}
	return "; is " + best + " meant?"
}

// distance returns how many letters have to change to make b of a, up to 3.
func distance(a, b string) int {
	if len(a) > maxKey || max(len(a), len(b))-min(len(a), len(b)) > 2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// with returns f with a further rule about the whole mapping.
func (f fields) with(rule shape) shape {
	return func(c *checker, n *yaml.Node, path string) {
		f.shape(c, n, path)
		if value(n).Kind == yaml.MappingNode {
			rule(c, n, path)
		}
	}
}

// required is a rule that one of keys must be there.
func required(keys ...string) shape {
	return func(c *checker, n *yaml.Node, path string) {
		for key, n := range c.pairs(n, path) {
			if slices.Contains(keys, key.Value) && !isNull(n) {
				return
			}
		}
		c.fail(n, path, "has no "+strings.Join(keys, " or "))
	}
}

// either checks by what n is: a scalar, a list or a mapping. A nil shape says
// that it must not be that.
type either struct {
	scalar, list, mapping shape
	want                  string
}

func (e either) shape(c *checker, n *yaml.Node, path string) {
	check := e.scalar
	switch value(n).Kind {
	case yaml.SequenceNode:
		check = e.list
	case yaml.MappingNode:
		check = e.mapping
	}
	switch {
	case check != nil:
		check(c, n, path)
	case !isNull(n):
		c.wrong(n, path, e.want)
	}
}

// pairs returns the keys and values of the mapping n, with those it merges
// (YAML's <<).
func (c *checker) pairs(n *yaml.Node, path string) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		v := value(n)
		if v.Kind != yaml.MappingNode {
			if !isNull(n) {
				c.wrong(n, path, "a mapping")
			}
			return
		}
		for i := 0; i+1 < len(v.Content); i += 2 {
			key, val := v.Content[i], v.Content[i+1]
			if key.ShortTag() != "!!merge" {
				if !yield(key, val) {
					return
				}
				continue
			}
			merged := []*yaml.Node{val}
			if value(val).Kind == yaml.SequenceNode {
				merged = value(val).Content
			}
			for _, m := range merged {
				for k, val := range c.pairs(m, path) {
					if !yield(k, val) {
						return
					}
				}
			}
		}
	}
}

// wrong notes that n is something else than wanted.
func (c *checker) wrong(n *yaml.Node, path, want string) {
	is := "something else"
	switch v := value(n); {
	case isNull(n):
		return
	case v.Kind == yaml.MappingNode && want == "a text":
		is = "a mapping, as a colon makes it without quotes"
	case v.Kind == yaml.MappingNode:
		is = "a mapping"
	case v.Kind == yaml.SequenceNode:
		is = "a list"
	case v.ShortTag() == "!!bool":
		is = "true or false"
	case v.ShortTag() == "!!int", v.ShortTag() == "!!float":
		is = "a number"
	case v.Kind == yaml.ScalarNode:
		is = "a text"
	}
	c.fail(n, path, "is "+is+", want "+want)
}

func inList(path string, i int) string { return path + "[" + itoa(i) + "]" }

// inMapping returns the path of a key. What stands below a password is shown
// no better than the password.
func inMapping(path, key string) string {
	key = showKey(key)
	if path == "" {
		return key
	}
	if above := path[strings.LastIndexByte(path, '.')+1:]; isSecret(above) || above == mask {
		key = mask
	}
	return path + "." + key
}

func itoa(n int) string { return strconv.Itoa(n) }
