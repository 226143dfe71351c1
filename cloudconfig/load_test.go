package cloudconfig_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/cloudconfig"
)

const small = "#cloud-config\nhostname: node\n"

func TestLoadFile(t *testing.T) {
	t.Parallel()

	name := filepath.Join(t.TempDir(), "config.yaml")
	require.NoError(t, os.WriteFile(name, []byte(small), 0o600))
	d, err := cloudconfig.Load(t.Context(), name)
	require.NoError(t, err)
	assert.Equal(t, small, string(d.Bytes()))

	_, err = cloudconfig.Load(t.Context(), filepath.Dir(name))
	require.ErrorContains(t, err, "is a directory")
	_, err = cloudconfig.Load(t.Context(), name+".old")
	require.ErrorIs(t, err, fs.ErrNotExist)
	assert.Equal(t, 1, strings.Count(err.Error(), name+".old"), "the name is said once")
}

func TestLoadFS(t *testing.T) {
	t.Parallel()

	fsys := fstest.MapFS{"oem/config.yaml": {Data: []byte(small)}}
	d, err := cloudconfig.Load(t.Context(), "oem/config.yaml", cloudconfig.WithFS(fsys))
	require.NoError(t, err)
	assert.Equal(t, small, string(d.Bytes()))
	_, err = cloudconfig.Load(t.Context(), "config.yaml", cloudconfig.WithFS(fsys))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestLoadStdin(t *testing.T) {
	t.Parallel()

	d, err := cloudconfig.Load(t.Context(), "-", cloudconfig.WithStdin(strings.NewReader(small)))
	require.NoError(t, err)
	assert.Equal(t, small, string(d.Bytes()))
	_, err = cloudconfig.Load(t.Context(), "-")
	require.ErrorContains(t, err, "standard input, and none was given")
}

func TestLoadURL(t *testing.T) {
	t.Parallel()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/config.yaml":
			_, _ = io.WriteString(w, small)
		case "/moved":
			http.Redirect(w, r, "/config.yaml", http.StatusFound)
		case "/large":
			_, _ = io.WriteString(w, small+strings.Repeat("# filler\n", 1<<17))
		case "/declared":
			w.Header().Set("Content-Length", "1048577")
		case "/cut":
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, small)
		case "/refused":
			w.WriteHeader(http.StatusForbidden)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(server.Close)

	for _, name := range []string{"/config.yaml", "/moved"} {
		d, err := cloudconfig.Load(t.Context(), server.URL+name)
		require.NoError(t, err, name)
		assert.Equal(t, small, string(d.Bytes()))
	}
	for name, want := range map[string]string{
		"/large":    "more than the limit of 1048576",
		"/declared": "has 1048577 bytes, more than the limit of 1048576",
		"/cut":      "unexpected EOF",
		"/refused":  "403 Forbidden",
		"/other":    "404 Not Found",
	} {
		_, err := cloudconfig.Load(t.Context(), server.URL+name+"?token=hunter2")
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, server.URL+name)
		assert.Equal(t, name == "/other", errors.Is(err, fs.ErrNotExist))
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestLoadURLWhenItHoldsSecrets(t *testing.T) {
	t.Parallel()

	for _, location := range []string{
		"http://admin:hunter2@127.0.0.1:1/?token=hunter2#hunter2",
		"HTTPS://127.0.0.1:1/?hunter2",
		"http://hunter2:%zz@[::1/?x=hunter2",
	} {
		_, err := cloudconfig.Load(t.Context(), location)
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "hunter2")
	}
	_, err := cloudconfig.Load(t.Context(), "ftp://192.0.2.1/config.yaml")
	require.ErrorContains(t, err, "only http and https")
}

func TestLoadWhenItIsTooLarge(t *testing.T) {
	t.Parallel()

	limit := cloudconfig.WithMaxSize(int64(len(small)))
	_, err := cloudconfig.Load(t.Context(), "-", cloudconfig.WithStdin(strings.NewReader(small)), limit)
	require.NoError(t, err)
	_, err = cloudconfig.Load(t.Context(), "-", cloudconfig.WithStdin(strings.NewReader(small+"\n")), limit)
	require.ErrorContains(t, err, "more than the limit of 29 bytes")
}

func TestLoadWhenNothingComes(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		t.Cleanup(func() { require.NoError(t, w.Close()) })
		start := time.Now()
		_, err := cloudconfig.Load(t.Context(), "-", cloudconfig.WithStdin(r), cloudconfig.WithTimeout(time.Minute))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "took longer than 1m0s")
		assert.Equal(t, time.Minute, time.Since(start))
	})
}

func TestLoadWhenItIsCanceled(t *testing.T) {
	t.Parallel()

	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	_, err := cloudconfig.Load(ctx, server.URL)
	require.ErrorIs(t, err, context.Canceled)
}

func TestLoadURLWhenItTakesTooLong(t *testing.T) {
	t.Parallel()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, small)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	_, err := cloudconfig.Load(t.Context(), server.URL, cloudconfig.WithTimeout(20*time.Millisecond))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "took longer than 20ms")
}

func TestLoadWithHTTPClient(t *testing.T) {
	t.Parallel()

	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, small)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.StartTLS()
	t.Cleanup(server.Close)
	d, err := cloudconfig.Load(t.Context(), server.URL, cloudconfig.WithHTTPClient(server.Client()))
	require.NoError(t, err)
	assert.Equal(t, small, string(d.Bytes()))
	_, err = cloudconfig.Load(t.Context(), server.URL)
	require.ErrorContains(t, err, "certificate")
}

