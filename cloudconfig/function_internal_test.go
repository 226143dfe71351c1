package cloudconfig

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/netbootkit/netbootkit/internal/golden"
)

// TestFunctions lists every function that a template can call, so that a new
// version of sprig cannot add one unseen.
func TestFunctions(t *testing.T) {
	t.Parallel()

	names := append(slices.Collect(maps.Keys(functions(newBudget(0)))), builtins()...)
	slices.Sort(names)
	golden.Check(t, "functions.txt", []byte(strings.Join(names, "\n")+"\n"))
}
