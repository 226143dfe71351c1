package progress

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// terminal returns a Display on a terminal of so many columns, and its clock.
func terminal(columns int) (*Display, *strings.Builder, *time.Time) {
	b, now := new(strings.Builder), new(time.Time)
	d := New(b)
	d.terminal, d.columns, d.now = true, func() int { return columns }, func() time.Time { return *now }
	return d, b, now
}

func TestDisplayOnATerminal(t *testing.T) {
	t.Parallel()

	d, b, _ := terminal(80)
	d.Update("long", 0, 2048)
	d.Update("long", 1, 2048)
	d.Close()
	d.Close() // There is nothing left to end.
	const line = "\rlong         [..............................]   0 % of 2.0 KiB"
	assert.Equal(t, line+line+"\n", b.String())
}

// TestDisplayOfSeveral draws the first of them, one below another only when they
// are done.
func TestDisplayOfSeveral(t *testing.T) {
	t.Parallel()

	d, b, now := terminal(80)
	for i := range int64(100) {
		d.Update("all", i, -1)
		d.Update("part", i, -1)
	}
	assert.NotContains(t, b.String(), "\n")
	assert.NotContains(t, b.String(), "part")
	b.Reset()
	d.Update("part", 100, 100)
	d.Update("all", 100, -1)
	assert.Equal(t, "\rpart         [##############################] 100 % of 100 B\n\rall          100 B", b.String())
	b.Reset()
	*now = now.Add(patience)
	d.Update("more", 1, -1) // All was given up.
	assert.Equal(t, "\n\rmore         1 B", b.String())
	b.Reset()
	fmt.Fprintln(d, "a warning")
	d.Update("more", 2, 2)
	d.Update("next", 0, -1)
	assert.Equal(t, "\na warning\n\rmore         [##############################] 100 % of 2 B\n\rnext         0 B", b.String())
}

// TestDisplayOnANarrowTerminal cuts names, so that no line goes on in the next one.
func TestDisplayOnANarrowTerminal(t *testing.T) {
	t.Parallel()

	d, b, _ := terminal(80)
	d.Update("quay.io/kairos/debian:12-core-amd64-generic-v3.2.1 rootfs", 1<<20, 2<<20)
	assert.Equal(t, "\r…-amd64-generic-v3.2.1 rootfs [###############...............]  50 % of 2.0 MiB", b.String())
	for _, columns := range []int{1, 10, 60} {
		d, b, _ := terminal(columns)
		d.Update("quay.io/kairos/debian:12-core-amd64-generic-v3.2.1 rootfs", 1<<20, 2<<20)
		assert.Contains(t, b.String(), "50 % of 2.0 MiB", columns)
	}
}
