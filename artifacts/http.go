package artifacts

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

const maxSnippet = 200 // bytes of an error's body that are shown

// An HTTPSource is a [Source] whose names are http and https URLs.
type HTTPSource struct{ client *http.Client }

var (
	_ Resumer    = (*HTTPSource)(nil)
	_ SideLister = (*HTTPSource)(nil)
)

// HTTP returns a source that asks with c. A nil c stands for [NewHTTPClient].
//
// Digests are looked for beside a file, in name.sha256, SHA256SUMS,
// name.sha512 and SHA512SUMS.
func HTTP(c *http.Client) *HTTPSource {
	if c == nil {
		c = NewHTTPClient()
	}
	return &HTTPSource{client: c}
}

// NewHTTPClient returns a client that waits ten seconds for a connection and a
// minute for the start of an answer, and follows no redirect from https to
// http. It uses no proxy, since a library does not read the environment.
func NewHTTPClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: time.Minute,
			IdleConnTimeout:       time.Minute,
			ForceAttemptHTTP2:     true,
		},
		CheckRedirect: func(req *http.Request, via []*http.Request) error {
			switch {
			case len(via) >= 10:
				return errors.New("more than 10 redirects")
			case req.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https":
				return errors.New("redirect from https to " + req.URL.Scheme)
			default:
				return nil
			}
		},
	}
}

// ID implements [Source].
func (h *HTTPSource) ID() string { return "http" }

// Stat implements [Source] with a HEAD request, or a GET where that is
// refused.
func (h *HTTPSource) Stat(ctx context.Context, name string) (Info, error) {
	resp, err := h.do(ctx, http.MethodHead, name, nil)
	if answer, ok := errors.AsType[*HTTPError](err); ok && answer.refusesHead() {
		body, err := h.whole(ctx, name)
		if err != nil {
			return Info{}, err
		}
		return body.Info, body.Close()
	}
	if err != nil {
		return Info{}, err
	}
	defer resp.Body.Close()
	return responseInfo(name, resp), nil
}

// refusesHead says whether a GET may fare better: signed URLs, for example,
// are signed for one method.
func (e *HTTPError) refusesHead() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return true
	default:
		return false
	}
}

// Open implements [Source].
func (h *HTTPSource) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	resp, err := h.do(ctx, http.MethodGet, name, nil)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// OpenAt implements [Resumer] with a range request (RFC 9110 §14), on
// condition that the version is the same (RFC 9110 §13.1.5).
func (h *HTTPSource) OpenAt(ctx context.Context, version Info, off int64) (*Body, error) {
	if off == 0 {
		return h.whole(ctx, version.Name)
	}
	resp, err := h.do(ctx, http.MethodGet, version.Name, rangeHeader(version, off))
	if answer, ok := errors.AsType[*HTTPError](err); ok && answer.Status == http.StatusRequestedRangeNotSatisfiable {
		return h.whole(ctx, version.Name) // It became shorter, or ends right there.
	}
	if err != nil {
		return nil, err
	}
	info := responseInfo(version.Name, resp)
	if resp.StatusCode == http.StatusOK {
		return &Body{ReadCloser: resp.Body, Info: info}, nil
	}
	start, size, err := parseContentRange(resp.Header.Get("Content-Range"))
	if err != nil || start != off || !sameVersion(version, info) {
		resp.Body.Close() // A server that does not keep to the condition.
		return h.whole(ctx, version.Name)
	}
	info.Size = size
	return &Body{ReadCloser: resp.Body, Info: info, Start: start}, nil
}

func (h *HTTPSource) whole(ctx context.Context, name string) (*Body, error) {
	resp, err := h.do(ctx, http.MethodGet, name, nil) //nolint:bodyclose // It is part of what is returned.
	if err != nil {
		return nil, err
	}
	return &Body{ReadCloser: resp.Body, Info: responseInfo(name, resp)}, nil
}

// ChecksumFiles implements [SideLister].
func (h *HTTPSource) ChecksumFiles(_ context.Context, name string) ([]string, error) {
	return checksumFiles(name), nil
}

