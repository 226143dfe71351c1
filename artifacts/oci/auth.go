package oci

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/netbootkit/netbootkit/artifacts"
)

// credentials makes a keychain of a function.
type credentials func(ctx context.Context, host string) (user, secret string, err error)

// anonymous is the function that has no credentials.
func anonymous(context.Context, string) (user, secret string, err error) { return "", "", nil }

// Resolve implements [authn.Keychain].
func (c credentials) Resolve(r authn.Resource) (authn.Authenticator, error) {
	return c.ResolveContext(context.Background(), r)
}

// ResolveContext implements [authn.ContextKeychain].
func (c credentials) ResolveContext(ctx context.Context, r authn.Resource) (authn.Authenticator, error) {
	host := r.RegistryStr()
	if host == name.DefaultRegistry {
		host = hub
	}
	user, secret, err := c(ctx, host)
	switch {
	case err != nil:
		return nil, err
	case user == "" && secret == "":
		return authn.Anonymous, nil
	case user == "<token>":
		return authn.FromConfig(authn.AuthConfig{IdentityToken: secret}), nil
	}
	return authn.FromConfig(authn.AuthConfig{Username: user, Password: secret}), nil
}

// A gate is how requests get to a registry: over TLS, unless plain HTTP is
// permitted, and with credentials once the registry asked for them. Requests
// to other hosts, where registries redirect to, pass without credentials.
type gate struct {
	inner    http.RoundTripper
	repo     name.Repository
	keychain authn.Keychain
	plain    bool

	http  atomic.Bool                       // the registry is known not to speak TLS
	login atomic.Pointer[http.RoundTripper] // what adds credentials, once there are
	turn  chan struct{}                     // holds one token: who logs in
}

func newGate(inner http.RoundTripper, repo name.Repository, cfg *config) *gate {
	g := &gate{inner: inner, repo: repo, keychain: cfg.keychain, plain: cfg.plain, turn: make(chan struct{}, 1)}
	g.turn <- struct{}{}
	return g
}

// RoundTrip implements [http.RoundTripper]. Requests have no body.
func (g *gate) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != g.repo.RegistryStr() {
		if req.URL.Scheme != "https" && !g.plain {
			return nil, fmt.Errorf("redirect to plain HTTP at %s, which is not permitted (see WithPlainHTTP)", req.URL.Host)
		}
		return g.inner.RoundTrip(req)
	}
	if login := g.login.Load(); login != nil {
		return (*login).RoundTrip(g.aim(req))
	}
	resp, err := g.reach(req)
	if err != nil || resp.StatusCode != http.StatusUnauthorized {
		return resp, err
	}
	resp.Body.Close()
	login, err := g.logIn(req.Context())
	if err != nil {
		return nil, err
	}
	return login.RoundTrip(g.aim(req))
}

// aim returns req with the scheme that the registry speaks.
func (g *gate) aim(req *http.Request) *http.Request {
	req = req.Clone(req.Context())
	req.URL.Scheme = "https"
	if g.http.Load() {
		req.URL.Scheme = "http"
	}
	return req
}

// reach sends req without credentials, over HTTPS and, if that fails and is
// permitted, over HTTP.
func (g *gate) reach(req *http.Request) (*http.Response, error) {
	resp, err := g.inner.RoundTrip(g.aim(req))
	var noTLS tls.RecordHeaderError
	var badCert *tls.CertificateVerificationError
	switch {
	case err == nil || g.http.Load() || req.Context().Err() != nil || errors.As(err, &badCert):
		return resp, err
	case !g.plain && errors.As(err, &noTLS):
		return nil, fmt.Errorf("%s does not speak TLS, and plain HTTP is not permitted (see WithPlainHTTP)", req.URL.Host)
	case !g.plain:
		return nil, err
	}
	second := req.Clone(req.Context())
	second.URL.Scheme = "http"
	resp, errPlain := g.inner.RoundTrip(second)
	if errPlain != nil {
		return nil, fmt.Errorf("%w; over plain HTTP: %w", err, errPlain)
	}
	g.http.Store(true)
	return resp, nil
}

// logIn does what the registry asks for, once for all who wait.
func (g *gate) logIn(ctx context.Context) (http.RoundTripper, error) {
	select {
	case <-g.turn:
		defer func() { g.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if login := g.login.Load(); login != nil {
		return *login, nil
	}
	auth, err := authn.Resolve(ctx, g.keychain, g.repo)
	if err != nil {
		return nil, fmt.Errorf("credentials for %s: %w", g.repo.RegistryStr(), err)
	}
	host, scheme, opts := g.repo.RegistryStr(), "https", []name.Option{}
	if g.http.Load() {
		scheme, opts = "http", append(opts, name.Insecure)
	}
	registry, err := name.NewRegistry(host, opts...)
	if err != nil {
		return nil, err
	}
	inner := &oneScheme{inner: g.inner, host: host, scheme: scheme}
	login, err := transport.NewWithContext(ctx, registry, auth, inner, []string{g.repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, loginError(err)
	}
	g.login.Store(&login)
	return login, nil
}

// loginError makes an answer of a token server or registry what it is to
// [artifacts.Store].
func loginError(err error) error {
	answer, ok := errors.AsType[*transport.Error](err)
	if !ok || answer.Request == nil {
		return fmt.Errorf("log in: %w", err)
	}
	u := *answer.Request.URL
	u.User, u.RawQuery = nil, ""
	return fmt.Errorf("log in: %w", &artifacts.HTTPError{
		Method: answer.Request.Method, URL: u.String(), Status: answer.StatusCode,
	})
}

// oneScheme keeps go-containerregistry from trying plain HTTP by itself, as
// it does for local addresses.
type oneScheme struct {
	inner        http.RoundTripper
	host, scheme string
}

// RoundTrip implements [http.RoundTripper].
func (o *oneScheme) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host == o.host && req.URL.Scheme != o.scheme {
		return nil, fmt.Errorf("%s is not asked over %s", o.host, req.URL.Scheme)
	}
	return o.inner.RoundTrip(req)
}
