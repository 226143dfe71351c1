package tftpd

import (
	"context"
	"io"
	"net/netip"
)

// A File is what a [Handler] serves: bytes that can be read at any offset, and
// how many of them there are. [*bytes.Reader], [*strings.Reader] and
// [*io.SectionReader] are Files.
type File interface {
	io.ReaderAt
	Size() int64
}

// A Handler finds the file a client asks for.
//
// OpenTFTP gets a name that is valid in the sense of [fs.ValidPath]. It is
// called from many goroutines, and must return when ctx is done. If the File
// it returns is also an [io.Closer], it is closed when the transfer ends.
//
// An error that matches [fs.ErrNotExist] is told to the client as code 1, file
// not found; one that matches [fs.ErrPermission] as code 2, access violation;
// any other as code 0. No text of the error is sent. A panic is recovered, and
// counts as an error.
type Handler interface {
	OpenTFTP(ctx context.Context, name string, peer netip.AddrPort) (File, error)
}

// HandlerFunc makes a function a [Handler].
type HandlerFunc func(ctx context.Context, name string, peer netip.AddrPort) (File, error)

// OpenTFTP calls f.
func (f HandlerFunc) OpenTFTP(ctx context.Context, name string, peer netip.AddrPort) (File, error) {
	return f(ctx, name, peer)
}
