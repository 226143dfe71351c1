package tftpd

import (
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestEngineGivesOneAckForEachPacket: the library may be sent nothing that it
// does not wait for, or a transfer that ends at that moment brings it down.
func TestEngineGivesOneAckForEachPacket(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		l, p := newPipe(t, 0)
		e := newEngine(l, false)
		buf := make([]byte, 600)
		n, _, err := e.ReadFrom(buf)
		require.NoError(t, err)
		assert.Equal(t, "\x00\x01-\x00octet\x00", string(buf[:n]))

		reads := make(chan string, 10)
		go func() {
			for {
				n, _, err := e.ReadFrom(buf)
				if err != nil {
					close(reads)
					return
				}
				reads <- string(buf[:n])
			}
		}()
		for block := byte(1); block <= 2; block++ {
			go func() {
				p.read()
				for _, junk := range []string{"\x00\x04\x00\x09", "\x00\x06tsize\x000\x00", "\x00\x01f\x00octet\x00", "x", "\x00\x04\x00\x00"} {
					_, _ = p.conn.Write([]byte(junk))
				}
				p.ack(int(block))
			}()
			_, err = e.WriteTo([]byte{0, opDATA, 0, block, 'x'}, nil)
			require.NoError(t, err)
			synctest.Wait()
			require.Len(t, reads, 1)
			assert.Equal(t, string([]byte{0, opACK, 0, block}), <-reads)
		}

		// An ERROR of the client ends the library's write, and is not passed on.
		go func() {
			p.read()
			_, _ = p.conn.Write([]byte("\x00\x05\x00\x00stop\x00"))
		}()
		_, err = e.WriteTo([]byte{0, opDATA, 0, 3}, nil)
		require.ErrorIs(t, err, ErrAborted)
		_, err = e.WriteTo([]byte("\x00\x05\x00\x01/srv/secret\x00"), nil)
		require.NoError(t, err, "the library's ERROR is swallowed: nobody reads the pipe")
		synctest.Wait()
		assert.Empty(t, reads)
		assert.EqualValues(t, 2, e.bytes)

		require.NoError(t, e.SetReadDeadline(time.Now()))
		require.NoError(t, e.SetReadDeadline(time.Now()))
		_, ok := <-reads
		assert.False(t, ok, "ReadFrom must return")
	})
}

func TestEngineRunReportsPanic(t *testing.T) {
	t.Parallel()

	l, _ := newPipe(t, 0)
	err := newEngine(l, false).run(readerFunc(func([]byte) (int, error) { panic("bad") }))
	var crash *panicError
	require.ErrorAs(t, err, &crash)
	assert.Contains(t, string(crash.stack), "engine_internal_test.go")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func TestReadAhead(t *testing.T) {
	t.Parallel()

	content := make([]byte, 3*readAheadSize+17)
	for i := range content {
		content[i] = byte(i % 253)
	}
	calls := 0
	r := &readAhead{size: int64(len(content)), buf: make([]byte, readAheadSize), file: fileFunc(func(p []byte, off int64) (int, error) {
		calls++
		return copy(p, content[off:]), nil
	})}
	p := make([]byte, 1468)
	for off := 0; off < len(content); off += len(p) {
		n, err := r.ReadAt(p, int64(off))
		if off+len(p) > len(content) {
			require.Error(t, err)
		} else {
			require.NoError(t, err)
		}
		require.Equal(t, content[off:off+n], p[:n])
	}
	assert.Equal(t, 4, calls)

	_, err := r.ReadAt(p, 5) // Back again, as after a loss.
	require.NoError(t, err)
	assert.Equal(t, content[5:5+len(p)], p)

	r.file = fileFunc(func([]byte, int64) (int, error) { return 3, os.ErrClosed })
	r.valid = nil
	_, err = r.ReadAt(p, 0)
	assert.True(t, errors.Is(err, os.ErrClosed))
}

type fileFunc func([]byte, int64) (int, error)

func (f fileFunc) ReadAt(p []byte, off int64) (int, error) { return f(p, off) }
func (f fileFunc) Size() int64                             { return 0 }
