//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/netbootkit/netbootkit/internal/vmtest"
)

const (
	serverAddr  = "192.168.77.1"
	clientAddr  = "192.168.77.2" // of the host with all clients
	firstClient = "192.168.78.1" // of as many as maxClients
	maxClients  = 100
)

// A lab is where servers are compared: a network with a host for the server,
// one at a time, and one for its clients.
type lab struct {
	network    *vmtest.Network
	server     *vmtest.Host
	client     *vmtest.Host
	dir        string    // for logs
	files      string    // the folder that all servers serve
	self       string    // this program
	netboot    string    // the program that is compared
	rootfs     string    // the one that is compared in making root file systems
	isobuilder string    // the one that is compared in making ISO images
	rounds     int       // how often each is measured
	seconds    float64   // how long each time
	mebibytes  int       // how large the image is
	log        io.Writer // says how far it is
}

// newLab makes a lab. The caller closes it.
func newLab(ctx context.Context, l lab) (*lab, error) {
	var err error
	if l.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if l.netboot, err = filepath.Abs(l.netboot); err != nil {
		return nil, err
	}
	if l.rootfs, err = filepath.Abs(l.rootfs); err != nil {
		return nil, err
	}
	if l.isobuilder, err = filepath.Abs(l.isobuilder); err != nil {
		return nil, err
	}
	if _, err := os.Stat(l.netboot); err != nil {
		return nil, err
	}
	if l.network, err = vmtest.NewNetwork(ctx); err != nil {
		return nil, err
	}
	if err := l.prepare(ctx); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	if l.files, err = l.network.Dir("files"); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return &l, nil
}

