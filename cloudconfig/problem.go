package cloudconfig

import (
	"fmt"
	"strings"
)

// maxProblems is how many problems are reported of one kind.
const maxProblems = 100

// A Problem is something in a document that is wrong, or that looks wrong. It
// never holds a value.
type Problem struct {
	Line, Column int    // where it is, from 1
	Path         string // where it is, such as "stages.boot[0].commands"; empty for the whole
	Message      string // what is wrong
}

// String returns the problem as a line of text.
func (p Problem) String() string {
	s := fmt.Sprintf("line %d, column %d: ", p.Line, p.Column)
	if p.Path != "" {
		s += p.Path + " "
	}
	return s + p.Message
}

// A ValidationError is what is wrong with a document, in the order of lines.
type ValidationError struct {
	Location string // where the document is from; empty for Parse
	Problems []Problem
}

// Error implements the error interface. It has one line for each problem.
func (e *ValidationError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = "cloudconfig: validate"
		if e.Location != "" {
			lines[i] += " " + e.Location
		}
		lines[i] += ": " + p.String()
	}
	return strings.Join(lines, "\n")
}
