package ipxe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// apiPrefix marks the names of files that an API server's answer named, and
// maxAnswer bounds that answer, in bytes.
const (
	apiPrefix = "api:"
	maxAnswer = 1 << 20
)

// API is a [Booter] that asks a server of pixiecore's API: GET
// <prefix>/v1/boot/<mac> says in JSON what a machine boots, and any status
// but 200 that it does not boot. The files that an answer names are fetched
// once for all machines that want them, kept in a folder, and sent to a
// machine while they still arrive. API is safe for concurrent use.
type API struct {
	prefix *url.URL
	cfg    apiConfig
	spool  *spool
	flight singleflight.Group

	mu      sync.Mutex
	answers map[string]answer
}

// answer is what the server said about one machine.
type answer struct {
	spec    *Spec
	expires time.Time
}

// NewAPI returns a booter that asks the server at prefix, such as
// "http://192.0.2.1:4242/pixiecore". The caller closes it.
func NewAPI(prefix string, opts ...APIOption) (*API, error) {
	cfg, err := newAPIConfig(opts)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(strings.TrimSuffix(prefix, "/") + "/")
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("ipxe: API address %q: want http://host/ or https://host/", prefix)
	}
	s, err := newSpool(cfg)
	if err != nil {
		return nil, err
	}
	return &API{prefix: u, cfg: cfg, spool: s, answers: make(map[string]answer)}, nil
}

// Close ends downloads, waits for them and removes the folder of files.
// Files that are still open read no further.
func (a *API) Close() error { return a.spool.close() }

// BootSpec implements [Booter].
func (a *API) BootSpec(ctx context.Context, m *Machine) (*Spec, error) {
	mac := m.MAC.String()
	if spec, ok := a.cached(mac); ok {
		return spec, nil
	}
	v, err, _ := a.flight.Do(mac, func() (any, error) {
		// Others wait for this answer too, so it survives a machine that
		// hangs up.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.cfg.timeout)
		defer cancel()
		spec, err := a.ask(ctx, mac)
		if err == nil {
			a.remember(mac, spec)
		}
		return spec, err
	})
	if err != nil {
		return nil, &Error{Op: "fetch", MAC: m.MAC, Err: err}
	}
	return v.(*Spec), nil //nolint:forcetypeassert // The function above returns nothing else.
}

func (a *API) cached(mac string) (*Spec, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	known, ok := a.answers[mac]
	return known.spec, ok && time.Now().Before(known.expires)
}

// remember keeps spec for a short while. Expired answers go first when there
// are too many, then any.
func (a *API) remember(mac string, spec *Spec) {
	if a.cfg.fresh == 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if len(a.answers) >= maxAnswers {
		for key, known := range a.answers {
			if !now.Before(known.expires) {
				delete(a.answers, key)
			}
		}
	}
	for key := range a.answers {
		if len(a.answers) < maxAnswers {
			break
		}
		delete(a.answers, key)
	}
	a.answers[mac] = answer{spec: spec, expires: now.Add(a.cfg.fresh)}
}

// ask asks the server once. A nil spec means that it does not want the
// machine to boot.
func (a *API) ask(ctx context.Context, mac string) (*Spec, error) {
	address := a.prefix.JoinPath("v1", "boot", mac)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil) //nolint:gosec // The server is the caller's choice, and a MAC is no path.
	if err != nil {
		return nil, err
	}
	resp, err := a.cfg.client.Do(req) //nolint:gosec // As above.
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, nil //nolint:nilnil // This is how a Booter says "not ours".
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("answer is longer than %d bytes", maxAnswer)
	}
	return parseAnswer(body, a.name)
}

// name returns the name of the file at ref, an address which may be relative
// to the server's.
func (a *API) name(ref string) (string, error) {
	u, err := a.prefix.Parse(ref)
	if err != nil {
		return "", fmt.Errorf("address %q: %w", ref, errors.Unwrap(err))
	}
	switch u.Scheme {
	case "http", "https":
	case "file":
		if a.cfg.files == nil {
			return "", fmt.Errorf("address %q: file addresses are not allowed", ref)
		}
	default:
		return "", fmt.Errorf("address %q: scheme not supported", ref)
	}
	return apiPrefix + u.String(), nil
}

// OpenBootFile implements [Booter].
func (a *API) OpenBootFile(ctx context.Context, name string) (File, error) {
	address, ok := strings.CutPrefix(name, apiPrefix)
	if !ok {
		return nil, fs.ErrNotExist
	}
	if u, err := url.Parse(address); err == nil && u.Scheme == "file" {
		if a.cfg.files == nil {
			return nil, fs.ErrPermission
		}
		return OpenFile(a.cfg.files, u.Path)
	}
	return a.spool.open(ctx, address)
}

// parseAnswer reads an API server's answer. The function name turns an
// address into the name of a file.
func parseAnswer(body []byte, name func(ref string) (string, error)) (*Spec, error) {
	var in struct {
		Kernel  string          `json:"kernel"`
		Initrd  []string        `json:"initrd"`
		Cmdline json.RawMessage `json:"cmdline"`
		Message string          `json:"message"`
		Script  string          `json:"ipxe-script"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if in.Script != "" {
		return &Spec{Script: in.Script}, nil
	}
	if in.Kernel == "" {
		return nil, errors.New("answer has no kernel")
	}
	spec := new(Spec)
	if checkLine("message", in.Message) == nil { // pixiecore takes any text, and shows none.
		spec.Message = in.Message
	}
	var err error
	if spec.Kernel, err = name(in.Kernel); err != nil {
		return nil, err
	}
	for _, ref := range in.Initrd {
		n, err := name(ref)
		if err != nil {
			return nil, err
		}
		spec.Initrd = append(spec.Initrd, n)
	}
	spec.Cmdline, err = parseCmdline(in.Cmdline, name)
	return spec, err
}
