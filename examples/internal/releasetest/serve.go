package releasetest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"testing"

	"github.com/stretchr/testify/require"
)

// Repository is whose release is served.
const Repository = "kairos-io/kairos"

// Serve serves a release that has the given files, by their names, until the
// test ends. It returns the URL to give to github.WithBaseURL.
func Serve(t *testing.T, tag string, files map[string][]byte) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	var assets []map[string]any
	for name, data := range files {
		url := path.Join("/", Repository, "releases/download", tag, name)
		mux.HandleFunc("GET "+url, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(data) })
		assets = append(assets, map[string]any{
			"id": len(assets), "name": name, "size": len(data), "state": "uploaded", "browser_download_url": server.URL + url,
			"digest": fmt.Sprintf("sha256:%x", sha256.Sum256(data)),
		})
	}
	answer, err := json.Marshal(map[string]any{"id": 1, "tag_name": tag, "assets": assets})
	require.NoError(t, err)
	for _, which := range []string{"latest", "tags/" + tag} {
		mux.HandleFunc("GET /api/v3/repos/"+Repository+"/releases/"+which, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(answer) })
	}
	return server.URL
}
