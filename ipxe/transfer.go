package ipxe

import (
	"io"
	"net/http"
	"strconv"
	"syscall"
	"time"
)

// chunkSize is how much is sent under one deadline: large enough that setting
// it costs nothing, small enough that a slow client makes it.
const chunkSize = 256 << 10

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
		n, err := t.ResponseWriter.Write(part)
		t.note(int64(n), err)
		if total += n; err != nil || total == len(p) {
			return total, err
		}
	}
}

// ReadFrom copies r under deadlines of its own.
func (t *transfer) ReadFrom(r io.Reader) (int64, error) {
	left := int64(1<<63 - 1)
	if lr, ok := r.(*io.LimitedReader); ok {
		r, left = lr.R, lr.N
	}
	var total int64
	for left > 0 {
		part := min(left, chunkSize)
		t.extend()
		n, err := io.CopyN(t.ResponseWriter, r, part)
		total, left = total+n, left-n
		if err == io.EOF { //nolint:errorlint // CopyN returns it as it is.
			t.note(n, nil)
			return total, nil
		}
		t.note(n, err)
		if err != nil {
			return total, err
		}
	}
	return total, nil
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
	if err := rc.Flush(); err != nil && t.err == nil {
		t.err = err
	}
	_ = rc.SetWriteDeadline(time.Time{})
	if t.err != nil || method == http.MethodHead {
		return t.err
	}
	want, err := strconv.ParseInt(t.Header().Get("Content-Length"), 10, 64)
	if err == nil && t.bytes < want {
		return io.ErrUnexpectedEOF
	}
	return nil
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
	http.ServeContent(t, r, "", modTime(f), content(f))
	return t.finish(r.Method)
}

// content returns a reader of f: f itself when the kernel can send it.
func content(f File) io.ReadSeeker {
	if file, ok := f.(interface {
		io.ReadSeeker
		syscall.Conn
	}); ok {
		return file
	}
	return io.NewSectionReader(f, 0, f.Size())
}
