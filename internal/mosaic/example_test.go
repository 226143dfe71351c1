package mosaic_test

import (
	"context"
	"os"
	"strings"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

func Example() {
	m := mosaic.New()
	m.AddBytes(0, []byte("head\n"))
	m.Add(5, strings.NewReader("a file, of which one line is taken\nnot this"), 35)
	m.AddBytes(40, []byte("tail\n"))
	if err := m.Copy(context.Background(), os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// head
	// a file, of which one line is taken
	// tail
}
