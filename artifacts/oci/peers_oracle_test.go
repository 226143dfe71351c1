package oci_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/netbootkit/netbootkit/artifacts/oci"
	"github.com/netbootkit/netbootkit/internal/oracle"
)

// service runs a program until the end of the test.
func service(t *testing.T, program string, args ...string) *os.File {
	t.Helper()
	logs, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	cmd := exec.CommandContext(ctx, oracle.Need(t, program), args...)
	cmd.Stdout, cmd.Stderr = logs, logs
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // It was interrupted.
		logs.Close()
	})
	return logs
}

// answers waits until fn succeeds.
func answers(t *testing.T, logs *os.File, fn func() error) {
	t.Helper()
	var err error
	for range 600 {
		if err = fn(); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond) // For another process.
	}
	text, _ := os.ReadFile(logs.Name())
	require.NoError(t, err, "%s", text)
}

// freePort returns a TCP port of the loopback interface that nobody uses.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// dockerRegistry starts Debian's docker-registry with more configuration and
// returns its address.
func dockerRegistry(t *testing.T, more string) string {
	t.Helper()
	addr := freePort(t)
	dir := t.TempDir()
	config := fmt.Sprintf(`version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: %s/data}
http:
  addr: %s
%s`, dir, addr, more)
	file := filepath.Join(dir, "config.yml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	logs := service(t, "docker-registry", "serve", file)
	answers(t, logs, func() error {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err
	})
	return addr
}

// upload writes an image to a registry that is not ours.
func upload(t *testing.T, ref string, what remote.Taggable, opts ...remote.Option) string {
	t.Helper()
	parsed, err := name.ParseReference(ref, name.Insecure)
	require.NoError(t, err)
	if index, ok := what.(v1.ImageIndex); ok {
		require.NoError(t, remote.WriteIndex(parsed, index, opts...))
	} else {
		require.NoError(t, remote.Write(parsed, what.(v1.Image), opts...))
	}
	return ref
}

func TestRegistryOfDebian(t *testing.T) {
	t.Parallel()

	addr := dockerRegistry(t, "")
	upload(t, addr+"/a/b:v1", indexOf(t, "linux/amd64", "linux/arm64"))
	requests, front := counting(t, addr)
	ref := front + "/a/b:v1"
	opts := []oci.Option{oci.WithPlainHTTP(), oci.WithPlatform("linux/arm64")}
	dir := t.TempDir()

	tree, err := rootfs(t, storeIn(t, dir), ref, opts...)
	require.NoError(t, err)
	assert.Equal(t, "linux/arm64", text(t, tree, "arch"))
	assert.Len(t, requests(), 7, "a HEAD, the index, the manifest, the configuration and three layers")

	_, err = rootfs(t, storeIn(t, dir), ref, opts...)
	require.NoError(t, err)
	assert.Equal(t, []string{"HEAD /v2/a/b/manifests/v1"}, requests())

	_, err = rootfs(t, storeIn(t, dir), front+"/a/b:v2", opts...)
	require.ErrorContains(t, err, "404")
}

// counting puts a proxy in front of a registry, and returns its address and
// what it has seen since the last call.
func counting(t *testing.T, addr string) (requests func() []string, front string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	proxy := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: addr})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.Method+" "+r.URL.Path)
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		defer func() { seen = nil }()
		return seen
	}, strings.TrimPrefix(server.URL, "http://")
}

// authority returns a certificate that signed itself, for local addresses,
// and the files in which it and its key are.
func authority(t *testing.T) (cert *x509.Certificate, key *ecdsa.PrivateKey, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err = x509.ParseCertificate(der)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	return cert, key, certFile, keyFile
}

