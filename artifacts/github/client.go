package github

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/artifacts"
)

// newClient returns the client whose requests to the API are as it wants
// them.
func (s *Source) newClient() *http.Client {
	client := artifacts.NewHTTPClient()
	if s.cfg.client != nil {
		c := *s.cfg.client
		client = &c
	}
	if client.Transport == nil {
		client.Transport = http.DefaultTransport //nolint:forbidigo // It is what the caller's client would use.
	}
	api, err := url.Parse(s.cfg.api())
	if err != nil {
		api = new(url.URL) // It was checked.
	}
	client.Transport = &transport{base: client.Transport, api: api, token: s.cfg.token}
	return client
}

// A transport adds to requests what only the API may see. It is asked about
// each request of a chain of redirects anew, so that none passes it on.
type transport struct {
	base  http.RoundTripper
	api   *url.URL
	token string
}

// RoundTrip implements [http.RoundTripper].
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.isAPI(r.URL) {
		return t.base.RoundTrip(r)
	}
	r = r.Clone(r.Context())
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	r.Header.Set("Accept", "application/vnd.github+json")
	if strings.Contains(r.URL.Path, "/releases/assets/") {
		r.Header.Set("Accept", "application/octet-stream") // The content, not what is known about it.
	}
	if t.token != "" {
		r.Header.Set("Authorization", "Bearer "+t.token)
	}
	resp, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if limit := t.limited(resp); limit != nil {
		resp.Body.Close()
		return nil, limit
	}
	return resp, nil
}

func (t *transport) isAPI(u *url.URL) bool {
	return u.Scheme == t.api.Scheme && u.Host == t.api.Host && strings.HasPrefix(u.Path, t.api.Path+"/")
}

// limited returns the rate limit that an answer speaks of, or nil. GitHub
// sends 403 or 429, and either what is left of the hour or how long to wait.
func (t *transport) limited(resp *http.Response) *RateLimitError {
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return nil
	}
	e := &RateLimitError{Token: t.token != ""}
	wait, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err == nil {
		e.Reset = time.Now().Add(time.Duration(wait) * time.Second)
		return e
	}
	if resp.Header.Get("X-Ratelimit-Remaining") != "0" && resp.StatusCode == http.StatusForbidden {
		return nil
	}
	e.Limit, _ = strconv.Atoi(resp.Header.Get("X-Ratelimit-Limit"))
	if reset, err := strconv.ParseInt(resp.Header.Get("X-Ratelimit-Reset"), 10, 64); err == nil {
		e.Reset = time.Unix(reset, 0)
	}
	return e
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
