package vmtest

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

// A Process is a program that runs on a [Host].
type Process struct {
	Output *Transcript // what it printed, errors included

	name string
	cmd  *exec.Cmd
	done chan struct{} // closed when it ended
	err  error         // how; read after done
}

// start runs cmd and keeps it among the network's processes.
func (n *Network) start(cmd *exec.Cmd, name string) (*Process, error) {
	return n.startCopy(cmd, name, nil)
}

// startCopy also copies what the program prints to dst, unless that is nil.
func (n *Network) startCopy(cmd *exec.Cmd, name string, dst io.Writer) (*Process, error) {
	p, err := startProcess(cmd, name, dst)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	n.processes = append(n.processes, p)
	n.mu.Unlock()
	return p, nil
}

// startProcess runs cmd, which ends with this process at the latest.
func startProcess(cmd *exec.Cmd, name string, dst io.Writer) (*Process, error) {
	p := &Process{Output: newTranscript(dst), name: name, cmd: cmd, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = p.Output, p.Output
	cmd.WaitDelay = time.Second // For what a killed program has left running.
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("vmtest: %s: %w", name, err)
	}
	go func() {
		p.err = cmd.Wait()
		p.Output.end()
		close(p.done)
	}()
	return p, nil
}

// Signal sends the program a signal.
func (p *Process) Signal(sig os.Signal) error { return p.cmd.Process.Signal(sig) }

// Kill ends the program at once and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Wait waits until the program has ended by itself. The error says how, unless
// all went well.
func (p *Process) Wait(ctx context.Context) error {
	select {
	case <-p.done:
	case <-ctx.Done():
		return fmt.Errorf("vmtest: %s: %w:\n%s", p.name, context.Cause(ctx), p.Output.Tail())
	}
	if p.err != nil {
		return fmt.Errorf("vmtest: %s: %w:\n%s", p.name, p.err, p.Output.Tail())
	}
	return nil
}