func TestRegistryOfDebianWithTLSAndPassword(t *testing.T) {
	t.Parallel()

	cert, _, certFile, keyFile := authority(t)
	passwords := filepath.Join(t.TempDir(), "htpasswd")
	line := oracle.Run(t, "htpasswd", "-Bbn", "me", "right")
	require.NoError(t, os.WriteFile(passwords, []byte(line), 0o600))
	addr := dockerRegistry(t, fmt.Sprintf(`  tls: {certificate: %s, key: %s}
auth:
  htpasswd: {realm: test, path: %s}
`, certFile, keyFile, passwords))

	pool := x509.NewCertPool()
	pool.AddCert(cert)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	ref := upload(t, addr+"/a/b:v1", sample(t, "linux/amd64"),
		remote.WithTransport(transport), remote.WithAuth(&authn.Basic{Username: "me", Password: "right"}))

	platform := oci.WithPlatform("linux/amd64")
	right := oci.WithKeychain(keychain{"me", "right"})
	_, err := rootfs(t, openStore(t), ref, platform, right, oci.WithHTTPClient(&http.Client{Transport: transport}))
	require.NoError(t, err)
	_, err = rootfs(t, openStore(t), ref, platform, right, oci.WithUntrustedTLS())
	require.NoError(t, err)
	_, err = rootfs(t, openStore(t), ref, platform, right)
	require.ErrorContains(t, err, "certificate")
	_, err = rootfs(t, openStore(t), ref, platform, oci.WithUntrustedTLS(), oci.WithKeychain(keychain{"me", "wrong"}))
	require.ErrorContains(t, err, "401")
}

// signToken makes a token as the registry wants them (RFC 7515, ES256).
func signToken(t *testing.T, cert *x509.Certificate, key *ecdsa.PrivateKey, access []any) string {
	t.Helper()
	encode := func(v any) string {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return base64.RawURLEncoding.EncodeToString(b)
	}
	now := time.Now().Unix()
	text := encode(map[string]any{"typ": "JWT", "alg": "ES256", "x5c": []string{base64.StdEncoding.EncodeToString(cert.Raw)}}) + "." +
		encode(map[string]any{
			"iss": "test", "sub": "me", "aud": "registry", "exp": now + 300, "nbf": now - 10, "iat": now, "jti": rand.Text(), "access": access,
		})
	sum := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, sum[:])
	require.NoError(t, err)
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestRegistryOfDebianWithTokens(t *testing.T) {
	t.Parallel()

	cert, key, certFile, _ := authority(t)
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, secret, _ := r.BasicAuth()
		if user != "me" || secret != "right" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		access := []any{}
		for _, scope := range r.URL.Query()["scope"] {
			kind, rest, _ := strings.Cut(scope, ":")
			i := strings.LastIndexByte(rest, ':')
			access = append(access, map[string]any{"type": kind, "name": rest[:i], "actions": strings.Split(rest[i+1:], ",")})
		}
		assert.NoError(t, json.NewEncoder(w).Encode(map[string]any{"token": signToken(t, cert, key, access), "expires_in": 300}))
	}))
	t.Cleanup(tokens.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(tokens.URL, "http://"))
	require.NoError(t, err)
	addr := dockerRegistry(t, fmt.Sprintf(`auth:
  token: {realm: "http://localhost:%s/token", service: registry, issuer: test, rootcertbundle: %s}
`, port, certFile))
	ref := upload(t, addr+"/a/b:v1", sample(t, "linux/amd64"), remote.WithAuth(&authn.Basic{Username: "me", Password: "right"}))

	opts := []oci.Option{oci.WithPlainHTTP(), oci.WithPlatform("linux/amd64")}
	_, err = rootfs(t, openStore(t), ref, append(opts, oci.WithKeychain(keychain{"me", "right"}))...)
	require.NoError(t, err)
	_, err = rootfs(t, openStore(t), ref, append(opts, oci.WithKeychain(keychain{"me", "wrong"}))...)
	require.ErrorContains(t, err, "401")
	_, err = rootfs(t, openStore(t), ref, opts...)
	require.ErrorContains(t, err, "401")
}

