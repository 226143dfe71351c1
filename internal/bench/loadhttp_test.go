//go:build linux

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHTTPLoadRun(t *testing.T) {
	t.Parallel()

	file := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/file" {
			http.NotFound(w, r)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(file))
	}))
	t.Cleanup(srv.Close)
	l := &httpLoad{url: srv.URL + "/file", local: netip.MustParseAddr("127.0.0.1"), clients: 3, seconds: 0.2}
	r, err := l.run(t.Context())
	require.NoError(t, err)
	assert.Positive(t, r.Count, "files")
	assert.GreaterOrEqual(t, r.Bytes, int64(r.Count*len(file)), "whole files, and parts of three")
	assert.Less(t, r.Bytes, int64((r.Count+3)*len(file))+1)
	assert.GreaterOrEqual(t, r.Seconds, 0.2)

	l.check = true
	r, err = l.run(t.Context())
	require.NoError(t, err)
	sum := sha256.Sum256(file)
	assert.Equal(t, hex.EncodeToString(sum[:]), r.Sum)

	for _, check := range []bool{false, true} {
		_, err = (&httpLoad{url: srv.URL + "/none", local: l.local, clients: 1, seconds: 0.1, check: check}).run(t.Context())
		require.ErrorContains(t, err, "404")
	}
}