func TestLoadWhenOptionsAreWrong(t *testing.T) {
	t.Parallel()

	_, err := cloudconfig.Load(t.Context(), "-", cloudconfig.WithMaxSize(0), cloudconfig.WithTimeout(0))
	require.ErrorContains(t, err, "size limit of 0 bytes")
	require.ErrorContains(t, err, "time limit 0s")
	_, err = cloudconfig.Parse(strings.NewReader(small), cloudconfig.WithMaxSize(65<<20))
	require.ErrorContains(t, err, "not in 1..64 MiB")
}

func TestParseErrors(t *testing.T) {
	t.Parallel()

	const empty = "cloudconfig: parse: the document is empty"
	for _, test := range []struct{ text, want string }{
		{"", empty},
		{" \r\n\t", empty},
		{"#cloud-config\nx: \x00", `cloudconfig: parse: line 2, column 4: the document is binary in "x: ***"`},
		{"#cloud-config\nä: \xff", `cloudconfig: parse: line 2, column 4: the document is binary in "ä: ***"`},
		{"\x1f\x8b\x08", `cloudconfig: parse: line 1, column 2: the document is binary in "***"`},
		{"\xff\xfe#\x00", `cloudconfig: parse: line 1, column 1: the document is UTF-16, want UTF-8 in "***"`},
		{"\xef\xbb\xbf#cloud-config\n", `cloudconfig: parse: line 1, column 1: a byte order mark hides the line #cloud-config in "***"`},
		{"#!/bin/sh\n", `cloudconfig: parse: line 1, column 1: the line #cloud-config is missing at the start in "***"`},
		{"\n\nhostname: a\n#cloud-config", `cloudconfig: parse: line 3, column 1: the line #cloud-config is missing at the start in "hostname: ***"`},
		{"# cloud-config\n", `cloudconfig: parse: line 1, column 1: the line #cloud-config is missing at the start in "***"`},
		{"#cloud-config-archive\n", `cloudconfig: parse: line 1, column 1: the line #cloud-config is missing at the start in "***"`},
		{"## template: jinja\nhostname: a", `cloudconfig: parse: line 1, column 1: the line #cloud-config is missing at the start in "***"`},
		{"#cloud-config\nusers:\n  - name: a\n   passwd: hunter2\n", `cloudconfig: parse: line 4, column 4: did not find expected '-' indicator in "passwd: ***"`},
		{"#cloud-config\nusers:\n\t- name: hunter2\n", `cloudconfig: parse: line 3, column 1: found character that cannot start any token in "\t- name: ***"`},
		{"#cloud-config\npasswd: *hunter2\n", `cloudconfig: parse: line 2, column 10: an alias (*name) has no anchor (&name); quote a text that starts with * in "passwd: ***"`},
		{"#cloud-config\npasswd: \"hunter2\nhostname: a\n", `cloudconfig: parse: line 2, column 9: found unexpected end of stream in "passwd: ***"`},
		{"#cloud-config\npasswd: @hunter2\n", `cloudconfig: parse: line 2, column 9: found character that cannot start any token in "passwd: ***"`},
		{"#cloud-config\npasswd hunter2: {\n", `cloudconfig: parse: line 2, column 17: did not find expected node content in "***"`},
		{"#cloud-config\na: 1\n---\nb: 2\n", `cloudconfig: parse: line 3, column 3: a second document starts, and machines read only one in "***"`},
	} {
		_, err := cloudconfig.Parse(strings.NewReader(test.text))
		assert.EqualError(t, err, test.want)
	}
}

func TestParseHeader(t *testing.T) {
	t.Parallel()

	for _, text := range []string{
		"#cloud-config", "\n\n#cloud-config\n", "#Cloud-Config\r\nhostname: a\r\n", "#cloud-config # mine\n---\nhostname: a\n",
		"## template: jinja\n#cloud-config\n{% if v1 %}\na: {{ b }}\n{% endif %}\n",
	} {
		_, err := cloudconfig.Parse(strings.NewReader(text))
		require.NoError(t, err, text)
	}
	_, err := cloudconfig.Parse(strings.NewReader("## template: jinja\n"))
	require.ErrorIs(t, err, cloudconfig.ErrNoHeader)
}

// TestParsePosition puts a fault on each line of a document in turn.
func TestParsePosition(t *testing.T) {
	t.Parallel()

	lines := strings.Split(strings.Repeat("# comment\nkey: [a,\n  b]\nlist:\n- {a: b}\n- \"ä\n  ö\"\n\n", 40), "\n")
	for i, line := range lines {
		if i == 0 || strings.HasPrefix(lines[i-1], "- \"") || strings.HasPrefix(lines[i-1], "key") {
			continue // The fault would be a part of a text or a list.
		}
		bad := slices.Clone(lines)
		bad[i] = "ö: @x"
		_, err := cloudconfig.Parse(strings.NewReader("#cloud-config\n" + strings.Join(bad, "\n")))
		var e *cloudconfig.Error
		require.ErrorAs(t, err, &e, "instead of %q", line)
		assert.Equal(t, []int{i + 2, 4}, []int{e.Line, e.Column}, "instead of %q", line)
		assert.Equal(t, "ö: ***", e.Text)
	}
}
