package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/netbootkit/netbootkit/artifacts"
)

const (
	fresh     = time.Minute // for which what the API said is believed
	maxAnswer = 32 << 20    // bytes of an answer of the API
	firstPage = 30          // with fewer assets, a release has no more
	page      = 100         // assets asked for at once
	maxPages  = 100         // of them
)

// A listing is what is known about a release.
type listing struct {
	id     int64
	tag    string
	assets []asset
	whole  bool  // there are no further assets
	direct bool  // the API could not be asked
	limit  error // why
	asked  time.Time
}

// An asset is a file of a release.
type asset struct {
	info    artifacts.Info
	address string
	listed  bool // info is what the API says
}

// list returns what is in the release; of many assets maybe not all, unless
// whole is set.
func (s *Source) list(ctx context.Context, whole bool) (*listing, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.known == nil || time.Since(s.known.asked) > fresh {
		l, err := s.ask(ctx)
		if err != nil {
			return nil, err
		}
		s.known = l
	}
	if whole && !s.known.whole {
		l, err := s.askPages(ctx, s.known)
		if err != nil {
			return nil, err
		}
		s.known = l
	}
	return s.known, nil
}

// apiRelease is a release in the API's JSON.
type apiRelease struct {
	ID     int64      `json:"id"`
	Tag    string     `json:"tag_name"`
	Assets []apiAsset `json:"assets"`
}

// apiAsset is an asset in the API's JSON.
type apiAsset struct {
	Name    string    `json:"name"`
	State   string    `json:"state"`
	Size    int64     `json:"size"`
	Digest  string    `json:"digest"`
	Updated time.Time `json:"updated_at"`
	URL     string    `json:"url"`
	Browser string    `json:"browser_download_url"`
}

// ask asks for the release and what comes with it.
func (s *Source) ask(ctx context.Context) (*listing, error) {
	where := "latest"
	if s.release.Tag != Latest {
		where = "tags/" + escape(s.release.Tag)
	}
	var r apiRelease
	err := s.call(ctx, where, &r)
	if limit, ok := errors.AsType[*RateLimitError](err); ok && s.release.Tag != Latest {
		return &listing{tag: s.release.Tag, whole: true, direct: true, limit: limit, asked: time.Now()}, nil
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("github: %s has no release %q: %w", s.release.Repository, s.release.Tag, err)
	case err != nil:
		return nil, err
	case r.Tag == "":
		return nil, fmt.Errorf("github: answer about release %q of %s has no tag", s.release.Tag, s.release.Repository)
	}
	l := &listing{id: r.ID, tag: r.Tag, whole: len(r.Assets) < firstPage, asked: time.Now()}
	return l, s.add(l, r.Assets)
}

// escape writes a tag as part of a path; a slash in it separates nothing.
func escape(tag string) string {
	return strings.ReplaceAll((&url.URL{Path: tag}).EscapedPath(), "/", "%2F")
}

// askPages asks for all assets of the release that known is about.
func (s *Source) askPages(ctx context.Context, known *listing) (*listing, error) {
	l := &listing{id: known.id, tag: known.tag, whole: true, asked: known.asked}
	for n := 1; n <= maxPages; n++ {
		var assets []apiAsset
		if err := s.call(ctx, fmt.Sprintf("%d/assets?per_page=%d&page=%d", known.id, page, n), &assets); err != nil {
			return nil, err
		}
		if err := s.add(l, assets); err != nil {
			return nil, err
		}
		if len(assets) < page {
			return l, nil
		}
	}
	return nil, fmt.Errorf("github: release %s has more than %d assets", known.tag, page*maxPages)
}

// add appends what the API says about assets to l.
func (s *Source) add(l *listing, assets []apiAsset) error {
	for _, a := range assets {
		if a.State != "" && a.State != "uploaded" {
			continue // On its way to GitHub.
		}
		var digest artifacts.Digest
		if a.Digest != "" {
			var err error
			if digest, err = artifacts.ParseDigest(a.Digest); err != nil {
				return fmt.Errorf("github: asset %q: %w", a.Name, err)
			}
		}
		address := s.download(l.tag, a.Name)
		if u, err := url.Parse(a.Browser); err == nil && u.Host != "" {
			u.RawPath = "" // So that a plus sign is itself.
			address = u.String()
		}
		if s.cfg.token != "" && a.URL != "" {
			address = a.URL
		}
		l.assets = append(l.assets, asset{
			info:    artifacts.Info{Name: a.Name, Size: a.Size, Digest: digest, ModTime: a.Updated},
			address: address, listed: true,
		})
	}
	return nil
}

// call asks the API about the repository's releases.
func (s *Source) call(ctx context.Context, where string, answer any) error {
	address := s.cfg.api() + "/repos/" + s.release.Repository + "/releases/" + where
	body, err := s.http.Open(ctx, address)
	if err != nil {
		return err
	}
	defer body.Close()
	data, err := io.ReadAll(io.LimitReader(body, maxAnswer+1))
	switch {
	case err != nil:
		return fmt.Errorf("github: %s: %w", address, err)
	case len(data) > maxAnswer:
		return fmt.Errorf("github: %s: answer of more than %d bytes", address, maxAnswer)
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("github: %s: %w", address, err)
	}
	return nil
}

// find returns the asset that name stands for.
func (s *Source) find(ctx context.Context, name string) (asset, error) {
	for _, whole := range []bool{false, true} {
		l, err := s.list(ctx, whole)
		if err != nil {
			return asset{}, err
		}
		exact := s.release.AssetName(l.tag, name)
		if l.direct {
			return asset{info: artifacts.Info{Name: exact, Size: -1}, address: s.download(l.tag, exact)}, nil
		}
		if i := slices.IndexFunc(l.assets, func(a asset) bool { return a.info.Name == exact }); i >= 0 {
			return l.assets[i], nil
		}
		if l.whole {
			return asset{}, s.missing(l, exact)
		}
	}
	return asset{}, fs.ErrNotExist
}

// missing says that the release has no such asset, and what it has instead.
func (s *Source) missing(l *listing, name string) error {
	e := &missingError{name: name, release: s.release.Repository + " " + l.tag}
	if len(l.assets) == 0 {
		e.hint = "; it has none at all"
		return e
	}
	iso := s.release.AssetName(l.tag, ISO)
	if s.cfg.iso == nil && iso != name && slices.ContainsFunc(l.assets, func(a asset) bool { return a.info.Name == iso }) {
		e.hint = "; it has " + iso + ", see WithISO"
		return e
	}
	names := make([]string, len(l.assets))
	for i, a := range l.assets {
		names[i] = a.info.Name
	}
	slices.SortStableFunc(names, func(a, b string) int { return common(b, name) - common(a, name) })
	e.hint = "; nearest are " + strings.Join(names[:min(3, len(names))], ", ")
	return e
}

// common returns how many bytes a and b have in common at both ends.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	m := 0
	for m < min(len(a), len(b))-n && a[len(a)-1-m] == b[len(b)-1-m] {
		m++
	}
	return n + m
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
