package tftpd_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/internal/tftpclient"
	"github.com/netbootkit/netbootkit/tftpd"
)

// A socket is a client that says what a test tells it to.
type socket struct {
	t    *testing.T
	conn *net.UDPConn
}

func newSocket(t *testing.T) socket {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return socket{t, conn}
}

func (s socket) send(to netip.AddrPort, packet string) {
	s.t.Helper()
	_, err := s.conn.WriteToUDPAddrPort([]byte(packet), to)
	require.NoError(s.t, err)
}

// read returns the next packet, "" if none comes in the given time.
func (s socket) read(wait time.Duration) (packet string, from netip.AddrPort) {
	s.t.Helper()
	require.NoError(s.t, s.conn.SetReadDeadline(time.Now().Add(wait)))
	buf := make([]byte, 65536)
	n, from, err := s.conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		return "", from
	}
	return string(buf[:n]), from
}

// want reads one packet, which must be the one given.
func (s socket) want(packet string) netip.AddrPort {
	s.t.Helper()
	got, from := s.read(5 * time.Second)
	require.Equal(s.t, packet, got)
	return from
}

func rrq(name string, options ...string) string {
	p := "\x00\x01" + name + "\x00octet\x00"
	for _, o := range options {
		p += o + "\x00"
	}
	return p
}

func TestServerServeAnswers(t *testing.T) {
	t.Parallel()

	const secret = "/srv/secret/path"
	h := tftpd.HandlerFunc(func(ctx context.Context, name string, peer netip.AddrPort) (tftpd.File, error) {
		switch name {
		case "forbidden":
			return nil, &fs.PathError{Op: "open", Path: secret, Err: fs.ErrPermission}
		case "broken":
			return nil, errors.New("database at " + secret + " is down")
		case "panic":
			panic(secret)
		case "nil":
			return nil, nil //nolint:nilnil // This is what is tested.
		}
		return tftpd.FS(fstest.MapFS{"boot/f": {Data: []byte("hello")}}).OpenTFTP(ctx, name, peer)
	})
	const (
		data     = "\x00\x03\x00\x01hello"
		notFound = "\x00\x05\x00\x01file not found\x00"
		access   = "\x00\x05\x00\x02access violation\x00"
		illegal  = "\x00\x05\x00\x04illegal operation\x00"
		unknown  = "\x00\x05\x00\x05unknown transfer ID\x00"
		failed   = "\x00\x05\x00\x00transfer failed\x00"
	)
	tests := []struct {
		name, request, want string
	}{
		{"file", rrq("boot/f"), data},
		{"leading slash", rrq("/boot/f"), data},
		{"backslashes", rrq(`\boot\f`), data},
		{"0xFF after the name", rrq("boot/f\xff"), data},
		{"mode in capitals", "\x00\x01boot/f\x00OcTeT\x00", data},
		{"option in capitals", rrq("boot/f", "TSIZE", "0"), "\x00\x06tsize\x005\x00"},
		{"unknown option", rrq("boot/f", "msftwindow", "31416"), data},
		{"timeout", rrq("boot/f", "timeout", "9"), "\x00\x06timeout\x009\x00"},
		{"missing", rrq("none"), notFound},
		{"directory", rrq("boot"), notFound},
		{"root", rrq("/"), notFound},
		{"forbidden", rrq("forbidden"), access},
		{"broken", rrq("broken"), failed},
		{"panic", rrq("panic"), failed},
		{"no file", rrq("nil"), failed},
		{"write", "\x00\x02boot/f\x00octet\x00", access},
		{"mail", "\x00\x01boot/f\x00mail\x00", illegal},
		{"ACK", "\x00\x04\x00\x01", unknown},
	}
	srv := startHandler(t, h)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			s := newSocket(t)
			s.send(srv.port, tt.request)
			got, _ := s.read(5 * time.Second)
			assert.Equal(t, tt.want, got, "reply to %q", tt.request)
		})
	}
}

func TestServerServeKeepsSilent(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(5))
	for name, noise := range map[string]string{
		"ERROR":    "\x00\x05\x00\x00stop\x00",
		"nothing":  "",
		"noise":    "\xff\xff\xff\xff\xff",
		"opcode 9": "\x00\x09aaaaaaa\x00",
		"too long": rrq(strings.Repeat("a", 600)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			s := newSocket(t)
			s.send(srv.port, noise)
			s.send(srv.port, rrq("none"))
			s.want("\x00\x05\x00\x01file not found\x00") // And nothing before it.
		})
	}
}

func TestServerServeReportsProbe(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(5000))
	c := tftpclient.Client{Size: true, BlockSize: 1468, Window: 4, Probe: true}
	res, err := c.Get(t.Context(), srv.addr, "5000", io.Discard)
	require.NoError(t, err)
	assert.Equal(t, map[string]int64{"tsize": 5000, "blksize": 1468, "windowsize": 4}, res.Options)
	tr := srv.next(t)
	require.NoError(t, tr.Err)
	assert.True(t, tr.Probe)
	assert.Equal(t, "5000", tr.Name)
	assert.EqualValues(t, 5000, tr.Size)
	assert.Zero(t, tr.Bytes)
}

