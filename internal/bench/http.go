//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// compareHTTP compares the rate of HTTP for one client and for a hundred, and
// how much memory the latter take.
func compareHTTP(ctx context.Context, l *lab) (*report, error) {
	sum, err := l.makeBigFile()
	if err != nil {
		return nil, err
	}
	counts := []int{1, maxClients}
	rates, memory := map[string]map[int]sample{}, map[string]sample{}
	serve := func(c contender, find func(context.Context) (string, error)) contender {
		rates[c.name] = map[int]sample{}
		var url string
		c.ready = func(ctx context.Context) (err error) {
			if url, err = find(ctx); err != nil {
				return err
			}
			r, err := l.load(ctx, "http", "-check", "-url", url)
			if err == nil && r.Sum != sum {
				err = fmt.Errorf("%s sent another file, of %d bytes", c.name, r.Bytes)
			}
			return err
		}
		c.score = func(ctx context.Context, p *program) error {
			for _, n := range counts {
				r, err := l.load(ctx, "http", "-url", url, "-local", firstClient,
					"-clients", strconv.Itoa(n), "-seconds", strconv.FormatFloat(l.seconds, 'f', -1, 64))
				if err != nil {
					return err
				}
				rates[c.name][n] = append(rates[c.name][n], r.megabytes())
				l.say("    %d clients: %.0f MB/s", n, r.megabytes())
			}
			peak, err := p.peakMemory()
			memory[c.name] = append(memory[c.name], peak)
			l.say("    %.1f MiB resident at most", peak)
			return err
		}
		return c
	}
	static := func(context.Context) (string, error) {
		return fmt.Sprintf("http://%s:%d/%s", serverAddr, httpPort, bigFile), nil
	}
	ours := l.netbootServer()
	ours.start = func(ctx context.Context) (*program, error) {
		return l.start(ctx, l.netboot, "-kernel", filepath.Join(l.files, bigFile), "-interface", "eth0", "-http-port", strconv.Itoa(httpPort))
	}
	if err := l.compete(ctx, serve(ours, l.kernelURL), serve(l.nginxServer(), static)); err != nil {
		return nil, err
	}
	r := new(report)
	for _, n := range counts {
		r.rows = append(r.rows, row{
			measure: fmt.Sprintf("HTTP MB/s, file of 1 GiB, clients: %d", n), peer: "nginx",
			ours: rates["netboot"][n], theirs: rates["nginx"][n], target: 0.9,
		})
	}
	r.rows = append(r.rows, row{
		measure: fmt.Sprintf("resident memory in MiB, %d downloads", maxClients),
		ours:    memory["netboot"], limit: maxMemory,
	})
	return r, nil
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
	return hex.EncodeToString(sum.Sum(nil)), f.Close()
}

// kernelURL returns the link to the kernel in the script that ours gives a
// machine.
func (l *lab) kernelURL(ctx context.Context) (string, error) {
	script := fmt.Sprintf("http://%s:%d/_/ipxe?mac=%s&arch=x86_64", serverAddr, httpPort, machineMAC)
	out, err := l.client.Command(ctx, "curl", "-sS", "--fail", "--max-time", "5", script).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", script, err, out)
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