// do sends a request and returns an answer with the status 200 or, for a
// range, 206.
func (h *HTTPSource) do(ctx context.Context, method, name string, header http.Header) (*http.Response, error) {
	u, err := url.Parse(name)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is not an http or https URL", label(name))
	}
	req, err := http.NewRequestWithContext(ctx, method, name, nil)
	if err != nil {
		return nil, clean(err)
	}
	if header != nil {
		req.Header = header
	}
	req.Header.Set("User-Agent", "netbootkit")
	req.Header.Set("Accept-Encoding", "identity") // The bytes as they were hashed.
	resp, err := h.client.Do(req)
	if err != nil {
		return nil, clean(err)
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent && header != nil {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, newHTTPError(resp)
}

func newHTTPError(resp *http.Response) *HTTPError {
	e := &HTTPError{
		Method: resp.Request.Method, URL: label(resp.Request.URL.String()),
		Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header),
	}
	text, _ := io.ReadAll(io.LimitReader(resp.Body, maxSnippet)) // What arrived will do.
	for len(text) > 0 && !utf8.Valid(text) && len(text) > maxSnippet-utf8.UTFMax {
		text = text[:len(text)-1] // A character that was cut.
	}
	s := strings.TrimSpace(string(text))
	if !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || unicode.IsControl(r) && !unicode.IsSpace(r) }) {
		e.Snippet = s
	}
	return e
}

// retryAfter returns the time that a server asks for, in seconds or as a date
// (RFC 9110 §10.2.3); zero if it asks for none.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil && seconds > 0 {
		return time.Duration(min(seconds, 1<<30)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(time.Until(at).Round(time.Second), 0)
	}
	return 0
}

// responseInfo returns what the headers of an answer say about the file.
func responseInfo(name string, resp *http.Response) Info {
	info := Info{Name: name, Size: resp.ContentLength, ETag: resp.Header.Get("ETag")}
	info.ModTime, _ = http.ParseTime(resp.Header.Get("Last-Modified"))
	return info
}

// rangeHeader asks for the bytes from off on, if the version is the same.
func rangeHeader(version Info, off int64) http.Header {
	h := http.Header{"Range": {fmt.Sprintf("bytes=%d-", off)}}
	switch {
	case strong(version.ETag):
		h.Set("If-Range", version.ETag)
	case !version.ModTime.IsZero():
		h.Set("If-Range", version.ModTime.UTC().Format(http.TimeFormat))
	}
	return h
}

// parseContentRange parses "bytes 5-9/10"; a size of "*" is −1
// (RFC 9110 §14.4).
func parseContentRange(s string) (start, size int64, err error) {
	span, total, ok := strings.Cut(strings.TrimPrefix(s, "bytes "), "/")
	first, last, dash := strings.Cut(span, "-")
	if !ok || !dash || !strings.HasPrefix(s, "bytes ") {
		return 0, 0, fmt.Errorf("content range %.100q", s)
	}
	start, err = strconv.ParseInt(first, 10, 64)
	end, err2 := strconv.ParseInt(last, 10, 64)
	size = -1
	var err3 error
	if total != "*" {
		size, err3 = strconv.ParseInt(total, 10, 64)
	}
	if err := errors.Join(err, err2, err3); err != nil || start < 0 || end < start || size >= 0 && end >= size {
		return 0, 0, fmt.Errorf("content range %.100q", s)
	}
	return start, size, nil
}

// strong says whether an ETag promises that the bytes are the same.
func strong(etag string) bool { return etag != "" && !strings.HasPrefix(etag, "W/") }

// sameVersion says whether nothing that a and b know tells them apart.
func sameVersion(a, b Info) bool {
	if strong(a.ETag) && strong(b.ETag) {
		return a.ETag == b.ETag
	}
	if !a.ModTime.IsZero() && !b.ModTime.IsZero() {
		return a.ModTime.Equal(b.ModTime)
	}
	return true
}
