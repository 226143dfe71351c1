package diskimage_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/netbootkit/netbootkit/diskimage"
)

// A disk is anything that can be read at any offset and has a size.
func ExampleWriteVHD() {
	disk := strings.NewReader("the bytes of a disk")

	var image bytes.Buffer
	n, err := diskimage.WriteVHD(context.Background(), &image, disk)
	if err != nil {
		panic(err)
	}
	fmt.Println(n, "bytes: whole MiB and a footer, which begins with", string(image.Bytes()[n-512:][:8]))
	// Output: 1049088 bytes: whole MiB and a footer, which begins with conectix
}

// Nothing is stored of the holes in a disk, here of 1 GiB.
func ExampleWriteGCE() {
	disk := io.NewSectionReader(strings.NewReader("the bytes of a disk"), 0, 19)

	var archive bytes.Buffer
	n, err := diskimage.WriteGCE(context.Background(), &archive, disk)
	if err != nil {
		panic(err)
	}
	fmt.Println(n < 1000)
	// Output: true
}

func ExampleWriteQCOW2() {
	disk := strings.NewReader("the bytes of a disk")

	var image memory
	n, err := diskimage.WriteQCOW2(context.Background(), &image, disk)
	if err != nil {
		panic(err)
	}
	fmt.Println(n>>10, "KiB:", "header, two tables, data, two tables of references")
	// Output: 384 KiB: header, two tables, data, two tables of references
}

// memory is a file in memory.
type memory []byte

// WriteAt implements io.WriterAt.
func (m *memory) WriteAt(p []byte, off int64) (int, error) {
	if end := int(off) + len(p); end > len(*m) {
		*m = append(*m, make([]byte, end-len(*m))...)
	}
	return copy((*m)[off:], p), nil
}

func ExampleWriteVMDK() {
	disk := strings.NewReader("the bytes of a disk")

	var image bytes.Buffer
	if _, err := diskimage.WriteVMDK(context.Background(), &image, disk); err != nil {
		panic(err)
	}
	fmt.Println(strings.Contains(image.String(), `createType="streamOptimized"`))
	// Output: true
}
