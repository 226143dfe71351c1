package firmware_test

import (
	"fmt"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/ipxe/firmware"
)

// Programs for the architecture codes that machines send in option 93.
func Example() {
	set, err := firmware.NewSet(
		firmware.WithScriptURL("http://${proxydhcp/next-server}:8090/_/ipxe?mac=${netX/mac}"),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, code := range []uint16{0, 7, 19, 27} {
		p, ok := set.Program(code)
		fmt.Println(code, p.Name, p.Size, ok)
	}
	// Output:
	// 0 undionly.kpxe 93955 true
	// 7 ipxe.efi 1035264 true
	// 19 snp.efi 267264 true
	// 27  0 false
}

// A tree of one's own brings Secure Boot, and machines that have no embedded
// program.
func ExampleWithTree() {
	tree := fstest.MapFS{ // A real program takes the FS of an os.Root.
		"x86_64-sb/shimx64.efi": {Data: []byte("signed")},
		"x86_64-sb/ipxe.efi":    {Data: []byte("signed, too")},
		"riscv64/snponly.efi":   {Data: []byte("new")},
	}
	set, err := firmware.NewSet(firmware.WithTree(tree))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, code := range []uint16{7, 11, 27} {
		p, _ := set.Program(code)
		fmt.Println(code, p.Name, p.Embedded)
	}
	// Output:
	// 7 x86_64-sb/shimx64.efi false
	// 11 snp.efi true
	// 27 riscv64/snponly.efi false
}

// The script that a UEFI program runs when it starts.
func ExamplePatch() {
	program := []byte("MZ…\x00#!ipxe\nshell\n" +
		"#a8b7e61f1075c37a793f2f92cee89f7bba00c4a8d7842ce3d40b5889032d8881\n\x00…")
	patched, err := firmware.Patch(program, []byte("#!ipxe\nchain http://boot.example/\n"))
	fmt.Println(len(patched) == len(program), err)
	// Output: true <nil>
}

func ExampleStartScript() {
	_, err := firmware.StartScript("http://boot.example/my script")
	fmt.Println(err)
	// Output: firmware: script URL: ' ' must be written as %20
}