func TestServerServeReportsTransfer(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(5000))
	c := tftpclient.Client{BlockSize: 1024, Window: 2}
	_, err := c.Get(t.Context(), srv.addr, "5000", io.Discard)
	require.NoError(t, err)
	tr := srv.next(t)
	assert.True(t, tr.Peer.Addr().IsLoopback())
	assert.Positive(t, tr.Duration)
	tr.Peer, tr.Duration = netip.AddrPort{}, 0
	assert.Equal(t, tftpd.Transfer{Name: "5000", Size: 5000, Bytes: 5000, BlockSize: 1024, Window: 2}, tr)
}

// TestServerServeWhenClientAborts: the ERROR is reported and not answered, and
// after data has been asked for it is no probe.
func TestServerServeWhenClientAborts(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(5000))
	for name, options := range map[string][]string{"plain": nil, "options": {"tsize", "0"}} {
		t.Run(name, func(t *testing.T) {
			s := newSocket(t)
			s.send(srv.port, rrq("5000", options...))
			_, from := s.read(5 * time.Second)
			if options != nil {
				s.send(from, "\x00\x04\x00\x00")
				_, from = s.read(5 * time.Second)
			}
			s.send(from, "\x00\x05\x00\x03disk full\x00")
			tr := srv.next(t)
			require.ErrorIs(t, tr.Err, tftpd.ErrAborted)
			require.ErrorContains(t, tr.Err, "disk full")
			assert.False(t, tr.Probe)
			got, _ := s.read(50 * time.Millisecond)
			assert.Empty(t, got, "an ERROR must not be answered (RFC 1350 §2)")
		})
	}
}

func TestServerServeIgnoresStrangers(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(600))
	for name, options := range map[string][]string{"plain": nil, "options": {"blksize", "512"}} {
		t.Run(name, func(t *testing.T) {
			s, stranger := newSocket(t), newSocket(t)
			s.send(srv.port, rrq("600", options...))
			_, from := s.read(5 * time.Second)
			stranger.send(from, "\x00\x05\x00\x00stop\x00")
			stranger.send(from, "\x00\x04\x00\x01")
			if options != nil {
				s.send(from, "\x00\x04\x00\x00")
				s.read(5 * time.Second)
			}
			s.send(from, "\x00\x04\x00\x01")
			data, _ := s.read(5 * time.Second)
			assert.Equal(t, "\x00\x03\x00\x02"+string(pattern(600)[512:]), data)
			s.send(from, "\x00\x04\x00\x02")
			tr := srv.next(t)
			require.NoError(t, tr.Err)
		})
	}
}

func TestServerServeCollapsesRepeatedRequests(t *testing.T) {
	t.Parallel()

	opened := make(chan string, 100)
	h := tftpd.HandlerFunc(func(_ context.Context, name string, _ netip.AddrPort) (tftpd.File, error) {
		opened <- name
		return bytes.NewReader(pattern(600)), nil
	})
	srv := startHandler(t, h)
	s := newSocket(t)
	for range 10 {
		s.send(srv.port, rrq("f"))
	}
	_, first := s.read(5 * time.Second)
	s.send(first, "\x00\x04\x00\x01")
	data, from := s.read(5 * time.Second)
	assert.Equal(t, first, from)
	assert.Equal(t, "\x00\x03\x00\x02", data[:4], "the first block must have come once")
	s.send(first, "\x00\x04\x00\x02")
	require.NoError(t, srv.next(t).Err)
	assert.Len(t, opened, 1)
}

// TestServerServeWhenPortIsUsedAgain: firmware with one port for all asks for
// the next file before the server has noticed the end of the last.
func TestServerServeWhenPortIsUsedAgain(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(600, 5))
	s := newSocket(t)
	s.send(srv.port, rrq("600"))
	_, old := s.read(5 * time.Second)
	s.send(srv.port, rrq("5"))
	from := s.want("\x00\x03\x00\x01" + string(pattern(5)))
	assert.NotEqual(t, old, from)
	s.send(from, "\x00\x04\x00\x01")
	failed := 0
	for range 2 {
		if tr := srv.next(t); tr.Name == "600" {
			require.ErrorIs(t, tr.Err, tftpd.ErrSuperseded)
			failed++
		} else {
			require.NoError(t, tr.Err)
		}
	}
	assert.Equal(t, 1, failed)
}

