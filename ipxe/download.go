package ipxe

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// A download is one file that arrives, or has arrived, from elsewhere.
type download struct {
	path     string
	modified time.Time
	headers  http.Header // ETag and Last-Modified, to ask whether it changed
	size     int64       // declared by the server; −1 if unknown

	mu      sync.Mutex
	file    *os.File
	have    int64
	done    bool
	err     error
	tag     string
	changed chan struct{} // closed and replaced at each progress
}

// newDownload starts with resp's headers and an empty file.
func newDownload(resp *http.Response, file *os.File) *download {
	d := &download{
		path: file.Name(), file: file, size: resp.ContentLength,
		headers: make(http.Header), changed: make(chan struct{}),
	}
	d.modified, _ = http.ParseTime(resp.Header.Get("Last-Modified"))
	tag := resp.Header.Get("ETag")
	if tag != "" {
		d.headers.Set("If-None-Match", tag)
	}
	if !d.modified.IsZero() {
		d.headers.Set("If-Modified-Since", resp.Header.Get("Last-Modified"))
	}
	// A weak tag promises nothing about bytes; a time alone could be the
	// same for two versions of one second, so the size goes in as well.
	if tag == "" || strings.HasPrefix(tag, "W/") {
		tag = ""
		if !d.modified.IsZero() && d.size >= 0 {
			tag = fmt.Sprintf("%d-%d", d.size, d.modified.Unix())
		}
	}
	if tag != "" {
		sum := sha256.Sum256([]byte(tag))
		d.tag = `"` + hex.EncodeToString(sum[:16]) + `"`
	}
	return d
}

// pump copies body to the file until it ends, the limit is passed, or it
// makes no progress for the time idle; then cancel ends it.
func (d *download) pump(body io.Reader, limit int64, idle time.Duration, cancel context.CancelFunc) {
	watchdog := time.AfterFunc(idle, cancel)
	defer watchdog.Stop()
	digest := sha256.New()
	buf := make([]byte, chunkSize)
	for {
		n, err := body.Read(buf)
		watchdog.Reset(idle)
		if d.have+int64(n) > limit {
			d.end(fmt.Errorf("larger than %d bytes", limit), nil)
			return
		}
		if _, werr := d.file.WriteAt(buf[:n], d.have); werr != nil {
			d.end(werr, nil)
			return
		}
		digest.Write(buf[:n])
		d.advance(int64(n))
		switch {
		case errors.Is(err, io.EOF):
			d.end(nil, digest.Sum(nil))
			return
		case err != nil:
			d.end(err, nil)
			return
		}
	}
}

// advance tells who waits that n more bytes are there.
func (d *download) advance(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.have += n
	d.wake()
}

// end tells who waits that this is all.
func (d *download) end(err error, digest []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done, d.err = true, err
	if err == nil {
		d.size = d.have
		if d.tag == "" {
			d.tag = `"` + hex.EncodeToString(digest) + `"`
		}
	}
	d.wake()
}

func (d *download) wake() {
	close(d.changed)
	d.changed = make(chan struct{})
}

// wait blocks until ready says so, the download ended, or stop is closed.
func (d *download) wait(stop <-chan struct{}, ready func() bool) error {
	for {
		d.mu.Lock()
		ok, changed, done, err := ready(), d.changed, d.done, d.err
		d.mu.Unlock()
		switch {
		case ok:
			return nil
		case done:
			return err
		}
		select {
		case <-changed:
		case <-stop:
			return context.Canceled
		}
	}
}

// failed says whether the download ended badly.
func (d *download) failed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done && d.err != nil
}

// complete says whether all is there.
func (d *download) complete() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done && d.err == nil
}

// facts returns the size and the tag as they are now.
func (d *download) facts() (int64, string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.size, d.tag
}

// space returns how many bytes of disk the download takes, or will take.
func (d *download) space() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(d.size, d.have)
}

// growing is a File that has not arrived yet.
type growing struct {
	*download
	stop    <-chan struct{} // closed when the reader is gone
	release func()
	length  int64
	etag    string
}

// ReadAt blocks until the bytes are there.
func (g *growing) ReadAt(p []byte, off int64) (int, error) {
	end := min(off+int64(len(p)), g.length)
	if err := g.wait(g.stop, func() bool { return g.have >= end }); err != nil {
		return 0, err
	}
	return g.file.ReadAt(p, off)
}

// Size implements [File].
func (g *growing) Size() int64 { return g.length }

// ModTime returns what the other server said.
func (g *growing) ModTime() time.Time { return g.modified }

// ETag returns the tag, which is empty if it is to come from the content.
func (g *growing) ETag() string { return g.etag }

// Close says that the reader is gone.
func (g *growing) Close() error { g.release(); return nil }

// kept is a File that has arrived: a fresh one, for sendfile.
type kept struct {
	*os.File
	modified time.Time
	release  func()
	length   int64
	etag     string
}

// Size implements [File].
func (k *kept) Size() int64 { return k.length }

// ModTime returns what the other server said.
func (k *kept) ModTime() time.Time { return k.modified }

// ETag returns the tag.
func (k *kept) ETag() string { return k.etag }

// Close closes the file.
func (k *kept) Close() error { defer k.release(); return k.File.Close() }
