package tftpd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing/fstest"

	"github.com/netbootkit/netbootkit/internal/tftpclient"
	"github.com/netbootkit/netbootkit/tftpd"
)

// Serve a directory until the program is interrupted.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // A real program cancels on SIGINT; see signal.NotifyContext.

	root, err := os.OpenRoot("testdata") // No link leads out of it.
	if err != nil {
		fmt.Println(err)
		return
	}
	defer root.Close()

	ended := make(chan tftpd.Transfer, 1)
	srv, err := tftpd.NewServer(tftpd.FS(root.FS()),
		tftpd.WithTransferFunc(func(t tftpd.Transfer) { ended <- t }))
	if err != nil {
		fmt.Println(err)
		return
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:0") // Port 69 in earnest.
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, conn) }()

	var file bytes.Buffer
	client := tftpclient.Client{BlockSize: 1468, Window: 4}
	if _, err := client.Get(ctx, conn.LocalAddr().String(), `\boot.cfg`, &file); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(file.String())
	t := <-ended
	fmt.Println(t.Name, t.Bytes, "bytes, error:", t.Err)
	cancel()
	fmt.Println("served:", <-served)
	// Output:
	// DEFAULT linux
	// boot.cfg 14 bytes, error: <nil>
	// served: <nil>
}

// A handler can make files up, one per machine.
func ExampleHandlerFunc() {
	h := tftpd.HandlerFunc(func(_ context.Context, name string, _ netip.AddrPort) (tftpd.File, error) {
		mac, ok := strings.CutPrefix(name, "pxelinux.cfg/01-")
		if !ok {
			return nil, fs.ErrNotExist
		}
		return strings.NewReader("SAY you are " + mac + "\n"), nil
	})
	for _, name := range []string{"pxelinux.cfg/01-52-54-00-12-34-56", "other"} {
		f, err := h.OpenTFTP(context.Background(), name, netip.AddrPort{})
		if err != nil {
			fmt.Println(err)
			continue
		}
		b := make([]byte, f.Size())
		n, _ := f.ReadAt(b, 0)
		fmt.Print(string(b[:n]))
	}
	// Output:
	// SAY you are 52-54-00-12-34-56
	// file does not exist
}

// Any fs.FS will do; directories are not listed.
func ExampleFS() {
	h := tftpd.FS(fstest.MapFS{"grub/grub.cfg": {Data: []byte("set timeout=0\n")}})
	f, err := h.OpenTFTP(context.Background(), "grub/grub.cfg", netip.AddrPort{})
	fmt.Println(f.Size(), err)
	_, err = h.OpenTFTP(context.Background(), "grub", netip.AddrPort{})
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// 14 <nil>
	// true
}

// All faults of the options are reported at once.
func ExampleNewServer() {
	_, err := tftpd.NewServer(tftpd.FS(fstest.MapFS{}), tftpd.WithMaxBlockSize(4), tftpd.WithMaxTransfers(0))
	fmt.Println(err)
	// Output:
	// tftpd: block size 4 not in 8..65464 (RFC 2348)
	// transfers 0 less than 1
}