func TestServerServeWhenFileFails(t *testing.T) {
	t.Parallel()

	files := map[string]tftpd.File{
		"shrinks": io.NewSectionReader(strings.NewReader("0123456789"), 0, 5000),
		"fails":   file{size: 5000, read: func() error { return errors.New("disk /dev/sda failed") }},
		"panics":  file{size: 5000, read: func() error { panic("bad file") }},
	}
	h := tftpd.HandlerFunc(func(_ context.Context, name string, _ netip.AddrPort) (tftpd.File, error) {
		return files[name], nil
	})
	for name := range files {
		for _, c := range []tftpclient.Client{{}, {BlockSize: 600}, {Window: 3}, {Mode: "netascii"}} {
			t.Run(fmt.Sprintf("%s/%+v", name, c), func(t *testing.T) {
				t.Parallel()

				srv := startHandler(t, h)
				_, err := c.Get(t.Context(), srv.addr, name, io.Discard)
				var told *tftpclient.Error
				require.ErrorAs(t, err, &told)
				assert.Equal(t, tftpclient.Error{Code: 0, Text: "transfer failed"}, *told)
				tr := srv.next(t)
				require.Error(t, tr.Err)
				assert.Zero(t, tr.Bytes)
			})
		}
	}
}

// A file calls read instead of being read.
type file struct {
	size int64
	read func() error
}

func (f file) Size() int64                       { return f.size }
func (f file) ReadAt([]byte, int64) (int, error) { return 0, f.read() }

func TestServerServeLogsPanic(t *testing.T) {
	t.Parallel()

	var log bytes.Buffer
	h := tftpd.HandlerFunc(func(context.Context, string, netip.AddrPort) (tftpd.File, error) { panic("oh") })
	srv := startHandler(t, h, tftpd.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
	s := newSocket(t)
	s.send(srv.port, rrq("f"))
	s.want("\x00\x05\x00\x00transfer failed\x00")
	tr := srv.next(t)
	require.ErrorContains(t, tr.Err, "panic: oh")
	assert.Contains(t, log.String(), "level=ERROR")
	assert.Contains(t, log.String(), "answer_test.go", "the stack")
}

func TestServerServeNetascii(t *testing.T) {
	t.Parallel()

	text := "one\ntwo\rthree\r\n" + strings.Repeat("line\n", 1000)
	srv := start(t, fstest.MapFS{"text": {Data: []byte(text)}})
	var got bytes.Buffer
	c := tftpclient.Client{Mode: "NetASCII", BlockSize: 1468, Window: 8, Size: true}
	res, err := c.Get(t.Context(), srv.addr, "text", &got)
	require.NoError(t, err)
	assert.Empty(t, res.Options)
	want := strings.NewReplacer("\n", "\r\n", "\r", "\r\x00").Replace(text)
	assert.Equal(t, want, got.String())
}

func TestServerServeRollsBlockNumbersOver(t *testing.T) {
	t.Parallel()

	const blocks = 65536 + 10
	for name, tt := range map[string]struct {
		client tftpclient.Client
		size   int
	}{
		"plain":       {tftpclient.Client{}, 512 * blocks},
		"small block": {tftpclient.Client{BlockSize: 8}, 8 * blocks},
		"window":      {tftpclient.Client{BlockSize: 16, Window: 64}, 16 * blocks},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			srv := start(t, patterns(tt.size))
			var got bytes.Buffer
			_, err := tt.client.Get(t.Context(), srv.addr, fmt.Sprint(tt.size), &got)
			require.NoError(t, err)
			require.True(t, bytes.Equal(pattern(tt.size), got.Bytes()), "content differs")
		})
	}
}

// TestServerServeWhenClientStartsAnew: a machine was reset in the middle of a
// transfer, and its firmware asks again from the same port.
func TestServerServeWhenClientStartsAnew(t *testing.T) {
	t.Parallel()

	srv := start(t, patterns(600))
	s := newSocket(t)
	s.send(srv.port, rrq("600"))
	_, old := s.read(5 * time.Second)
	s.send(old, "\x00\x04\x00\x01")
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		s.send(srv.port, rrq("600"))
		if got, from := s.read(5 * time.Second); from != old {
			assert.Equal(t, "\x00\x03\x00\x01", got[:4])
			require.ErrorIs(t, srv.next(t).Err, tftpd.ErrSuperseded)
			return
		}
	}
	require.Fail(t, "the repeated request is never served")
}

func TestServerServeWhenClientIsGone(t *testing.T) {
	t.Parallel()

	if runtime.GOOS != "linux" {
		t.Skip("only Linux passes on at once what ICMP says")
	}
	srv := start(t, patterns(600))
	s := newSocket(t)
	s.send(srv.port, rrq("600"))
	_, from := s.read(5 * time.Second)
	s.send(from, "\x00\x04\x00\x01")
	s.read(5 * time.Second)
	require.NoError(t, s.conn.Close())
	begin := time.Now()
	require.ErrorIs(t, srv.next(t).Err, tftpd.ErrAborted)
	assert.Less(t, time.Since(begin), 5*time.Second, "before the timeouts are over")
}
