//go:build linux

package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"syscall"
	"time"
)

// An httpLoad downloads a file again and again, as several machines at once.
// What arrives is thrown away in the kernel, so that the time goes into the
// server.
type httpLoad struct {
	url     string
	local   netip.Addr // of the first client; the others have those that follow
	clients int
	seconds float64
	check   bool
}

func (l *httpLoad) flags(f *flag.FlagSet) {
	f.StringVar(&l.url, "url", "", "what to fetch")
	f.TextVar(&l.local, "local", netip.IPv4Unspecified(), "address of the first client")
	f.IntVar(&l.clients, "clients", 1, "how many ask at once")
	f.Float64Var(&l.seconds, "seconds", 3, "how long to go on, from when all clients are served")
	f.BoolVar(&l.check, "check", false, "fetch the file once and tell its SHA-256")
}

func (l *httpLoad) run(ctx context.Context) (*loadResult, error) {
	if l.check {
		return l.fetchOnce(ctx)
	}
	conns, err := l.connect(ctx)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	if err != nil {
		return nil, err
	}
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		total loadResult
		errs  []error
	)
	begin := time.Now()
	end := begin.Add(time.Duration(l.seconds * float64(time.Second)))
	for _, c := range conns {
		wg.Go(func() {
			n, files, err := c.drain(end)
			mu.Lock()
			defer mu.Unlock()
			total.Bytes, total.Count, errs = total.Bytes+n, total.Count+files, append(errs, err)
		})
	}
	wg.Wait()
	total.Seconds = time.Since(begin).Seconds()
	return &total, errors.Join(errs...)
}

// connect opens all connections and asks for the file on each.
func (l *httpLoad) connect(ctx context.Context) ([]*download, error) {
	u, err := url.Parse(l.url)
	if err != nil {
		return nil, err
	}
	var conns []*download
	local := l.local
	for range l.clients {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: local.AsSlice()}, Timeout: 5 * time.Second}
		conn, err := dialer.DialContext(ctx, "tcp4", u.Host)
		if err != nil {
			return conns, err
		}
		d := &download{TCPConn: conn.(*net.TCPConn), request: fmt.Sprintf("GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", u.RequestURI(), u.Host)}
		conns = append(conns, d)
		if err := d.ask(); err != nil {
			return conns, err
		}
		if !local.IsUnspecified() {
			local = local.Next()
		}
	}
	return conns, nil
}

// fetchOnce fetches the file as ordinary clients do.
func (l *httpLoad) fetchOnce(ctx context.Context) (*loadResult, error) {
	begin := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := (&http.Client{}).Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", l.url, resp.Status)
	}
	sum := sha256.New()
	n, err := io.Copy(sum, resp.Body)
	if err != nil {
		return nil, err
	}
	return &loadResult{Count: 1, Bytes: n, Seconds: time.Since(begin).Seconds(), Sum: hex.EncodeToString(sum.Sum(nil))}, nil
}

// A download is a connection on which the file is asked for, once it has come,
// again.
type download struct {
	*net.TCPConn

	request string
	rest    int64 // bytes of the file that are still to come
}

// ask sends the request and reads the head of the answer, and no more.
func (d *download) ask() error {
	if _, err := io.WriteString(d, d.request); err != nil {
		return err
	}
	// A buffer of one line's length would swallow some of the file.
	resp, err := http.ReadResponse(bufio.NewReaderSize(&byByte{d}, 16), nil) //nolint:bodyclose // The body is read past it.
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || resp.ContentLength <= 0 {
		return fmt.Errorf("%s, %d bytes", resp.Status, resp.ContentLength)
	}
	d.rest = resp.ContentLength
	return nil
}

// byByte reads one byte at a time, so that none is read too much.
type byByte struct{ r io.Reader }

func (b *byByte) Read(p []byte) (int, error) { return b.r.Read(p[:min(1, len(p))]) }

// drain throws away what comes until end, and returns how many bytes and how
// many whole files that was.
func (d *download) drain(end time.Time) (bytes int64, files int, err error) {
	raw, err := d.SyscallConn()
	if err != nil {
		return 0, 0, err
	}
	if err := d.SetReadDeadline(end.Add(5 * time.Second)); err != nil {
		return 0, 0, err
	}
	buf := make([]byte, 1<<20)
	for time.Now().Before(end) {
		if d.rest == 0 {
			files++
			if err := d.ask(); err != nil {
				return bytes, files, err
			}
		}
		n, err := discard(raw, buf[:min(int64(len(buf)), d.rest)])
		if err != nil {
			return bytes, files, err
		}
		bytes, d.rest = bytes+int64(n), d.rest-int64(n)
	}
	return bytes, files, nil
}

// discard throws away at most len(buf) bytes, once there are some. With
// MSG_TRUNC, TCP does not copy them to buf.
func discard(raw syscall.RawConn, buf []byte) (n int, err error) {
	failed := raw.Read(func(fd uintptr) bool {
		n, _, err = syscall.Recvfrom(int(fd), buf, syscall.MSG_TRUNC|syscall.MSG_DONTWAIT)
		return !errors.Is(err, syscall.EAGAIN)
	})
	if err == nil && failed == nil && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, errors.Join(failed, err)
}
