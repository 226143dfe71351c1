//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// bigFile is what machines download, and bigSize its size in bytes.
const (
	bigFile = "big"
	bigSize = 1 << 30
)

// maxMemory is what ours may have resident, in MiB, with 100 downloads running.
const maxMemory = 64

// An httpScore is how fast a server was, round by round.
type httpScore struct {
	url    string
	rates  map[int]sample // MB/s, by the number of clients
	memory sample         // the most that was resident, in MiB
}

// compareHTTP compares the rate of HTTP for one client and for a hundred, and
// how much memory the latter take.
func compareHTTP(ctx context.Context, l *lab) (*report, error) {
	sum, err := l.makeBigFile()
	if err != nil {
		return nil, err
	}
	counts := []int{1, maxClients}
	ours, nginx := &httpScore{rates: map[int]sample{}}, &httpScore{rates: map[int]sample{}}
	contend := func(c contender, s *httpScore, find func(context.Context) (string, error)) contender {
		c.ready = func(ctx context.Context) (err error) {
			if s.url, err = find(ctx); err != nil {
				return err
			}
			return l.checkHTTP(ctx, s.url, sum)
		}
		c.score = func(ctx context.Context, p *program) error { return s.measure(ctx, l, p, counts) }
		return c
	}
	static := func(context.Context) (string, error) { return l.url("/" + bigFile), nil }
	err = l.compete(ctx, contend(l.netbootServer("-kernel", bigFile), ours, l.kernelURL), contend(l.nginxServer(), nginx, static))
	if err != nil {
		return nil, err
	}
	r := new(report)
	for _, n := range counts {
		r.rows = append(r.rows, row{
			measure: fmt.Sprintf("HTTP MB/s, file of 1 GiB, clients: %d", n), peer: "nginx",
			ours: ours.rates[n], theirs: nginx.rates[n], target: 0.9,
		})
	}
	r.rows = append(r.rows, row{
		measure: fmt.Sprintf("resident memory in MiB, %d downloads", maxClients),
		ours:    ours.memory, limit: maxMemory,
	})
	return r, nil
}

// checkHTTP fetches a file and fails unless it has the given SHA-256.
func (l *lab) checkHTTP(ctx context.Context, url, sum string) error {
	r, err := l.load(ctx, "http", "-check", "-url", url)
	if err == nil && r.Sum != sum {
		err = fmt.Errorf("%s is another file, of %d bytes", url, r.Bytes)
	}
	return err
}

// measure loads a server with each number of clients, the most last.
func (s *httpScore) measure(ctx context.Context, l *lab, p *program, counts []int) error {
	for _, n := range counts {
		r, err := l.load(ctx, "http", "-url", s.url, "-local", firstClient, "-clients", strconv.Itoa(n), "-seconds", l.duration())
		if err != nil {
			return err
		}
		s.rates[n] = append(s.rates[n], r.megabytes())
		l.say("    %d clients: %.0f MB/s", n, r.megabytes())
	}
	peak, err := p.peakMemory()
	s.memory = append(s.memory, peak)
	l.say("    %.1f MiB resident at most", peak)
	return err
}

// makeBigFile writes the big file and returns its SHA-256 in hexadecimal
// digits. It is in the page cache afterwards.
func (l *lab) makeBigFile() (string, error) {
	f, err := os.Create(filepath.Join(l.files, bigFile))
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // The second time; the first is checked.
	sum := sha256.New()
	noise := rand.NewChaCha8([32]byte{})
	if _, err := io.CopyN(io.MultiWriter(f, sum), noise, bigSize); err != nil {
		return "", err
	}
	// Were it still being written, who is measured first would be slow.
	return hex.EncodeToString(sum.Sum(nil)), errors.Join(f.Sync(), f.Close())
}

// kernelURL returns the link to the kernel in the script that ours gives a
// machine.
func (l *lab) kernelURL(ctx context.Context) (string, error) {
	script := l.url("/_/ipxe?arch=x86_64&mac=" + machineMAC)
	out, err := l.fetch(ctx, script)
	if err != nil {
		return "", err
	}
	m := regexp.MustCompile(`(?m)^\s*kernel\b.*?(http://\S+)`).FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("%s names no kernel:\n%s", script, out)
	}
	return string(m[1]), nil
}

// peakMemory returns how much memory the program had resident at most, in MiB.
func (p *program) peakMemory() (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if m == nil {
		return 0, fmt.Errorf("no VmHWM in the status of process %d", p.cmd.Process.Pid)
	}
	kib, err := strconv.ParseFloat(string(m[1]), 64)
	return kib / 1024, err
}
