package progress

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDisplayOnATerminal(t *testing.T) {
	t.Parallel()

	var b strings.Builder
	d := New(&b)
	d.terminal = true
	d.Update("long", 0, 2048)
	d.Update("b", 0, -1) // A new name goes to a new line.
	d.Update("b", 2, -1)
	d.Close()
	d.Close() // There is nothing left to end.
	assert.Equal(t, "\rlong         [..............................]   0 % of 2.0 KiB\n"+
		"\rb            0 B\rb            2 B\n", b.String())
}
