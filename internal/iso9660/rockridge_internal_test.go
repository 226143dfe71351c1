package iso9660

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestAddTarget reads link targets as Linux does: an empty component stands
// between two slashes (RRIP 1.12 §4.1.3).
func TestAddTarget(t *testing.T) {
	t.Parallel()

	const goesOn, current, parent, root = "\x01\x00", "\x02\x00", "\x04\x00", "\x08\x00"
	for _, tt := range []struct{ name, components, want string }{
		{"one", "\x00\x03abc", "abc"},
		{"two", "\x00\x01a\x00\x01b", "a/b"},
		{"absolute", root + "\x00\x01a", "/a"},
		{"the root", root, "/"},
		{"dots", parent + current + "\x00\x01a", ".././a"},
		{"two slashes", "\x00\x01a\x00\x00\x00\x01b", "a//b"},
		{"two slashes at the start", root + "\x00\x00\x00\x01b", "//b"},
		{"a slash at the end", "\x00\x01a\x00\x00", "a/"},
		{"in two parts", "\x01\x01a\x00\x01b\x00\x01c", "ab/c"},
		{"a part that is empty", goesOn + "\x00\x01b", "b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			var x rockRidge
			require.NoError(t, x.addTarget([]byte(tt.components)))
			assert.Equal(t, tt.want, string(x.target))
		})
	}
}
