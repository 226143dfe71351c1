package tartree_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/netbootkit/netbootkit/internal/tartree"
)

// sparseBomb is an archive of old GNU format with one file that is all hole.
func sparseBomb(size int64) []byte {
	return oldSparse(size)
}

// oldSparse is an archive of old GNU format with one file of that size, of
// which the pieces given as offset and length are stored: ones of the letter a,
// then of b.
func oldSparse(size int64, pairs ...int64) []byte {
	block := make([]byte, 512)
	copy(block, "sparse")
	copy(block[100:], "0000644\x000000000\x000000000\x00")
	copy(block[136:], "00000000000\x00")
	block[156] = 'S'
	copy(block[257:], "ustar  \x00")
	var body []byte
	for i := 0; i < len(pairs); i += 2 {
		copy(block[386+12*i:], fmt.Sprintf("%011o\x00%011o\x00", pairs[i], pairs[i+1]))
		body = append(body, bytes.Repeat([]byte{byte('a' + i/2)}, int(pairs[i+1]))...)
	}
	copy(block[124:], fmt.Sprintf("%011o\x00", len(body)))
	// The real size may not fit eleven octal digits.
	block[483] = 0x80
	for i := range 8 {
		block[483+11-i] = byte(size >> (8 * i))
	}
	sum(block)
	body = append(body, make([]byte, (512-len(body)%512)%512)...)
	return append(append(block, body...), make([]byte, 1024)...)
}

// sum corrects the checksum of a header.
func sum(block []byte) {
	copy(block[148:156], "        ")
	total := 0
	for _, b := range block {
		total += int(b)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", total))
}

func TestScanReadsOldSparseFiles(t *testing.T) {
	t.Parallel()

	data := oldSparse(20, 0, 3, 10, 5, 20, 0)
	want := `sparse 644 "aaa\x00\x00\x00\x00\x00\x00\x00bbbbb\x00\x00\x00\x00\x00"`
	assert.Equal(t, []string{". 755 dir", want}, list(t, data))

	flat, err := flatten(t, data)
	assert.NoError(t, err)
	assert.Equal(t, []string{". 755 dir", want}, list(t, flat))
}

func TestScanRefusesBadMaps(t *testing.T) {
	t.Parallel()

	for name, data := range map[string][]byte{
		"beyond the end": oldSparse(10, 8, 5),
		"backwards":      oldSparse(100, 50, 5, 10, 5),
		"overlapping":    oldSparse(100, 10, 5, 12, 5),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := tartree.Scan(bytes.NewReader(data), int64(len(data)))
			assert.Error(t, err)
			_, err = flatten(t, data)
			assert.Error(t, err)
		})
	}
}
