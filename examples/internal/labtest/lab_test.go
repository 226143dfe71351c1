package labtest_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/labtest"
)

func TestLab(t *testing.T) {
	t.Parallel()

	show := func(_ context.Context, args []string, _ io.Reader, stdout, stderr io.Writer) error {
		fmt.Fprint(stderr, args[:2])
		text, err := os.ReadFile(args[2])
		fmt.Fprintf(stdout, "%s", text)
		return err
	}
	l := labtest.New(t, show, map[string]string{"a/b": "text"})
	out, diag, err := l.Run(t.Context(), l.Path("a/b"))
	require.NoError(t, err)
	assert.Equal(t, "text", out)
	assert.Equal(t, "[-store "+l.Path("store")+"]", diag)
}
