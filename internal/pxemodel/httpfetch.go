package pxemodel

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

// EDK2's limits for HTTP (HttpBootDxe, HttpDxe).
const (
	httpRetries = 5
	httpPause   = 2 * time.Second
	httpTimeout = 5 * time.Second // without a byte
	maxImage    = 1 << 30
)

// An Image is what HTTP boot downloaded.
type Image struct {
	Kind    string // "efi", or "iso" and "img", which become a RAM disk
	Data    []byte
	Resumed int // how often the download went on where it had broken off
}

// errTransfer is a download that broke off and may be resumed.
var errTransfer = errors.New("the transfer broke off")

// httpFetch is one download.
type httpFetch struct {
	client   *http.Client
	url      string
	kind     string
	size     int64 // -1 if no answer told it
	etag     string
	modified string
	data     []byte
	resumed  int
}

// Fetch downloads an image as EDK2's HTTP boot driver does: HEAD for size and
// type, or a GET where HEAD is refused, then GET, resumed up to five times if
// the server gave a strong ETag or a date. Redirects are not followed. A zero
// pause between the attempts is EDK2's two seconds. A clone of transport carries
// the requests.
func (h *HTTPBoot) Fetch(ctx context.Context, transport *http.Transport, address string, pause time.Duration) (*Image, error) {
	if pause == 0 {
		pause = httpPause
	}
	transport = transport.Clone()
	transport.DisableCompression = true
	defer transport.CloseIdleConnections()
	f := &httpFetch{
		client: &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		url: address, size: -1,
	}
	if err := f.head(ctx); err != nil {
		return nil, err
	}
	for try := 0; ; try++ {
		err := f.get(ctx)
		if err == nil {
			return &Image{f.kind, f.data, f.resumed}, nil
		}
		if !errors.Is(err, errTransfer) || try == httpRetries {
			return nil, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (f *httpFetch) do(ctx context.Context, method string, header map[string]string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, f.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "*/*")
	req.Header.Set("User-Agent", "UefiHttpBoot/1.0")
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", errTransfer, err)
	}
	return resp, nil
}

// head learns about the image before its bytes are wanted.
func (f *httpFetch) head(ctx context.Context) error {
	resp, err := f.do(ctx, http.MethodHead, nil)
	if err == nil {
		defer discard(resp)
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		get, err := f.do(ctx, http.MethodGet, nil)
		if err != nil {
			return err
		}
		defer discard(get)
		resp = get
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("server says %s", resp.Status)
	}
	f.size, f.modified = resp.ContentLength, resp.Header.Get("Last-Modified")
	if tag := resp.Header.Get("ETag"); !strings.HasPrefix(tag, "W/") {
		f.etag = tag
	}
	if f.kind = imageKind(resp.Header.Get("Content-Type"), f.url); f.kind == "" {
		return fmt.Errorf("image type %q of %s is not known", resp.Header.Get("Content-Type"), f.url)
	}
	if f.size < 0 && f.kind != "efi" {
		return errors.New("a RAM disk needs a Content-Length")
	}
	return nil
}

// get downloads what is missing, or everything if it cannot be resumed.
func (f *httpFetch) get(ctx context.Context) error {
	header := map[string]string{}
	if len(f.data) > 0 {
		switch {
		case f.etag != "":
			header["If-Match"] = f.etag
		case f.modified != "":
			header["If-Unmodified-Since"] = f.modified
		default:
			f.data = nil
		}
	}
	if len(f.data) > 0 {
		header["Range"] = fmt.Sprintf("bytes=%d-", len(f.data))
	}
	resp, err := f.do(ctx, http.MethodGet, header)
	if err != nil {
		return err
	}
	defer discard(resp)
	switch {
	case resp.StatusCode == http.StatusPartialContent && len(f.data) > 0:
		if want := fmt.Sprintf("bytes %d-%d/%d", len(f.data), f.size-1, f.size); resp.Header.Get("Content-Range") != want {
			return fmt.Errorf("content range %q, not %q", resp.Header.Get("Content-Range"), want)
		}
		f.resumed++
	case resp.StatusCode == http.StatusOK:
		f.data = nil
	default:
		return fmt.Errorf("server says %s", resp.Status)
	}
	return f.read(resp.Body)
}

// read appends a body. It gives up when no byte comes for five seconds.
func (f *httpFetch) read(body io.ReadCloser) error {
	idle := time.AfterFunc(httpTimeout, func() { _ = body.Close() })
	defer idle.Stop()
	var got bytes.Buffer
	buf := make([]byte, 32<<10)
	for {
		n, err := body.Read(buf)
		got.Write(buf[:n])
		idle.Reset(httpTimeout)
		if len(f.data)+got.Len() > maxImage {
			return errors.New("image too large")
		}
		if err == nil {
			continue
		}
		f.data = append(f.data, got.Bytes()...)
		if !errors.Is(err, io.EOF) {
			return fmt.Errorf("%w after %d bytes: %v", errTransfer, len(f.data), err)
		}
		if f.size >= 0 && int64(len(f.data)) != f.size {
			return fmt.Errorf("%w: %d bytes of %d", errTransfer, len(f.data), f.size)
		}
		return nil
	}
}

// discard ends a response. A rest of the body ends the connection as well.
func discard(resp *http.Response) { _ = resp.Body.Close() }

// imageKind tells the kind from the content type, else from the extension.
func imageKind(contentType, address string) string {
	media, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(media)) {
	case "application/efi":
		return "efi"
	case "application/vnd.efi-iso":
		return "iso"
	case "application/vnd.efi-img":
		return "img"
	}
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	switch ext := strings.ToLower(path.Ext(u.Path)); ext {
	case ".efi", ".iso", ".img":
		return ext[1:]
	}
	return ""
}
