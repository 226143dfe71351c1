package ipxe

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"
)

// How much is sent under one deadline, in bytes. A chunk that the kernel sends
// is continued after the deadline if the client took any of it. Otherwise a
// write cannot be continued, so that the chunk is what a slow client must take
// in time.
const (
	chunkSize = 64 << 10
	fileChunk = 4 << 20
)

// A transfer is a ResponseWriter that gives the client a fresh deadline for
// each chunk, and counts. It keeps the way to sendfile open: net/http takes
// it when it is handed a file, or an io.LimitedReader of one.
type transfer struct {
	http.ResponseWriter
	idle   time.Duration
	status int
	bytes  int64
	err    error // the first failure to read or write
}

// Unwrap is for [http.ResponseController].
func (t *transfer) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// WriteHeader notes the status.
func (t *transfer) WriteHeader(status int) {
	t.status = status
	t.extend()
	t.ResponseWriter.WriteHeader(status)
}

// Write writes p under deadlines of its own.
func (t *transfer) Write(p []byte) (int, error) {
	var total int
	for {
		part := p[total:min(len(p), total+chunkSize)]
		t.extend()
		n, err := t.ResponseWriter.Write(part) //nolint:gosec // Nothing we send is HTML, and its type says so.
		t.note(int64(n), err)
		if total += n; err != nil || total == len(p) {
			return total, err
		}
	}
}

// ReadFrom copies r under deadlines of its own.
func (t *transfer) ReadFrom(r io.Reader) (int64, error) {
	left, chunk := int64(1<<63-1), int64(chunkSize)
	if lr, ok := r.(*io.LimitedReader); ok {
		r, left = lr.R, lr.N
	}
	file, isFile := r.(onDisk)
	if isFile {
		chunk = fileChunk
	}
	var total int64
	for left > 0 {
		start := position(file)
		t.extend()
		n, err := io.CopyN(t.ResponseWriter, r, min(left, chunk))
		total, left = total+n, left-n
		switch {
		case errors.Is(err, io.EOF):
			t.note(n, nil)
			return total, nil
		case isFile && n > 0 && errors.Is(err, os.ErrDeadlineExceeded) && position(file) == start+n:
			err = nil // The client is slow. Nothing that was read is lost.
		}
		t.note(n, err)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// onDisk is a reader that the kernel can send from.
type onDisk interface {
	io.ReadSeeker
	syscall.Conn
}

// position returns how far f has been read.
func position(f onDisk) int64 {
	if f == nil {
		return 0
	}
	n, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return -1
	}
	return n
}

// extend moves the deadline. Writers that know none, as in tests, stay as
// they are.
func (t *transfer) extend() {
	_ = http.NewResponseController(t.ResponseWriter).SetWriteDeadline(time.Now().Add(t.idle))
}

// limitBody gives the client the idle timeout to send a body that is ignored.
func (t *transfer) limitBody() {
	_ = http.NewResponseController(t.ResponseWriter).SetReadDeadline(time.Now().Add(t.idle))
}

func (t *transfer) note(n int64, err error) {
	t.bytes += n
	if t.err == nil {
		t.err = err
	}
}

// finish sends what is buffered while the deadline holds, and then lifts it
// for the connection's next request, which may be another handler's.
func (t *transfer) finish(method string) error {
	rc := http.NewResponseController(t.ResponseWriter)
	want, err := strconv.ParseInt(t.Header().Get("Content-Length"), 10, 64)
	if err == nil { // A flush without a length would begin a chunked body.
		t.note(0, rc.Flush())
	}
	_ = rc.SetWriteDeadline(time.Time{})
	if t.err == nil && err == nil && t.bytes < want && method != http.MethodHead {
		return io.ErrUnexpectedEOF
	}
	return t.err
}

// send answers r with f by the rules of RFC 9110: HEAD, ranges and conditions.
func (t *transfer) send(r *http.Request, f File, name string) error {
	tag, err := etag(f)
	if err != nil {
		return err
	}
	h := t.Header()
	if tag != "" {
		h.Set("ETag", tag)
	}
	h.Set("Content-Type", contentType(name))
	defer cork(r.Context())()
	http.ServeContent(t, r, "", modTime(f), content(f))
	return t.finish(r.Method)
}

// content returns a reader of f: f itself when the kernel can send it.
func content(f File) io.ReadSeeker {
	if file, ok := f.(onDisk); ok {
		return file
	}
	return io.NewSectionReader(f, 0, f.Size())
}
