package ipxe_test

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/oracle"
	"github.com/netbootkit/netbootkit/ipxe"
)

// TestTransferSendfile runs a download under strace: a file on disk must go
// from the page cache to the socket without passing through the process.
func TestTransferSendfile(t *testing.T) {
	if link := os.Getenv("NETBOOTKIT_TEST_SENDFILE"); link != "" {
		serveLarge(t)
		return
	}
	strace := oracle.Need(t, "strace")
	cmd := exec.CommandContext(t.Context(), strace, "-f", "-q", "-c", "-e", "trace=sendfile,write",
		os.Args[0], "-test.run", "^TestTransferSendfile$")
	cmd.Env = append(os.Environ(), "NETBOOTKIT_TEST_SENDFILE=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	var calls int
	for line := range bytes.Lines(out) {
		fields := bytes.Fields(line)
		if len(fields) > 4 && string(fields[len(fields)-1]) == "sendfile" {
			calls, err = strconv.Atoi(string(fields[3]))
			require.NoError(t, err)
		}
	}
	assert.GreaterOrEqual(t, calls, 16, "64 MiB in chunks of 4 MiB\n%s", out)
}

// serveLarge is what runs under strace.
func serveLarge(t *testing.T) {
	t.Helper()
	const size = 64 << 20
	b, _ := onDisk(t, size)
	events := make(chan ipxe.Event, 2)
	srv := newServer(t, b, ipxe.WithEventFunc(func(e ipxe.Event) { events <- e }))
	resp, err := http.Get(links(t, srv.URL)[0])
	require.NoError(t, err)
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	assert.EqualValues(t, size, n)
	<-events
	assert.Less(t, (<-events).Duration, time.Minute)
}
