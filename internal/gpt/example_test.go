package gpt_test

import (
	"fmt"

	"github.com/netbootkit/netbootkit/internal/gpt"
)

func Example() {
	id, err := gpt.ParseGUID("01234567-89ab-4def-8000-000000000001")
	if err != nil {
		panic(err)
	}
	disk := gpt.Table{Size: 16 << 20, ID: id}
	disk.Partitions = []gpt.Partition{{Start: 1 << 20, Size: 15 << 20, Type: gpt.EFISystem(), ID: id}}
	_, _, err = disk.Encode()
	fmt.Println(err)
	// Output:
	// gpt: partition 1: 15728640 bytes at 1048576: want it between 17408 and 16760320
	// gpt: partition 1: identifier 01234567-89AB-4DEF-8000-000000000001 is that of the disk
}