// onDisk writes an image to a layout in a new folder.
func onDisk(t *testing.T, im v1.Image) string {
	t.Helper()
	dir := t.TempDir()
	path, err := layout.Write(dir, empty.Index)
	require.NoError(t, err)
	require.NoError(t, path.AppendImage(im, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": "v1"})))
	return dir
}

func TestOpenReadsWhatSkopeoAndUmociWrite(t *testing.T) {
	t.Parallel()
	oracle.Need(t, "skopeo")

	source := onDisk(t, sample(t, "linux/amd64"))
	from := "oci:" + source + ":v1"
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	insecure := []string{"copy", "--insecure-policy"}
	copyTo := func(to string, more ...string) {
		oracle.Run(t, "skopeo", append(append(insecure, more...), from, to)...)
	}
	copyTo("docker-archive:" + at("docker.tar") + ":a/b:v1")
	copyTo("oci-archive:" + at("oci.tar") + ":v1")
	copyTo("oci:" + at("layout") + ":v1")
	copyTo("oci:"+at("zstd")+":v1", "--dest-compress-format", "zstd")
	copyTo("oci:"+at("schema2")+":v1", "--format", "v2s2")
	oracle.Run(t, "umoci", "init", "--layout", at("umoci"))
	oracle.Run(t, "umoci", "new", "--image", at("umoci")+":v1")
	oracle.Run(t, "umoci", "insert", "--rootless", "--image", at("umoci")+":v1", filepath.Join(source, "oci-layout"), "/arch")
	oracle.Run(t, "umoci", "config", "--image", at("umoci")+":v1", "--architecture", "amd64", "--os", "linux")

	amd64 := oci.WithPlatform("linux/amd64")
	for _, ref := range []string{
		"ocifile:" + at("docker.tar"), "file://" + at("oci.tar"), "dir:" + at("layout"), "dir:" + at("zstd"), "dir:" + at("schema2"),
	} {
		tree, err := rootfs(t, openStore(t), ref, amd64)
		require.NoError(t, err, ref)
		assert.Equal(t, "linux/amd64", text(t, tree, "arch"), ref)
	}
	tree, err := rootfs(t, openStore(t), "dir:"+at("umoci"), amd64)
	require.NoError(t, err)
	assert.Contains(t, text(t, tree, "arch"), "imageLayoutVersion")

	_, err = rootfs(t, openStore(t), "ocifile:"+at("docker.tar"), amd64, oci.WithImage("a/b:v2"))
	require.ErrorContains(t, err, `no image is called "a/b:v2", there is`)
	_, err = rootfs(t, openStore(t), "ocifile:"+at("docker.tar"), oci.WithPlatform("linux/arm64"))
	require.ErrorContains(t, err, "no image for linux/arm64, there is linux/amd64")
}

func TestDaemonOfDebian(t *testing.T) {
	t.Parallel()
	oracle.Root(t)

	dir, err := os.MkdirTemp("", "oci") //nolint:usetesting // The path of a socket has to be short.
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	host := "unix://" + dir + "/s"
	logs := service(t, "dockerd", "--iptables=false", "--bridge=none", "--data-root", dir+"/data", "--exec-root", dir+"/exec",
		"--pidfile", dir+"/pid", "--storage-driver", "vfs", "-H", host)
	docker := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", dir+"/s")
	}}}
	answers(t, logs, func() error {
		resp, err := docker.Get("http://docker/_ping")
		if err == nil {
			resp.Body.Close()
		}
		return err
	})

	tag, err := name.NewTag("a/b:v1")
	require.NoError(t, err)
	var saved bytes.Buffer
	require.NoError(t, tarball.Write(tag, sample(t, "linux/amd64"), &saved))
	resp, err := docker.Post("http://docker/images/load", "application/x-tar", &saved)
	require.NoError(t, err)
	said, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Contains(t, string(said), "Loaded image")

	opts := []oci.Option{oci.WithDaemonHost(host), oci.WithPlatform("linux/amd64")}
	store := openStore(t)
	tree, err := rootfs(t, store, "docker://a/b:v1", opts...)
	require.NoError(t, err)
	assert.Equal(t, "linux/amd64", text(t, tree, "arch"))
	_, err = oci.Daemon(t.Context(), store, "docker:a/c", opts...)
	require.ErrorContains(t, err, "404")

	// What the daemon does not have comes from a registry.
	reg := newFakeRegistry(t, (*httptest.Server).Start)
	ref := reg.push(t, "a:1", sample(t, "linux/amd64"))
	tree, err = rootfs(t, store, "docker://"+ref, append(opts, oci.WithPlainHTTP())...)
	require.NoError(t, err)
	assert.Equal(t, "linux/amd64", text(t, tree, "arch"))
}
