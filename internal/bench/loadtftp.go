//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/netbootkit/netbootkit/internal/netsim"
	"github.com/netbootkit/netbootkit/internal/tftpclient"
)

// A tftpLoad fetches a file again and again, as several machines at once.
type tftpLoad struct {
	server    string
	file      string
	local     netip.Addr // of the first client; the others have those that follow
	clients   int
	blockSize int
	window    int
	delay     time.Duration // that the path adds each way
	seconds   float64
	check     bool
}

func (l *tftpLoad) flags(f *flag.FlagSet) {
	f.StringVar(&l.server, "server", "", "address and port")
	f.StringVar(&l.file, "file", "", "what to fetch")
	f.TextVar(&l.local, "local", netip.IPv4Unspecified(), "address of the first client")
	f.IntVar(&l.clients, "clients", 1, "how many ask at once")
	f.IntVar(&l.blockSize, "blksize", 1468, "bytes")
	f.IntVar(&l.window, "windowsize", 0, "blocks; not asked for if 0")
	f.DurationVar(&l.delay, "delay", 0, "what the path to the server and back adds each way")
	f.Float64Var(&l.seconds, "seconds", 3, "how long to go on")
	f.BoolVar(&l.check, "check", false, "fetch the file once and tell its SHA-256")
}

func (l *tftpLoad) run(ctx context.Context) (*loadResult, error) {
	if l.check {
		return l.fetchOnce(ctx)
	}
	if l.delay > 0 {
		relay, err := l.lengthen()
		if err != nil {
			return nil, err
		}
		defer relay.Close() //nolint:errcheck // It is only for this process.
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(l.seconds*float64(time.Second)))
	defer cancel()
	var (
		mu    sync.Mutex
		total loadResult
		errs  []error
		wg    sync.WaitGroup
	)
	begin, local := time.Now(), l.local
	for range l.clients {
		client := l.client(local)
		wg.Go(func() {
			r, err := l.fetchMany(ctx, client)
			mu.Lock()
			defer mu.Unlock()
			total.Count, total.Bytes = total.Count+r.Count, total.Bytes+r.Bytes
			errs = append(errs, err)
		})
		if !local.IsUnspecified() {
			local = local.Next()
		}
	}
	wg.Wait()
	total.Seconds = time.Since(begin).Seconds()
	return &total, errors.Join(errs...)
}

// lengthen puts a relay into the path to the server. Clients then reach it
// only from the loopback address.
func (l *tftpLoad) lengthen() (*netsim.Relay, error) {
	server, err := netip.ParseAddrPort(l.server)
	if err != nil {
		return nil, err
	}
	relay, err := netsim.Listen(server, netsim.Path{Delay: l.delay})
	if err != nil {
		return nil, err
	}
	l.server, l.local = relay.Addr().String(), netip.IPv4Unspecified()
	return relay, nil
}

func (l *tftpLoad) client(local netip.Addr) tftpclient.Client {
	return tftpclient.Client{BlockSize: l.blockSize, Window: l.window, Size: true, Local: local}
}

// fetchMany fetches the file until ctx is done. What it got of the last one
// counts.
func (l *tftpLoad) fetchMany(ctx context.Context, client tftpclient.Client) (total loadResult, err error) {
	for ctx.Err() == nil && err == nil {
		var r tftpclient.Result
		r, err = client.Get(ctx, l.server, l.file, io.Discard)
		total.Bytes += r.Bytes
		if err == nil {
			total.Count++
		}
	}
	if ctx.Err() != nil {
		err = nil // It was cut off.
	}
	return total, err
}

func (l *tftpLoad) fetchOnce(ctx context.Context) (*loadResult, error) {
	sum, begin := sha256.New(), time.Now()
	r, err := l.client(l.local).Get(ctx, l.server, l.file, sum)
	if err != nil {
		return nil, err
	}
	return &loadResult{Count: 1, Bytes: r.Bytes, Seconds: time.Since(begin).Seconds(), Sum: hex.EncodeToString(sum.Sum(nil))}, nil
}
