package ext_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/internal/ext"
)

func Example() {
	tree := fstest.MapFS{"etc/issue": {Data: []byte("hello\n"), Mode: 0o644}}
	image, err := ext.New(context.Background(), tree, ext.Volume{Label: "COS_OEM", Version: 2, Size: 64 << 20})
	if err != nil {
		panic(err)
	}
	data := int64(0) // The rest are holes.
	for start, end, ok := image.NextData(0); ok; start, end, ok = image.NextData(end) {
		data += end - start
	}
	fmt.Println(image.Size(), "bytes, of which", data, "are written")
	// Output: 67108864 bytes, of which 45318 are written
}
