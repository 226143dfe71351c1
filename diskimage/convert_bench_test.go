package diskimage_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/mosaic"
)

// BenchmarkConvert writes a disk of 16 GiB with 400 MiB of text and noise in
// every format.
func BenchmarkConvert(b *testing.B) {
	const content = 400 << 20
	var piece []byte
	for i := 0; len(piece) < 1<<20; i++ {
		piece = fmt.Appendf(piece, "line %d of a file that compresses as most do: %x\n", i, noise(uint64(i), 12))
	}
	piece = piece[:1<<20]
	disk := mosaic.New()
	disk.SetSize(16 << 30)
	for i := range int64(content / len(piece)) {
		disk.AddBytes(i*40<<20, piece)
	}
	for _, f := range diskFormats() {
		b.Run(f.name, func(b *testing.B) {
			b.SetBytes(content)
			b.ReportAllocs()
			for b.Loop() {
				require.NoError(b, os.Remove(f.file(b, disk)))
			}
		})
	}
}
