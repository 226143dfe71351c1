package cloudconfig_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocTable checks every line of the table of ambiguous cases in doc.go.
func TestDocTable(t *testing.T) {
	t.Parallel()

	source, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	_, table, ok := strings.Cut(string(source), "//	text                          is           why\n")
	require.True(t, ok)
	table, _, ok = strings.Cut(table, "//\n")
	require.True(t, ok)
	lines := strings.Split(strings.TrimSuffix(table, "\n"), "\n")
	assert.Greater(t, len(lines), 20)
	for _, line := range lines {
		line = strings.TrimPrefix(line, "//	")
		texts, want := strings.TrimSpace(line[:30]), strings.TrimSpace(line[30:43])
		for text := range strings.SplitSeq(texts, "  ") {
			got, err := render(t, "."+text+"[[.b.c]]")
			switch want {
			case "an error":
				require.Error(t, err, text)
			case "as it is":
				require.NoError(t, err, text)
				assert.Equal(t, "."+text+"C", got, text)
			default:
				require.NoError(t, err, text)
				assert.Equal(t, "."+want+"C", got, text)
			}
		}
	}
}
