package artifacts_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/artifacts"
)

// Fetch a kernel, and find it again when the server is gone.
func Example() {
	files := fstest.MapFS{
		"kernel":     {Data: []byte("a kernel\n")},
		"SHA256SUMS": {Data: []byte("0ea0e4d98d963a16e4ae69a302423f7648056205ea740c9559c92725d9544e4d *kernel\n")},
	}
	server := httptest.NewServer(http.FileServerFS(files))
	dir, err := os.MkdirTemp("", "store-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	store, err := artifacts.OpenStore(dir)
	if err != nil {
		panic(err)
	}
	defer store.Close()
	for range 2 {
		f, err := store.Get(context.Background(), artifacts.HTTP(nil), server.URL+"/kernel")
		if err != nil {
			panic(err)
		}
		fmt.Println(f.Size(), "bytes,", f.Info().Digest)
		f.Close()
		server.Close()
	}
	// Output:
	// 9 bytes, sha256:0ea0e4d98d963a16e4ae69a302423f7648056205ea740c9559c92725d9544e4d
	// 9 bytes, sha256:0ea0e4d98d963a16e4ae69a302423f7648056205ea740c9559c92725d9544e4d
}

// A file that is made of others is made once.
func ExampleStore_Make() {
	dir, err := os.MkdirTemp("", "store-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	store, err := artifacts.OpenStore(dir)
	if err != nil {
		panic(err)
	}
	defer store.Close()
	for range 2 {
		f, err := store.Make(context.Background(), "greeting v1", func(_ context.Context, w io.Writer) error {
			fmt.Println("made")
			_, err := io.WriteString(w, "hello")
			return err
		})
		if err != nil {
			panic(err)
		}
		fmt.Println(f.Size(), "bytes")
		f.Close()
	}
	// Output:
	// made
	// 5 bytes
	// 5 bytes
}

// Without a digest there is no file.
func ExampleErrUnverified() {
	dir, err := os.MkdirTemp("", "store-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	store, err := artifacts.OpenStore(dir)
	if err != nil {
		panic(err)
	}
	defer store.Close()
	src := artifacts.Dir("", fstest.MapFS{"kernel": {Data: []byte("a kernel\n")}})
	_, err = store.Get(context.Background(), src, "kernel")
	fmt.Println(err)
	fmt.Println(errors.Is(err, artifacts.ErrUnverified))
	// Output:
	// artifacts: get "kernel": artifacts: no digest is known and no verifier vouches
	// true
}

func ExampleParseChecksums() {
	list, err := artifacts.ParseChecksums(strings.NewReader(
		"SHA256 (dist/kernel) = 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\r\n"))
	if err != nil {
		panic(err)
	}
	d, err := list.Digest("https://boot.example/dist/kernel")
	fmt.Println(d, err)
	// Output:
	// sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 <nil>
}
