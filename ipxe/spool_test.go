package ipxe_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/ipxe"
)

// roundTrip is a server without a network, so that time can be faked.
type roundTrip func(r *http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func respond(status int, body string, headers ...string) *http.Response {
	resp := &http.Response{
		StatusCode: status, Header: make(http.Header), Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
	for i := 0; i < len(headers); i += 2 {
		resp.Header.Set(headers[i], headers[i+1])
	}
	return resp
}

func apiOver(t *testing.T, f roundTrip) *ipxe.API {
	t.Helper()
	return newAPI(t, "http://a.example", ipxe.WithAPIClient(&http.Client{Transport: f}))
}

func content(t *testing.T, api *ipxe.API) (string, error) {
	t.Helper()
	f, err := api.OpenBootFile(t.Context(), "api:http://a.example/k")
	if err != nil {
		return "", err
	}
	defer f.(io.Closer).Close()
	body, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	synctest.Wait() // The download has ended, too.
	return string(body), err
}

func TestAPIAsksWhetherAFileChanged(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		version, away, asked := `"v1"`, false, 0
		api := apiOver(t, func(r *http.Request) (*http.Response, error) {
			asked++
			switch {
			case away:
				return nil, errors.New("no route to host")
			case r.Header.Get("If-None-Match") == version:
				return respond(http.StatusNotModified, ""), nil
			default:
				return respond(http.StatusOK, "content of "+version, "ETag", version), nil
			}
		})
		expect := func(want string, requests int) {
			t.Helper()
			got, err := content(t, api)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			assert.Equal(t, requests, asked)
		}
		expect(`content of "v1"`, 1)
		time.Sleep(29 * time.Second)
		expect(`content of "v1"`, 1)
		time.Sleep(2 * time.Second)
		expect(`content of "v1"`, 2)
		time.Sleep(time.Second)
		expect(`content of "v1"`, 2)
		version = `"v2"`
		time.Sleep(time.Minute)
		expect(`content of "v2"`, 3)
		away = true
		time.Sleep(time.Minute)
		expect(`content of "v2"`, 4)
		expect(`content of "v2"`, 4)
		away = false
		time.Sleep(time.Minute)
		expect(`content of "v2"`, 5)
	})
}

func TestAPIFetchesAgainAfterFailure(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		asked := 0
		api := apiOver(t, func(*http.Request) (*http.Response, error) {
			if asked++; asked == 1 {
				resp := respond(http.StatusOK, "")
				resp.ContentLength = 10
				resp.Body = io.NopCloser(io.MultiReader(strings.NewReader("half"), errReader{}))
				return resp, nil
			}
			return respond(http.StatusOK, "all of it"), nil
		})
		_, err := content(t, api)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		got, err := content(t, api)
		require.NoError(t, err)
		assert.Equal(t, "all of it", got)
	})
}

type errReader struct{}

func (errReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAPINotReady(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		// The server says nothing at all.
		silent := apiOver(t, func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		start := time.Now()
		_, err := content(t, silent)
		require.ErrorIs(t, err, ipxe.ErrNotReady)
		assert.Equal(t, 5*time.Second, time.Since(start))

		// The size is not known before the end.
		r, w := io.Pipe()
		chunked := apiOver(t, func(*http.Request) (*http.Response, error) {
			resp := respond(http.StatusOK, "")
			resp.ContentLength, resp.Body = -1, r
			return resp, nil
		})
		_, err = content(t, chunked)
		require.ErrorIs(t, err, ipxe.ErrNotReady)
		io.WriteString(w, "content")
		w.Close()
		got, err := content(t, chunked)
		require.NoError(t, err)
		assert.Equal(t, "content", got, "the download went on")
	})
}

func TestAPISurvivesTheFirstWhoAsks(t *testing.T) {
	t.Parallel()

	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		api := apiOver(t, func(*http.Request) (*http.Response, error) {
			<-release
			return respond(http.StatusOK, `{"kernel": "k"}`), nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = api.BootSpec(ctx, &ipxe.Machine{MAC: mac(t)}) }()
		synctest.Wait()
		cancel()
		go close(release)
		spec, err := api.BootSpec(t.Context(), &ipxe.Machine{MAC: mac(t)})
		require.NoError(t, err)
		assert.Equal(t, "api:http://a.example/k", spec.Kernel)
	})
}
