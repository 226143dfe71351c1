package tartree

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// errSparse is the cause of an error for a map of a sparse file that is not
// one.
var errSparse = errors.New("malformed map of a sparse file")

const (
	blockSize  = 512
	maxPieces  = 1 << 20 // in one map; archive/tar holds PAX maps to 1 MiB
	numberSize = 12      // bytes of a number in a map of old GNU format
)

// A Sparse says where the pieces of a sparse file are. Between them are
// zeros.
type Sparse struct{ pieces []piece }

// A piece is a range of a file that is stored.
type piece struct {
	at     int64 // in the file
	length int64
	stored int64 // in the archive
}

// weight is how many bytes of memory s takes.
func (s *Sparse) weight() int64 {
	if s == nil {
		return 0
	}
	return int64(len(s.pieces)) * 24
}

// ReadAt reads from a file of that size, whose pieces are in r.
func (s *Sparse) ReadAt(r io.ReaderAt, size int64, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("negative offset")
	}
	if off >= size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), size-off))
	end := off + int64(n)
	clear(p[:n])
	for i := s.after(off); i < len(s.pieces) && s.pieces[i].at < end; i++ {
		x := s.pieces[i]
		from, to := max(x.at, off), min(x.at+x.length, end)
		if _, err := r.ReadAt(p[from-off:to-off], x.stored+from-x.at); err != nil && !errors.Is(err, io.EOF) {
			return int(from - off), err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// NextData returns the first range that is stored and ends behind off, from off
// on, in bytes of the file; false when only zeros follow.
func (s *Sparse) NextData(off int64) (start, end int64, ok bool) {
	i := s.after(off)
	if i == len(s.pieces) {
		return 0, 0, false
	}
	x := s.pieces[i]
	return max(x.at, off), x.at + x.length, true
}

// after returns the index of the first piece that ends behind off.
func (s *Sparse) after(off int64) int {
	return sort.Search(len(s.pieces), func(i int) bool { return s.pieces[i].at+s.pieces[i].length > off })
}

// readSparse returns the map of the sparse file that h describes and how many
// bytes the archive holds of it. Start is where its first header begins, data
// where archive/tar has read to. The map is nil if h is no sparse file.
func readSparse(r io.ReaderAt, h *tar.Header, start, data int64) (*Sparse, int64, error) {
	pax := h.PAXRecords
	old := h.Typeflag == tar.TypeGNUSparse
	version := pax["GNU.sparse.major"] + "." + pax["GNU.sparse.minor"]
	one := version == "1.0"
	zero := version == "0.0" || version == "0.1" || version == "." && pax["GNU.sparse.map"] != ""
	if !old && !one && !zero {
		return nil, h.Size, nil
	}
	main, err := mainHeader(r, start)
	if err != nil {
		return nil, 0, err
	}
	held, err := heldSize(r, h, main)
	if err != nil {
		return nil, 0, err
	}
	var numbers []int64
	switch {
	case old:
		numbers, err = oldMap(r, main)
	case one:
		numbers, err = countedMap(r, main+blockSize, data)
		held -= data - main - blockSize
	default:
		numbers, err = parseNumbers(strings.Split(pax["GNU.sparse.map"], ","))
	}
	if err != nil {
		return nil, 0, err
	}
	s, err := newSparse(numbers, data, h.Size, held)
	return s, held, err
}

// newSparse makes a map of pairs of offset and length, and checks it: pieces
// are in order, in the file, and as long together as what is held.
func newSparse(numbers []int64, data, size, held int64) (*Sparse, error) {
	if len(numbers)%2 != 0 {
		return nil, errSparse
	}
	s := &Sparse{}
	var end, sum int64
	for i := 0; i < len(numbers); i += 2 {
		at, length := numbers[i], numbers[i+1]
		if length == 0 {
			continue // as at the end of a file that ends in a hole
		}
		if at < end || length < 0 || at > size || length > size-at || length > held-sum {
			return nil, errSparse
		}
		s.pieces = append(s.pieces, piece{at, length, data + sum})
		end, sum = at+length, sum+length
	}
	s.pieces = slices.Clip(s.pieces)
	return s, nil
}

// mainHeader returns where the main header is: behind those that only extend
// it.
func mainHeader(r io.ReaderAt, start int64) (int64, error) {
	for {
		block, err := readBlock(r, start)
		if err != nil {
			return 0, err
		}
		if !bytes.ContainsRune([]byte{tar.TypeXHeader, tar.TypeGNULongName, tar.TypeGNULongLink}, rune(block[156])) {
			return start, nil
		}
		size, err := parseNumber(block[124 : 124+numberSize])
		if err != nil {
			return 0, err
		}
		start += blockSize + padded(size)
	}
}

// heldSize returns how many bytes the archive has behind the header.
func heldSize(r io.ReaderAt, h *tar.Header, main int64) (int64, error) {
	if size := h.PAXRecords["size"]; size != "" {
		return strconv.ParseInt(size, 10, 64)
	}
	block, err := readBlock(r, main)
	if err != nil {
		return 0, err
	}
	return parseNumber(block[124 : 124+numberSize])
}

// oldMap reads a map of old GNU format: four pairs in the main header, 21 in
// each block that extends it.
func oldMap(r io.ReaderAt, main int64) ([]int64, error) {
	block, err := readBlock(r, main)
	if err != nil {
		return nil, err
	}
	var numbers []int64
	pairs, extended := block[386:482], block[482] > 0
	for {
		for ; len(pairs) > 0 && pairs[0] != 0; pairs = pairs[2*numberSize:] {
			for _, field := range [][]byte{pairs[:numberSize], pairs[numberSize : 2*numberSize]} {
				n, err := parseNumber(field)
				if err != nil {
					return nil, err
				}
				numbers = append(numbers, n)
			}
		}
		if !extended {
			return numbers, nil
		}
		main += blockSize
		if block, err = readBlock(r, main); err != nil {
			return nil, err
		}
		if pairs, extended = block[:504], block[504] > 0; len(numbers) > 2*maxPieces {
			return nil, errSparse
		}
	}
}

// countedMap reads a map of PAX format 1.0, which stands before the data:
// decimal numbers in lines, the first one their count in pairs.
func countedMap(r io.ReaderAt, from, to int64) ([]int64, error) {
	if to-from < 0 || to-from > 32*maxPieces {
		return nil, errSparse
	}
	text := make([]byte, to-from)
	if _, err := r.ReadAt(text, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	first, rest, _ := strings.Cut(string(text), "\n")
	count, err := strconv.Atoi(first)
	lines := strings.Split(rest, "\n")
	if err != nil || count < 0 || count > maxPieces || 2*count > len(lines) {
		return nil, errSparse
	}
	return parseNumbers(lines[:2*count])
}

func parseNumbers(texts []string) ([]int64, error) {
	if len(texts) == 1 && texts[0] == "" {
		return nil, nil
	}
	numbers := make([]int64, len(texts))
	for i, text := range texts {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			return nil, errSparse
		}
		numbers[i] = n
	}
	return numbers, nil
}

// parseNumber reads a number of a header: octal digits, or big-endian with
// the highest bit set.
func parseNumber(field []byte) (int64, error) {
	if field[0]&0x80 == 0 {
		text := strings.Trim(string(field), " \x00")
		if text == "" {
			return 0, nil
		}
		n, err := strconv.ParseInt(text, 8, 64)
		if err != nil || n < 0 {
			return 0, fmt.Errorf("malformed number %q", field)
		}
		return n, nil
	}
	n := int64(field[0] & 0x7f)
	for _, b := range field[1:] {
		if n >= 1<<54 {
			return 0, fmt.Errorf("number %x is too large", field)
		}
		n = n<<8 | int64(b)
	}
	return n, nil
}

func readBlock(r io.ReaderAt, at int64) ([]byte, error) {
	block := make([]byte, blockSize)
	if n, err := r.ReadAt(block, at); n < blockSize {
		if err == nil || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	return block, nil
}

// padded returns n rounded up to whole blocks.
func padded(n int64) int64 { return (n + blockSize - 1) / blockSize * blockSize }
