package cloudconfig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

// Load reads the document at location: an http or https URL, "-" for what
// [WithStdin] gives, or else a file; see [WithFS]. A server must answer 200. It
// returns an [*Error] for a document that cannot be had in time, and for what
// [Parse] refuses. It matches [fs.ErrNotExist] for a missing file and for 404.
func Load(ctx context.Context, location string, opts ...Option) (*Document, error) {
	cfg, err := newConfig(opts)
	if err != nil {
		return nil, err
	}
	limit := fmt.Errorf("took longer than %v: %w", cfg.timeout, context.DeadlineExceeded)
	ctx, cancel := context.WithTimeoutCause(ctx, cfg.timeout, limit)
	defer cancel()
	shown := showLocation(location)
	data, err := cfg.read(ctx, location)
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, &Error{Op: "load", Location: shown, Err: err}
	}
	return newDocument(data, shown, cfg.maxSize)
}

func (c *config) read(ctx context.Context, location string) ([]byte, error) {
	switch {
	case location == "-" && c.stdin == nil:
		return nil, errors.New("- is the standard input, and none was given")
	case location == "-":
		return waitFor(ctx, func() ([]byte, error) { return readLimited(c.stdin, c.maxSize) })
	case isURL(location):
		return c.fetch(ctx, location)
	case strings.Contains(location, "://"):
		return nil, errors.New("only http and https URLs can be fetched")
	default:
		return waitFor(ctx, func() ([]byte, error) { return c.readFile(location) })
	}
}

// isURL reports whether location is fetched over the network.
func isURL(location string) bool {
	scheme, _, ok := strings.Cut(location, "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

func (c *config) readFile(name string) ([]byte, error) {
	f, err := c.open(name)
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, plain(err)
	}
	if info.IsDir() {
		return nil, errors.New("is a directory")
	}
	data, err := readLimited(f, c.maxSize)
	return data, plain(err)
}

func (c *config) open(name string) (fs.File, error) {
	if c.fsys != nil {
		return c.fsys.Open(name)
	}
	return os.Open(name) //nolint:gosec // Which file to read is the caller's decision.
}

// plain drops the name from err, which an [Error] has already.
func plain(err error) error {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err
	}
	return err
}

func (c *config) fetch(ctx context.Context, location string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, location, nil)
	if err != nil {
		return nil, errors.New("the URL is not valid") // The cause would show it whole.
	}
	client := c.client
	if client == nil {
		transport := &http.Transport{TLSHandshakeTimeout: 10 * time.Second}
		defer transport.CloseIdleConnections()
		client = &http.Client{Transport: transport}
	}
	resp, err := client.Do(req)
	if err != nil {
		if urlErr, ok := errors.AsType[*url.Error](err); ok {
			err = urlErr.Err // The rest holds the URL, with its query.
		}
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("the server answered %s: %w", resp.Status, fs.ErrNotExist)
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the server answered %s, want 200", resp.Status)
	case resp.ContentLength > c.maxSize:
		return nil, fmt.Errorf("has %d bytes, more than the limit of %d", resp.ContentLength, c.maxSize)
	}
	return readLimited(resp.Body, c.maxSize)
}

// readLimited reads r to its end, which must come within limit bytes.
func readLimited(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("has more than the limit of %d bytes", limit)
	}
	return data, err
}

// waitFor returns what read does, or an error once ctx ends. A read of a pipe
// or of a network file system cannot be interrupted; it is left behind, and
// ends with the pipe.
func waitFor(ctx context.Context, read func() ([]byte, error)) ([]byte, error) {
	type result struct {
		data []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		data, err := read()
		done <- result{data, err}
	}()
	select {
	case r := <-done:
		return r.data, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
