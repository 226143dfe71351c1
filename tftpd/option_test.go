package tftpd_test

import (
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/tftpd"
)

func TestNewServerErrors(t *testing.T) {
	t.Parallel()

	_, err := tftpd.NewServer(nil)
	require.EqualError(t, err, "tftpd: nil Handler")

	_, err = tftpd.NewServer(tftpd.FS(patterns()),
		tftpd.WithLogger(nil), tftpd.WithTransferFunc(nil),
		tftpd.WithMaxBlockSize(4), tftpd.WithMaxWindow(40_000), tftpd.WithTimeout(time.Hour), tftpd.WithRetries(0),
		tftpd.WithMaxTransfers(0), tftpd.WithMaxTransfersPerClient(-1), tftpd.WithGracePeriod(-time.Second))
	const want = "tftpd: logger is nil\n" +
		"transfer function is nil\n" +
		"block size 4 not in 8..65464 (RFC 2348)\n" +
		"window 40000 not in 1..32767\n" +
		"timeout 1h0m0s not in 10ms..255s\n" +
		"retries 0 not in 1..1000\n" +
		"transfers 0 less than 1\n" +
		"transfers per client -1 less than 1\n" +
		"grace period -1s less than 0"
	require.EqualError(t, err, want)
}

func TestErrorMatchesCause(t *testing.T) {
	t.Parallel()

	err := error(&tftpd.Error{Op: "open", Name: "x", Err: fs.ErrNotExist})
	require.ErrorIs(t, err, fs.ErrNotExist)
	var got *tftpd.Error
	require.ErrorAs(t, err, &got)
	assert.Equal(t, "open", got.Op)
}
