package github_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts/github"
)

func TestReleaseAssetName(t *testing.T) {
	t.Parallel()

	tests := []struct {
		tag     string
		release github.Release
		want    string // of the kernel, without its end
	}{
		{"v2.3.0", github.Release{Flavor: "rockylinux"}, "core-rockylinux-v2.3.0"},
		{"v2.3.0", github.Release{Flavor: "rockylinux", Version: "v2.3.0-k3sv1.26.1+k3s1"}, "kairos-rockylinux-v2.3.0-k3sv1.26.1+k3s1"},
		{"v2.3.0", github.Release{Flavor: "rockylinux", Variant: "standard"}, "kairos-rockylinux-v2.3.0"},
		{"v2.3.99", github.Release{Flavor: "alpine"}, "core-alpine-v2.3.99"},
		{"v2.4.0-rc1", github.Release{Flavor: "alpine"}, "core-alpine-v2.4.0-rc1"},
		{"v2.4.0", github.Release{Flavor: "rockylinux"}, "kairos-core-rockylinux-amd64-generic-v2.4.0"},
		{"v2.4.1", github.Release{Flavor: "rockylinux", Platform: "arm64"}, "kairos-core-rockylinux-arm64-generic-v2.4.1"},
		{"v2.4.2-rc1", github.Release{Flavor: "rockylinux"}, "kairos-core-rockylinux-amd64-generic-v2.4.2-rc1"},
		{
			"v2.4.2",
			github.Release{Flavor: "rockylinux", FlavorRelease: "9", Version: "v2.4.2-k3sv1.26.1+k3s1"},
			"kairos-rockylinux-9-standard-amd64-generic-v2.4.2-k3sv1.26.1+k3s1",
		},
		{
			"v4.1.0",
			github.Release{Flavor: "hadron", FlavorRelease: "v0.2.0", Version: "v4.1.0-k3sv1.36.0+k3s1"},
			"kairos-hadron-v0.2.0-standard-amd64-generic-v4.1.0-k3sv1.36.0+k3s1",
		},
		{"v10.0.0", github.Release{Flavor: "x", FlavorRelease: "1"}, "kairos-x-1-core-amd64-generic-v10.0.0"},
		{"3.0.0", github.Release{Flavor: "x"}, "core-x-3.0.0"},
		{"master", github.Release{Flavor: "x"}, "core-x-master"},
	}
	for _, test := range tests {
		t.Run(test.tag+" "+test.want, func(t *testing.T) {
			t.Parallel()
			for what, end := range map[string]string{
				github.Kernel: "-kernel", github.Initrd: "-initrd", github.SquashFS: ".squashfs", github.ISO: ".iso",
			} {
				assert.Equal(t, test.want+end, test.release.AssetName(test.tag, what))
			}
			assert.Equal(t, "SHA256SUMS", test.release.AssetName(test.tag, "SHA256SUMS"))
		})
	}
	none := github.Release{Repository: "a/b"}
	assert.Equal(t, "kernel", none.AssetName("v3.0.0", "kernel"), "without a flavor names are those of assets")
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()

	_, err := github.New(github.Release{Repository: "kairos", Tag: "a b", Flavor: "../x"},
		github.WithBaseURL("ftp://x"), github.WithToken("a\nb"))
	require.ErrorContains(t, err, "base URL: want https://host")
	require.ErrorContains(t, err, "token with characters that no token has")
	_, err = github.New(github.Release{Repository: "kairos", Tag: "a b", Flavor: "../x"})
	require.ErrorContains(t, err, `repository "kairos" is not owner/name`)
	require.ErrorContains(t, err, `tag "a b" cannot exist`)
	require.ErrorContains(t, err, `flavor "../x" cannot be part of an asset's name`)
	_, err = github.New(github.Release{Repository: "a/b"}, github.WithBaseURL("http://github.example"), github.WithToken("x"))
	require.ErrorContains(t, err, "want https")
}

// FuzzRelease checks that no release makes the library ask for anything
// outside the repository's releases.
func FuzzRelease(f *testing.F) {
	f.Add("kairos-io/kairos", "v3.3.1", "v3.3.1-k3sv1.32.1+k3s1", "ubuntu", "24.04", "kernel")
	f.Add("a/..", "..", "", "", "", "../../x")
	f.Add("a/b", "v1/2%3?x#y", "%2e", "f", "", "x?y#z%2F..")
	f.Fuzz(func(t *testing.T, repository, tag, version, flavor, flavorRelease, name string) {
		client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			prefixes := []string{
				"https://api.github.com/repos/" + repository + "/releases/",
				"https://github.com/" + repository + "/releases/download/",
			}
			at := r.URL.String()
			if !strings.HasPrefix(at, prefixes[0]) && !strings.HasPrefix(at, prefixes[1]) || strings.Contains(r.URL.Path, "/../") || r.URL.RawQuery != "" {
				t.Errorf("asks for %s", at)
			}
			body := `{"message":"Not Found"}`
			status := http.StatusNotFound
			if r.URL.Host == "api.github.com" {
				status = http.StatusTooManyRequests
			}
			return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader(body)), Request: r, Header: http.Header{}}, nil
		})}
		src, err := github.New(github.Release{
			Repository: repository, Tag: tag, Version: version, Flavor: flavor, FlavorRelease: flavorRelease,
		}, github.WithHTTPClient(client))
		if err != nil {
			return
		}
		_, err = src.Stat(t.Context(), name)
		require.Error(t, err)
	})
}

type roundTripper func(r *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// FuzzAPI gives the source whatever an API could answer.
func FuzzAPI(f *testing.F) {
	f.Add([]byte(`{"id":7,"tag_name":"v1","assets":[{"name":"kernel","size":3,"digest":"sha256:x","browser_download_url":"https://x/y"}]}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, answer []byte) {
		client := &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(answer))), Request: r, Header: http.Header{}}, nil
		})}
		src, err := github.New(github.Release{Repository: "a/b"}, github.WithHTTPClient(client))
		require.NoError(t, err)
		info, err := src.Stat(t.Context(), "kernel")
		if err == nil {
			assert.Equal(t, "kernel", info.Name)
		}
	})
}
