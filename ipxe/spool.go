package ipxe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// A spool fetches files once for all who want them, and keeps them in a
// folder of its own.
type spool struct {
	cfg    apiConfig
	dir    string
	ctx    context.Context //nolint:containedctx // It is the life of the spool, ended by close.
	cancel context.CancelFunc
	work   sync.WaitGroup
	flight singleflight.Group

	mu      sync.Mutex
	entries map[string]*entry
}

// An entry is a download and who uses it.
type entry struct {
	*download
	readers int
	retired bool      // to be removed with its last reader
	used    time.Time // when the last reader left
	checked time.Time // last known to be what the other server has
}

func newSpool(cfg apiConfig) (*spool, error) {
	dir, err := os.MkdirTemp(cfg.dir, "netbootkit-")
	if err != nil {
		return nil, fmt.Errorf("ipxe: folder for fetched files: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	return &spool{cfg: cfg, dir: dir, ctx: ctx, cancel: cancel, entries: make(map[string]*entry)}, nil
}

// close ends downloads, waits for them and removes all files.
func (s *spool) close() error {
	s.cancel()
	s.work.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for address := range s.entries {
		s.retire(address)
	}
	return os.RemoveAll(s.dir)
}

// open returns the file at address, which may still be arriving.
func (s *spool) open(ctx context.Context, address string) (File, error) {
	for {
		if e := s.enter(address); e != nil {
			file, err := s.file(ctx, e)
			if err != nil {
				s.leave(e)
			}
			return file, err
		}
		_, err, _ := s.flight.Do(address, func() (any, error) { return nil, s.start(address) })
		if err != nil {
			return nil, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// enter adds a reader to the entry of address, if that may be used as it is.
func (s *spool) enter(address string) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[address]
	if e == nil || e.failed() || e.complete() && time.Since(e.checked) > spoolFresh {
		return nil
	}
	e.readers++
	return e
}

// leave takes a reader away.
func (s *spool) leave(e *entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.readers--
	e.used = time.Now()
	if e.retired && e.readers == 0 {
		e.remove()
	}
}

// retire forgets the entry of address, and removes its file unless somebody
// reads it. The caller holds s.mu.
func (s *spool) retire(address string) {
	e := s.entries[address]
	delete(s.entries, address)
	if e.retired = true; e.readers == 0 {
		e.remove()
	}
}

func (e *entry) remove() {
	_ = e.file.Close()    // It was written by us, for us.
	_ = os.Remove(e.path) //nolint:gosec // The name is from os.CreateTemp.
}

// start begins a download of address, or learns that the one we have is
// still good.
func (s *spool) start(address string) error {
	if e := s.enter(address); e != nil { // Somebody was faster.
		s.leave(e)
		return nil
	}
	s.mu.Lock()
	old := s.entries[address]
	s.mu.Unlock()
	if old != nil && old.failed() {
		old = nil
	}
	ctx, cancel := context.WithCancel(s.ctx)
	timer := time.AfterFunc(spoolWait, cancel)
	resp, err := s.get(ctx, address, old)
	if !timer.Stop() && err == nil {
		resp.Body.Close()
		err = context.Canceled
	}
	switch {
	case err == nil && resp.StatusCode == http.StatusOK:
		return s.receive(address, resp, cancel)
	case err == nil:
		resp.Body.Close()
		err = s.refused(resp, old)
	case errors.Is(err, context.Canceled):
		err = &NotReadyError{RetryAfter: spoolWait}
	}
	cancel()
	if old != nil && !errors.Is(err, fs.ErrNotExist) {
		// Unchanged, or the other server is away: what we have will do.
		s.mu.Lock()
		old.checked = time.Now()
		s.mu.Unlock()
		return nil
	}
	return err
}

// get asks for address; if there is an old copy, then only when it changed.
func (s *spool) get(ctx context.Context, address string, old *entry) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if old != nil {
		req.Header = old.headers.Clone()
	}
	req.Header.Set("Accept-Encoding", "identity")
	return s.cfg.client.Do(req)
}

// refused returns the error for a status other than 200.
func (s *spool) refused(resp *http.Response, old *entry) error {
	seconds, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	switch {
	case resp.StatusCode == http.StatusNotModified && old != nil:
		return nil
	case resp.StatusCode == http.StatusNotFound, resp.StatusCode == http.StatusGone:
		return fs.ErrNotExist
	case resp.StatusCode == http.StatusServiceUnavailable && err == nil:
		return &NotReadyError{RetryAfter: time.Duration(seconds) * time.Second}
	default:
		return fmt.Errorf("server answered %d", resp.StatusCode)
	}
}

// receive starts to copy resp's body to a file, and makes it the entry of
// address.
func (s *spool) receive(address string, resp *http.Response, cancel context.CancelFunc) error {
	fail := func(err error) error {
		resp.Body.Close()
		cancel()
		return err
	}
	if resp.ContentLength > s.cfg.maxFile {
		return fail(fmt.Errorf("%d bytes, more than %d", resp.ContentLength, s.cfg.maxFile))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return fail(fs.ErrClosed)
	}
	if !s.makeRoom(address, max(resp.ContentLength, 0)) {
		return fail(&NotReadyError{RetryAfter: time.Minute})
	}
	file, err := os.CreateTemp(s.dir, "file-")
	if err != nil {
		return fail(err)
	}
	e := &entry{download: newDownload(resp, file), checked: time.Now(), used: time.Now()}
	s.entries[address] = e
	s.work.Go(func() {
		defer cancel()
		defer resp.Body.Close()
		e.pump(resp.Body, s.cfg.maxFile, s.cfg.idle, cancel)
	})
	return nil
}

// makeRoom retires the old entry of address, those that nobody wanted for
// long, and then the longest unused ones, until size bytes fit. The caller
// holds s.mu.
func (s *spool) makeRoom(address string, size int64) bool {
	if s.entries[address] != nil {
		s.retire(address)
	}
	for {
		var oldest string
		total := size
		for a, e := range s.entries {
			total += e.space()
			idle := e.readers == 0 && (e.complete() || e.failed())
			if idle && (oldest == "" || e.used.Before(s.entries[oldest].used)) {
				oldest = a
			}
		}
		if oldest == "" || total <= s.cfg.maxAll && time.Since(s.entries[oldest].used) < spoolKeep {
			return total <= s.cfg.maxAll
		}
		s.retire(oldest)
	}
}

// file returns a reader of e, which leaves e when it is closed.
func (s *spool) file(ctx context.Context, e *entry) (File, error) {
	limited, cancel := context.WithTimeout(ctx, spoolWait)
	defer cancel()
	// Without a size there is no Content-Length, so all must be there.
	err := e.wait(limited.Done(), func() bool { return e.size >= 0 })
	switch {
	case errors.Is(err, context.Canceled):
		return nil, &NotReadyError{RetryAfter: spoolWait}
	case err != nil:
		return nil, err
	}
	leave := sync.OnceFunc(func() { s.leave(e) })
	size, tag := e.facts()
	if !e.complete() {
		return &growing{download: e.download, stop: ctx.Done(), release: leave, length: size, etag: tag}, nil
	}
	file, err := os.Open(e.path)
	if err != nil {
		return nil, err
	}
	return &kept{File: file, modified: e.modified, release: leave, length: size, etag: tag}, nil
}
