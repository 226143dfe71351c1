package cloudconfig

import (
	"cmp"
	"errors"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Validate checks the keys that cloud-init and Kairos know for the shape of
// their values. What is wrong is a [*ValidationError]. What only looks wrong,
// such as an unknown key, is returned as warnings, with and without an error.
// A template has to be rendered first; one of Jinja, which the machine itself
// renders, is not checked.
func (d *Document) Validate() (warnings []Problem, err error) {
	if d.HasActions() {
		return nil, &Error{Op: "validate", Location: d.location, Err: errors.New("the document is a template; render it first")}
	}
	if isJinja(string(d.data)) {
		return []Problem{{Line: 1, Column: 1, Message: "is a Jinja template, which is not checked"}}, nil
	}
	root, err := parseYAML(d.data)
	if err != nil {
		return nil, d.errorAt("validate", faultAt(d.data, err), err)
	}
	c := &checker{}
	c.checkText(d.data)
	if root != nil && c.checkTree(root) {
		rootShape()(c, root.Content[0], "")
	}
	if len(c.errors) > 0 {
		err = &ValidationError{Location: d.location, Problems: sorted(c.errors)}
	}
	return sorted(c.warnings), err
}

func sorted(problems []Problem) []Problem {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(problems)
}

// A checker collects what it finds in one document.
type checker struct {
	errors, warnings []Problem
}

// fail notes what is wrong with n.
func (c *checker) fail(n *yaml.Node, path, message string) {
	if len(c.errors) < maxProblems {
		c.errors = append(c.errors, Problem{n.Line, n.Column, path, message})
	}
}

// warn notes what looks wrong with n.
func (c *checker) warn(n *yaml.Node, path, message string) {
	if len(c.warnings) < maxProblems {
		c.warnings = append(c.warnings, Problem{n.Line, n.Column, path, message})
	}
}

// checkText warns about what YAML takes for comments or for plain text.
func (c *checker) checkText(data []byte) {
	first, _, _ := strings.Cut(string(data), "\n")
	if strings.TrimRight(first, " \t\r\v\f") != header {
		c.warn(&yaml.Node{Line: 1, Column: 1}, "", "is not exactly #cloud-config, so that Kairos ignores the document")
	}
	// A name at the start, or a word and a name behind it.
	pattern := regexp.MustCompile(`\[\[-?[ \t]*(\.[\pL_]|[\pL_]\w*[ \t(]+([^\]\n]*[ \t(])?\.[\pL_])[^\]\n]*\]\]`)
	for _, found := range pattern.FindAllIndex(data, maxProblems) {
		line, column := position(data, found[0])
		c.warn(&yaml.Node{Line: line, Column: column}, "", "looks like an action of a template, but is none and stays as it is")
	}
}

// checkTree looks at every node once for what no shape can tell: keys that
// occur twice, and aliases that would take for ever to follow. It reports
// whether aliases can be followed.
func (c *checker) checkTree(root *yaml.Node) bool {
	t := &treeCheck{checker: c, size: make(map[*yaml.Node]int)}
	t.visit(root, "")
	return !t.endless
}

// maxNodes is how many keys and values a document may have once every alias is
// replaced by what it stands for. Aliases of aliases double with each line.
const maxNodes = 1 << 20

// A treeCheck is the state of checkTree.
type treeCheck struct {
	*checker
	size    map[*yaml.Node]int // with aliases followed; −1 while it is counted
	endless bool
}

// visit returns the size of n with its aliases followed.
func (t *treeCheck) visit(n *yaml.Node, path string) int {
	if size, ok := t.size[n]; ok {
		return size
	}
	t.size[n] = -1
	total := 1
	switch n.Kind {
	case yaml.AliasNode:
		total = t.follow(n, path)
	case yaml.MappingNode:
		total += t.visitMapping(n, path)
	case yaml.SequenceNode:
		for i, item := range n.Content {
			total += t.visit(item, inList(path, i))
		}
	default:
		for _, item := range n.Content {
			total += t.visit(item, path)
		}
	}
	t.size[n] = min(total, maxNodes+1)
	return t.size[n]
}

func (t *treeCheck) follow(n *yaml.Node, path string) int {
	size := t.visit(n.Alias, path)
	switch {
	case size < 0:
		t.fail(n, path, "is an alias of what it stands in")
		t.endless = true
		return 1
	case size > maxNodes && !t.endless:
		t.fail(n, path, "is an alias that makes the document too large")
		t.endless = true
	}
	return size
}

func (t *treeCheck) visitMapping(n *yaml.Node, path string) int {
	total := 0
	seen := make(map[string]int)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		below := inMapping(path, key.Value)
		if line, ok := seen[key.Value]; ok && key.Kind == yaml.ScalarNode {
			t.fail(key, below, "is there twice, first on line "+itoa(line))
		}
		seen[key.Value] = key.Line
		total += 1 + t.visit(value, below)
	}
	return total
}
