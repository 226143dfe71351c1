package vmtest

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTranscriptAwait(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		tr := newTranscript(nil)
		go func() {
			for _, text := range []string{"one\r\ntw", "o\r\n", "three\r\n"} {
				time.Sleep(time.Second)
				n, err := tr.Write([]byte(text))
				assert.Equal(t, len(text), n)
				assert.NoError(t, err)
			}
			tr.end()
		}()
		require.NoError(t, tr.Await(t.Context(), `(?m)^two$`))
		assert.Equal(t, 2*time.Second, time.Since(start))
		at, ok := tr.Time(`two\n`)
		assert.True(t, ok)
		assert.Equal(t, start.Add(2*time.Second), at)
		_, ok = tr.Time(`three`)
		assert.False(t, ok)

		require.ErrorContains(t, tr.Await(t.Context(), `four`), "ended without printing four:\none\ntwo\nthree\n")
		require.NoError(t, tr.Await(t.Context(), `three`), "what was printed stays")
	})
}

func TestTranscriptAwaitWhenCancelled(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("too slow")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, cause)
		defer cancel()
		require.ErrorIs(t, newTranscript(nil).Await(ctx, `x`), cause)
	})
}

func TestPlain(t *testing.T) {
	t.Parallel()

	var b bytes.Buffer
	w := Plain(&b)
	for _, text := range []string{
		"\x1b[2J\x1b[01;01H\x1b[=3h\r\n", "\r\n\r\n>>Start\tHTTP Boot\r\n",
		"\r  Downloading...1%\r  Downl", "oading...100%BdsDxe: loading\n",
		"GUEST-BEGIN cmdline\ncXVp\nZXQK\nGUEST-END cmdline\n", "no line break",
	} {
		_, err := w.Write([]byte(text))
		require.NoError(t, err)
	}
	assert.Equal(t, "\n>>StartHTTP Boot\nBdsDxe: loading\nguest: cmdline:\nquiet\n", b.String())
}
