package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/netbootkit/netbootkit/artifacts"
)

const maxInspect = 16 << 20 // bytes of what the daemon says about an image

// Daemon returns an image of the local Docker daemon, or of another program
// that speaks its language; see [WithDaemonHost]. When its layers are wanted,
// all of it is exported, as docker save does, and kept in store.
func Daemon(ctx context.Context, store *artifacts.Store, ref string, opts ...Option) (*Image, error) {
	parsed, cfg, err := parseFor(ref, opts, KindDaemon)
	if err != nil {
		return nil, err
	}
	return openDaemon(ctx, store, parsed, &cfg)
}

func openDaemon(ctx context.Context, store *artifacts.Store, ref Reference, cfg *config) (*Image, error) {
	im, err := findLocal(ctx, store, ref, cfg)
	if err != nil {
		return nil, &Error{Op: "open", Image: ref.String(), Err: err}
	}
	return im, nil
}

func findLocal(ctx context.Context, store *artifacts.Store, ref Reference, cfg *config) (*Image, error) {
	d, err := newDaemon(cfg)
	if err != nil {
		return nil, err
	}
	found, err := d.inspect(ctx, ref.familiar())
	if err != nil {
		return nil, err
	}
	im := newImage(ref.String(), found.ID, &v1.ConfigFile{
		OS: found.OS, Architecture: found.Architecture, Variant: found.Variant,
	}, cfg)
	if !cfg.want.runs(im.platform) {
		return nil, &PlatformError{Want: cfg.want.String(), Have: []string{im.platform.String()}}
	}
	e := &export{daemon: d, store: store, found: found, name: im.name, cfg: cfg}
	for i, diffID := range found.RootFS.Layers {
		im.add(diffID, artifacts.Info{Name: string(diffID), Size: -1, Digest: diffID},
			func(ctx context.Context, g *gauge) (io.ReadCloser, error) { return e.layer(ctx, i, g) })
	}
	return im, nil
}

// A daemon speaks the Docker Engine API, of which two requests are enough.
type daemon struct {
	client *http.Client
	base   string // URL without a slash at its end
}

// parseHost reads what DOCKER_HOST can be.
func parseHost(host string) (network, address string, err error) {
	network, address, ok := strings.Cut(host, "://")
	if !ok || address == "" {
		network = ""
	}
	switch network {
	case "unix":
		return network, address, nil
	case "tcp", "http", "https":
		if u, err := url.Parse(host); err == nil && u.Host != "" && u.User == nil && strings.Trim(u.Path, "/") == "" {
			return network, u.Host, nil
		}
	}
	return "", "", fmt.Errorf("oci: daemon host %q: want unix:///PATH, tcp://HOST:PORT or https://HOST:PORT", host)
}

func newDaemon(cfg *config) (*daemon, error) {
	network, address, err := parseHost(cfg.daemonHost)
	if err != nil {
		return nil, err
	}
	t := &http.Transport{TLSClientConfig: cfg.daemonTLS, DisableKeepAlives: true, ResponseHeaderTimeout: time.Minute}
	d := &daemon{client: &http.Client{Transport: t}}
	switch {
	case network == "unix":
		d.base = "http://docker"
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", address)
		}
	case network == "https" || cfg.daemonTLS != nil:
		d.base = "https://" + address
	default:
		d.base = "http://" + address
	}
	return d, nil
}

// inspected is what the daemon says about an image.
type inspected struct {
	ID           artifacts.Digest `json:"Id"`
	OS           string           `json:"Os"`
	Architecture string
	Variant      string
	RootFS       struct{ Layers []artifacts.Digest }
}

// inspect asks for the image called name.
func (d *daemon) inspect(ctx context.Context, name string) (*inspected, error) {
	body, err := d.get(ctx, name, "json")
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := readAll(body, maxInspect)
	if err != nil {
		return nil, err
	}
	var found inspected
	if err := json.Unmarshal(text, &found); err != nil {
		return nil, fmt.Errorf("daemon: %w", err)
	}
	if n := len(found.RootFS.Layers); n > maxLayers {
		return nil, fmt.Errorf("%d layers, more than %d", n, maxLayers)
	}
	for _, digest := range append(found.RootFS.Layers, found.ID) {
		if err := checkDigest(digest); err != nil {
			return nil, fmt.Errorf("daemon: %w", err)
		}
	}
	return &found, nil
}

// get returns something about the image called name. The daemon parses the
// name itself, slashes and all.
func (d *daemon) get(ctx context.Context, name, what string) (io.ReadCloser, error) {
	address := d.base + "/images/" + name + "/" + what
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "netbootkit")
	resp, err := d.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("daemon: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, fmt.Errorf("daemon: %w", refusal(resp))
	}
	return resp.Body, nil
}

// An export is an image on its way out of the daemon, once for all layers.
type export struct {
	daemon *daemon
	store  *artifacts.Store
	found  *inspected
	name   string
	cfg    *config
}

// layer returns the layer with that index as the daemon saved it.
func (e *export) layer(ctx context.Context, index int, g *gauge) (io.ReadCloser, error) {
	file, err := e.store.Make(ctx, "docker save "+string(e.found.ID), func(ctx context.Context, w io.Writer) error {
		body, err := e.daemon.get(ctx, string(e.found.ID), "get")
		if err != nil {
			return err
		}
		defer body.Close()
		_, err = io.Copy(w, g.watch(body, "all layers", 0))
		return err
	})
	if err != nil {
		return nil, err
	}
	rc, err := e.open(ctx, file, index)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &unpacked{Reader: rc, below: file, end: func() { rc.Close() }}, nil
}

// open returns a layer of the export.
func (e *export) open(ctx context.Context, file *artifacts.File, index int) (io.ReadCloser, error) {
	cfg := *e.cfg
	cfg.image = "" // It holds one.
	im, err := openArchive(file.File, file.Size(), e.name, &cfg)
	switch {
	case err != nil:
		return nil, err
	case len(im.layers) != len(e.found.RootFS.Layers):
		return nil, fmt.Errorf("daemon saved %d layers of %d", len(im.layers), len(e.found.RootFS.Layers))
	}
	return im.layers[index].open(ctx, nil)
}

// openDaemonOrRegistry asks the daemon, and then the registry if there is no
// daemon, or it has no such image, or none for the platform.
func openDaemonOrRegistry(ctx context.Context, store *artifacts.Store, ref Reference, cfg *config) (*Image, error) {
	im, err := openDaemon(ctx, store, ref, cfg)
	var refused *net.OpError
	var other *PlatformError
	if !errors.Is(err, fs.ErrNotExist) && !errors.As(err, &refused) && !errors.As(err, &other) {
		return im, err
	}
	cfg.log.LogAttrs(ctx, slog.LevelInfo, "daemon does not have the image, asking the registry",
		slog.String("image", ref.String()), slog.Any("error", err))
	ref.Kind = KindRegistry
	im, remote := openRegistry(ctx, store, ref, cfg)
	if remote != nil {
		return nil, errors.Join(remote, err)
	}
	return im, nil
}
