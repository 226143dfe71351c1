package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/examples/internal/cli"
)

// TestMainIsInterrupted lets a program clean up, whichever signal ends it. Each is
// this test in a process of its own.
func TestMainIsInterrupted(t *testing.T) {
	if os.Getenv("NETBOOTKIT_TEST_MAIN") != "" {
		cli.Main("x", func(ctx context.Context, _ []string, _ io.Reader, stdout, _ io.Writer) error {
			fmt.Fprintln(stdout, "ready")
			<-ctx.Done()
			fmt.Fprintln(stdout, "cleaned up")
			return ctx.Err()
		})
		return
	}
	for _, sig := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(sig) {
			continue // Who started the test wants it so, such as nohup.
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMainIsInterrupted$")
		cmd.Env = append(os.Environ(), "NETBOOTKIT_TEST_MAIN=1")
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		require.True(t, lines.Scan())
		require.NoError(t, cmd.Process.Signal(sig))
		assert.True(t, lines.Scan(), sig)
		assert.Equal(t, "cleaned up", lines.Text(), sig)
		require.Error(t, cmd.Wait())
		assert.Equal(t, 1, cmd.ProcessState.ExitCode(), sig)
	}
}
