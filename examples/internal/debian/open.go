package debian

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"

	"github.com/netbootkit/netbootkit/artifacts"
	"github.com/netbootkit/netbootkit/internal/deb"
	"github.com/netbootkit/netbootkit/internal/overlay"
)

// Open returns the files of packages as one tree, such as a system has in which
// all of them are installed. What the store does not have is fetched from below
// base, a URL such as [DefaultBase] or a mirror's, and has to have the digest
// that the package says.
func Open(ctx context.Context, store *artifacts.Store, base string, packages ...Package) (fs.FS, error) {
	if len(packages) == 0 {
		return nil, errors.New("debian: no packages asked for")
	}
	all := overlay.New()
	for _, p := range packages {
		from := strings.TrimSuffix(base, "/") + "/" + p.Path
		tree, err := open(ctx, store, from, p)
		if err == nil {
			err = all.AddTree(tree)
		}
		if err != nil {
			if unreachable, ok := errors.AsType[*url.Error](err); ok {
				err = unreachable.Err // It names the address once more, as what is around it does.
			}
			return nil, fmt.Errorf("debian: package %s %s from %s: %w", p.Name, p.Version, from, err)
		}
	}
	return all.Tree(), nil
}

// open returns the files of one package.
func open(ctx context.Context, store *artifacts.Store, url string, p Package) (fs.FS, error) {
	f, err := store.Fetch(ctx, artifacts.HTTP(nil), artifacts.Info{Name: url, Size: p.Size, Digest: p.Digest})
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // It was only read.
	return deb.Open(f, f.Size())
}