// prepare makes all that loads need.
func (l *lab) prepare(ctx context.Context) error {
	for _, step := range []func(context.Context) error{l.equip, l.connect, l.address} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// equip adds the two hosts.
func (l *lab) equip(ctx context.Context) (err error) {
	if l.dir, err = l.network.Dir("bench"); err != nil {
		return err
	}
	if l.server, err = l.network.Host(ctx, "server"); err != nil {
		return err
	}
	l.client, err = l.network.Host(ctx, "clients")
	return err
}

// connect takes both hosts from the network and connects them with a cable of
// their own: a bridge between them takes time from those two who compete for
// the same processors.
func (l *lab) connect(ctx context.Context) error {
	for _, h := range []*vmtest.Host{l.server, l.client} {
		if err := command(ctx, h, "ip link del eth0"); err != nil {
			return err
		}
	}
	far := l.client.Command(ctx, "sleep", "infinity") // Its number names the host to ip.
	if err := far.Start(); err != nil {
		return err
	}
	defer func() { _ = errors.Join(far.Process.Kill(), far.Wait()) }()
	add := fmt.Sprintf("ip link add eth0 type veth peer name eth0 netns %d", far.Process.Pid)
	return errors.Join(command(ctx, l.server, add), command(ctx, l.server, "ip link set eth0 up"), command(ctx, l.client, "ip link set eth0 up"))
}

// address gives both hosts their addresses.
func (l *lab) address(ctx context.Context) error {
	errs := []error{command(ctx, l.server, "ip addr add "+serverAddr+"/16 dev eth0")}
	clients := []string{clientAddr}
	addr := netip.MustParseAddr(firstClient)
	for range maxClients {
		clients, addr = append(clients, addr.String()), addr.Next()
	}
	for _, addr := range clients {
		errs = append(errs, command(ctx, l.client, "ip addr add "+addr+"/16 dev eth0"))
	}
	// Broadcasts to 255.255.255.255 need to know where to.
	return errors.Join(append(errs, command(ctx, l.client, "ip route add default dev eth0"))...)
}

// command runs the words of a line on a host.
func command(ctx context.Context, h *vmtest.Host, line string) error {
	words := strings.Fields(line)
	if out, err := h.Command(ctx, words[0], words[1:]...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", line, err, bytes.TrimSpace(out))
	}
	return nil
}

// Close ends all that runs in the lab and removes it.
func (l *lab) Close() error { return l.network.Close() }

// say tells how far the benchmark is.
func (l *lab) say(format string, args ...any) { _, _ = fmt.Fprintf(l.log, format+"\n", args...) }

// duration returns how long a load lasts, as generators take it.
func (l *lab) duration() string { return strconv.FormatFloat(l.seconds, 'f', -1, 64) }

// load runs a generator on the clients' host.
func (l *lab) load(ctx context.Context, args ...string) (*loadResult, error) {
	cmd := l.client.Command(ctx, l.self, append([]string{"load"}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("load %s: %w: %s", strings.Join(args, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	r := new(loadResult)
	return r, json.Unmarshal(out, r)
}

// url returns the URL of what a server of HTTP has under path.
func (l *lab) url(path string) string {
	return fmt.Sprintf("http://%s:%d%s", serverAddr, httpPort, path)
}

// fetch returns a small file of a server of HTTP.
func (l *lab) fetch(ctx context.Context, url string) ([]byte, error) {
	out, err := l.client.Command(ctx, "curl", "-sS", "--fail", "--max-time", "5", url).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", url, err, out)
	}
	return out, nil
}

// A program is a server that runs.
type program struct {
	cmd  *exec.Cmd
	log  string // the file with what it prints
	done chan error
	next *program // one that runs beside it, or nil
}

// start starts a server on the server's host. What it prints goes to a file:
// reading it would be work.
func (l *lab) start(ctx context.Context, name string, args ...string) (*program, error) {
	log := filepath.Join(l.dir, filepath.Base(name)+".log")
	f, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // The program has it, too.
	p := &program{cmd: l.server.Command(ctx, name, args...), log: log, done: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = f, f
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.done <- p.cmd.Wait() }()
	return p, nil
}

// stop ends the server, and what runs beside it.
func (p *program) stop() {
	if p.next != nil {
		p.next.stop()
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-p.done:
		p.done <- err
	case <-time.After(time.Second):
		_ = p.cmd.Process.Kill()
		err := <-p.done
		p.done <- err
	}
}

// tail returns the last that the server printed.
func (p *program) tail() string {
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	text := string(data[max(0, len(data)-2000):])
	if p.next != nil {
		text += "\n" + p.next.tail()
	}
	return text
}

// A contender is a server in a comparison.
type contender struct {
	name  string
	start func(ctx context.Context) (*program, error)
	ready func(ctx context.Context) error // fails until the server serves rightly
	score func(ctx context.Context, p *program) error
}

// compete starts each contender in turn and measures it, round after round,
// each second one backwards, so that all meet the same weather.
func (l *lab) compete(ctx context.Context, contenders ...contender) error {
	for round := range l.rounds {
		order := slices.Clone(contenders)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, c := range order {
			l.say("  round %d of %d: %s", round+1, l.rounds, c.name)
			if err := l.measure(ctx, c); err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
		}
	}
	return nil
}

// measure starts a contender, waits until it serves, measures it and stops it.
func (l *lab) measure(ctx context.Context, c contender) error {
	p, err := c.start(ctx)
	if err != nil {
		return err
	}
	defer p.stop()
	if err = l.await(ctx, p, c.ready); err == nil {
		err = c.score(ctx, p)
	}
	if err != nil {
		return fmt.Errorf("%w\nit printed:\n%s", err, p.tail())
	}
	return nil
}

// await repeats ready until it does not fail, for some seconds.
func (l *lab) await(ctx context.Context, p *program, ready func(context.Context) error) error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := ready(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("does not serve: %w", err)
		}
		select {
		case end := <-p.done:
			p.done <- end
			return fmt.Errorf("ended: %w", errors.Join(end, err))
		case <-time.After(50 * time.Millisecond):
		}
	}
}
