//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// bootProgram is what machines fetch over TFTP: iPXE, about a megabyte.
const bootProgram = "ipxe.efi"

// addedDelay is what the long path adds each way.
const addedDelay = 5 * time.Millisecond

// compareTFTP compares the rate of TFTP for one client and for fifty.
func compareTFTP(ctx context.Context, l *lab) (*report, error) {
	counts := []int{1, 50}
	rates := map[string]map[int]sample{}
	fast := func(c contender, name string) contender {
		rates[c.name] = map[int]sample{}
		c.ready = func(ctx context.Context) error { return l.checkTFTP(ctx, c.name, name) }
		c.score = func(ctx context.Context, _ *program) error {
			for _, n := range counts {
				r, err := l.loadTFTP(ctx, name, "-clients", strconv.Itoa(n))
				if err != nil {
					return err
				}
				rates[c.name][n] = append(rates[c.name][n], r.megabytes())
				l.say("    %d clients: %.1f MB/s", n, r.megabytes())
			}
			return nil
		}
		return c
	}
	err := l.compete(ctx,
		fast(l.netbootServer(), machineMAC+"/"+bootProgram), fast(l.dnsmasqServer(), bootProgram), fast(l.atftpdServer(), bootProgram))
	if err != nil {
		return nil, err
	}
	r := new(report)
	for _, n := range counts {
		for _, peer := range []string{"dnsmasq", "atftpd"} {
			r.rows = append(r.rows, row{
				measure: fmt.Sprintf("TFTP MB/s, blksize 1468, clients: %d", n), peer: peer,
				ours: rates["netboot"][n], theirs: rates[peer][n], target: 1,
			})
		}
	}
	return r, nil
}

// compareWindow compares TFTP with windows of 16 blocks to TFTP in lock-step,
// over a path that adds 5 ms each way.
func compareWindow(ctx context.Context, l *lab) (*report, error) {
	var windowed, lockstep, dnsmasq sample
	far := func(c contender, name string, window int, rates *sample) contender {
		c.name = fmt.Sprintf("%s, windowsize %d", c.name, window)
		c.ready = func(ctx context.Context) error { return l.checkTFTP(ctx, c.name, name) }
		c.score = func(ctx context.Context, _ *program) error {
			r, err := l.loadTFTP(ctx, name, "-delay", addedDelay.String(), "-windowsize", strconv.Itoa(window))
			if err != nil {
				return err
			}
			*rates = append(*rates, r.megabytes())
			l.say("    %.3f MB/s", r.megabytes())
			return nil
		}
		return c
	}
	own := machineMAC + "/" + bootProgram
	err := l.compete(ctx,
		far(l.netbootServer(), own, 16, &windowed), far(l.netbootServer(), own, 1, &lockstep), far(l.dnsmasqServer(), bootProgram, 1, &dnsmasq))
	if err != nil {
		return nil, err
	}
	measure := "TFTP MB/s, windowsize 16, path adds 5 ms each way"
	return &report{rows: []row{
		{measure: measure, peer: "itself in lock-step", ours: windowed, theirs: lockstep, target: 8},
		{measure: measure, peer: "dnsmasq in lock-step", ours: windowed, theirs: dnsmasq},
	}}, nil
}

// loadTFTP fetches a file for some seconds.
func (l *lab) loadTFTP(ctx context.Context, name string, args ...string) (*loadResult, error) {
	return l.load(ctx, append([]string{
		"tftp", "-server", serverAddr + ":69", "-file", name, "-local", firstClient,
		"-seconds", l.duration(),
	}, args...)...)
}

// checkTFTP fetches a file and fails unless it is the boot program. Ours has
// its start script changed, so only the size is that of the original.
func (l *lab) checkTFTP(ctx context.Context, server, name string) error {
	r, err := l.loadTFTP(ctx, name, "-check")
	if err != nil {
		return err
	}
	want, err := os.ReadFile(filepath.Join(l.files, bootProgram))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(want)
	if r.Bytes != int64(len(want)) || name == bootProgram && r.Sum != hex.EncodeToString(sum[:]) {
		return fmt.Errorf("%s sent another %s, of %d bytes", server, name, r.Bytes)
	}
	return nil
}
